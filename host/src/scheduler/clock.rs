//! Notices that the clock went back.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// By how much the clock may go back against the monotonic one before it counts as set.
const SET_BACK: SignedDuration = SignedDuration::from_secs(1);

/// Two clocks, which tell when the one that people set goes back.
pub(super) struct Clock {
    wall: Timestamp,
    monotonic: Instant,
}

impl Clock {
    pub(super) fn now() -> Self {
        Self {
            wall: Timestamp::now(),
            monotonic: Instant::now(),
        }
    }

    /// Whether it has gone back since [`went_back`](Self::went_back) was last asked.
    pub(super) fn is_back(&self) -> bool {
        is_back(
            Timestamp::now().duration_since(self.wall),
            self.monotonic.elapsed(),
        )
    }

    /// Whether it went back since this was last asked.
    pub(super) fn went_back(&mut self) -> bool {
        let went_back = self.is_back();
        *self = Self::now();
        went_back
    }
}

/// Whether a clock that moved by `wall` in `monotonic` time was set back.
fn is_back(wall: SignedDuration, monotonic: Duration) -> bool {
    let monotonic = SignedDuration::try_from(monotonic).unwrap_or(SignedDuration::MAX);
    wall.saturating_sub(monotonic) < -SET_BACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_corrected_a_little_was_not_set() {
        let second = Duration::from_secs(1);
        for (wall, is_set) in [
            (1, false),
            (0, false),
            (-1, true),
            (-3_600, true),
            (3_601, false),
        ] {
            assert_eq!(
                is_back(SignedDuration::from_secs(wall), second),
                is_set,
                "{wall}"
            );
        }
    }
}
