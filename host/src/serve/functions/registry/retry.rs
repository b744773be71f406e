//! When a function that could not be loaded is tried again: what it lacked, such as a file, may be there by then.

use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    pub(super) at: Instant,
    pause: Duration,
}

impl Retry {
    /// After the first failure.
    pub(super) fn first(now: Instant) -> Self {
        Self::after(FIRST_PAUSE, now)
    }

    /// After one more.
    pub(super) fn next(self, now: Instant) -> Self {
        Self::after((self.pause * 2).min(LONGEST_PAUSE), now)
    }

    fn after(pause: Duration, now: Instant) -> Self {
        Self {
            at: now + pause,
            pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let now = Instant::now();
        let tries = std::iter::successors(Some(Retry::first(now)), |retry| Some(retry.next(now)));
        let pauses: Vec<_> = tries
            .map(|retry| (retry.at - now).as_secs())
            .take(7)
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
    }
}
