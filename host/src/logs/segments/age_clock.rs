//! The time that is used to compute the age of stored entries.
//!
//! A system clock that is ahead for a short time, for example after a boot without a battery, must not erase the log.
//! So when the system clock jumps ahead of the monotonic clock, the new time is used only after a delay. A clock that
//! is set back is used at once, because it makes less be removed.

use std::time::{Duration, Instant, SystemTime};

/// How much the two clocks may differ without a jump: the system clock is adjusted all the time.
const TOLERANCE: Duration = Duration::from_secs(60);

/// A clock that follows jumps ahead with a delay.
#[derive(Debug)]
pub(super) struct AgeClock {
    /// How long the system clock must be ahead until its time is used.
    delay: Duration,
    time: SystemTime,
    /// When `time` was determined.
    at: Option<Instant>,
    /// The system time and the moment when the system clock was first ahead.
    ahead: Option<(SystemTime, Instant)>,
}

impl AgeClock {
    /// A clock that starts at the time of the last entry.
    pub(super) fn new(last_entry: SystemTime, delay: Duration) -> Self {
        Self {
            delay,
            // A time in the future is not used.
            time: last_entry.min(SystemTime::now()),
            at: None,
            ahead: None,
        }
    }

    /// The time to use when the system clock shows `now` at the moment `at`.
    pub(super) fn now(&mut self, now: SystemTime, at: Instant) -> SystemTime {
        let passed = self.at.map_or(Duration::ZERO, |before| at - before);
        let expected = self.time + passed;
        self.time = match now.duration_since(expected + TOLERANCE) {
            // Not ahead.
            Err(_) => {
                self.ahead = None;
                now
            }
            Ok(_) if self.is_steadily_ahead(now, at) => {
                self.ahead = None;
                now
            }
            Ok(_) => expected,
        };
        self.at = Some(at);
        self.time
    }

    /// Whether the system clock has been equally far ahead for the whole delay.
    fn is_steadily_ahead(&mut self, now: SystemTime, at: Instant) -> bool {
        let (first, since) = *self.ahead.get_or_insert((now, at));
        let expected = first + (at - since);
        let difference = now.duration_since(expected);
        let difference = difference.unwrap_or_else(|back| back.duration());
        if difference > TOLERANCE {
            self.ahead = Some((now, at));
        }
        difference <= TOLERANCE && at - since >= self.delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(24 * 3_600);

    fn noon() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_442_400)
    }

    /// The times used when the system clock shows `times`, one after each interval.
    fn used(clock: &mut AgeClock, interval: Duration, times: &[SystemTime]) -> Vec<SystemTime> {
        let mut at = clock.at.unwrap_or_else(Instant::now);
        let mut next = |now: &SystemTime| {
            at += interval;
            clock.now(*now, at)
        };
        times.iter().map(&mut next).collect()
    }

    #[test]
    fn a_clock_that_is_ahead_for_a_moment_is_not_used() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let times = [
            noon() + SECOND,
            noon() + DAY * 40,
            noon() + DAY * 40 + SECOND,
            noon() + SECOND * 4,
        ];
        let used = used(&mut clock, SECOND, &times);
        let expected = (1..=4).map(|second| noon() + SECOND * second);
        assert_eq!(used, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_clock_that_stays_ahead_is_used_after_a_while() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let ahead = noon() + DAY * 40;
        let times: Vec<_> = (0..=61)
            .map(|minute| ahead + SECOND * 60 * minute)
            .collect();
        let used = used(&mut clock, SECOND * 60, &times);
        assert!(used[..60].iter().all(|time| *time < noon() + HOUR * 2));
        assert_eq!(used[60], times[60]);
        assert_eq!(used[61], times[61]);
    }

    #[test]
    fn a_clock_that_jumps_about_is_never_used() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let jumps: Vec<_> = (1..200).map(|n| noon() + DAY * (n * 7_919 % 400)).collect();
        let used = used(&mut clock, SECOND * 60, &jumps);
        assert!(used.iter().all(|time| *time < noon() + HOUR * 4));
    }

    #[test]
    fn a_clock_that_is_set_back_is_used_at_once() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let times = [noon() + SECOND, UNIX_EPOCH, UNIX_EPOCH + SECOND];
        assert_eq!(used(&mut clock, SECOND, &times), times);
    }
}
