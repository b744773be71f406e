//! Whether a run is tried again, and when.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How often a run is tried again, and after which time. There is no jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts after the first.
    pub attempts: u32,
    /// How long after the first attempt others may begin; zero is no limit of time.
    pub duration: Duration,
    /// The time to the first retry.
    pub min_backoff: Duration,
    /// The longest time between retries.
    pub max_backoff: Duration,
    /// How often that time doubles.
    pub doublings: u32,
}

impl Retry {
    /// The time before retry number `retry`, from 1, as Cloud Scheduler documents it: it doubles a number of times, grows
    /// by what it is then, and stops growing at the longest.
    pub fn backoff(&self, retry: u32) -> Duration {
        let doublings = retry.saturating_sub(1).min(self.doublings);
        let steps = retry.saturating_sub(self.doublings).max(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.min_backoff
            .saturating_mul(factor)
            .saturating_mul(steps)
            .min(self.max_backoff)
    }

    /// When a run is tried again that was first tried at `first` and failed for the `failures`th time at `now`. With
    /// both a number and a duration given, it is tried until both are reached. A target may have `asked` for a longer time
    /// than is due, and gets it up to the longest.
    pub fn next(
        &self,
        failures: u32,
        first: Timestamp,
        now: Timestamp,
        asked: Option<Duration>,
    ) -> Option<Timestamp> {
        let backoff = match asked {
            Some(asked) => asked.max(self.backoff(failures)).min(self.max_backoff),
            None => self.backoff(failures),
        };
        let backoff = SignedDuration::try_from(backoff).ok()?;
        let next = now.checked_add(backoff).ok()?;
        let has_attempts = failures <= self.attempts;
        let limit = SignedDuration::try_from(self.duration).unwrap_or(SignedDuration::MAX);
        let has_time = next.duration_since(first) <= limit;
        (has_attempts || has_time).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn retry(attempts: u32, duration: u32) -> Retry {
        Retry {
            attempts,
            duration: duration * SECOND,
            min_backoff: 10 * SECOND,
            max_backoff: 300 * SECOND,
            doublings: 3,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// How often a run is tried that always fails at once.
    fn attempts(retry: Retry) -> Option<u32> {
        let mut now = at(0);
        for failures in 1..1_000 {
            match retry.next(failures, at(0), now, None) {
                Some(next) => now = next,
                None => return Some(failures),
            }
        }
        None
    }

    #[test]
    fn the_documented_example_comes_out() {
        let backoffs: Vec<_> = (1..=8)
            .map(|number| retry(0, 0).backoff(number).as_secs())
            .collect();
        assert_eq!(backoffs, [10, 20, 40, 80, 160, 240, 300, 300]);
    }

    #[test]
    fn without_doublings_the_time_grows_by_the_least() {
        let retry = Retry {
            doublings: 0,
            ..retry(0, 0)
        };
        let backoffs: Vec<_> = (1..=4)
            .map(|number| retry.backoff(number).as_secs())
            .collect();
        assert_eq!(backoffs, [10, 20, 30, 40]);
    }

    #[test]
    fn absurd_settings_stop_at_the_longest() {
        let retry = Retry {
            min_backoff: Duration::MAX,
            doublings: u32::MAX,
            ..retry(0, 0)
        };
        for number in [1, 33, u32::MAX] {
            assert_eq!(retry.backoff(number), 300 * SECOND);
        }
    }

    #[test]
    fn by_default_a_run_is_tried_once_and_five_retries_are_six_attempts() {
        assert_eq!(attempts(retry(0, 0)), Some(1));
        assert_eq!(attempts(retry(5, 0)), Some(6));
    }

    #[test]
    fn with_a_duration_alone_it_is_tried_until_that_has_passed() {
        // After 0, 10, 30, 70 s; the next would be after 150 s.
        assert_eq!(attempts(retry(0, 100)), Some(4));
    }

    #[test]
    fn a_first_attempt_that_seems_to_come_is_none_that_was_long_ago() {
        let retry = retry(0, 100);
        assert!(retry.next(1, at(3_600), at(0), None).is_some());
    }

    #[test]
    fn a_target_may_ask_for_a_time_within_bounds() {
        let next = |seconds| retry(1, 0).next(1, at(0), at(0), Some(seconds * SECOND));
        assert_eq!(next(0), Some(at(10)));
        assert_eq!(next(17), Some(at(17)));
        assert_eq!(next(86_400), Some(at(300)));
    }

    #[test]
    fn what_a_target_asks_for_ends_with_the_duration() {
        let next = |seconds| retry(0, 100).next(1, at(0), at(0), Some(seconds * SECOND));
        assert_eq!(next(100), Some(at(100)));
        assert_eq!(next(101), None);
    }

    #[test]
    fn with_both_it_is_tried_until_both_are_reached() {
        assert_eq!(attempts(retry(2, 100)), Some(4));
        assert_eq!(attempts(retry(5, 100)), Some(6));
    }
}
