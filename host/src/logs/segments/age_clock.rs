//! The time by which kept entries grow old.
//!
//! A clock that is ahead for a moment, as one without a battery is after the start of its machine, must not erase a log.
//! So when the system's clock jumps ahead of the one that only ever ticks, that is believed late. A clock that is set back
//! is believed at once: it removes less.

use std::time::{Duration, Instant, SystemTime};

/// How far the system's clock may be from where it should be: it is corrected all the time.
const SLACK: Duration = Duration::from_secs(60);

/// Tells the time, late when it jumps.
#[derive(Debug)]
pub(super) struct AgeClock {
    /// How long a clock has to be ahead until it is believed.
    delay: Duration,
    believed: SystemTime,
    /// When that was so.
    at: Option<Instant>,
    /// What the clock said when it was first ahead.
    ahead: Option<(SystemTime, Instant)>,
}

impl AgeClock {
    /// A clock that believes no more at first than that it is as late as the last entry was.
    pub(super) fn new(last_entry: SystemTime, delay: Duration) -> Self {
        Self {
            delay,
            // One of a time to come says nothing.
            believed: last_entry.min(SystemTime::now()),
            at: None,
            ahead: None,
        }
    }

    /// The time that is believed, when the system's clock says `now` at the moment `at`.
    pub(super) fn tell(&mut self, now: SystemTime, at: Instant) -> SystemTime {
        let passed = self.at.map_or(Duration::ZERO, |before| at - before);
        let expected = self.believed + passed;
        self.believed = match now.duration_since(expected + SLACK) {
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
        self.believed
    }

    /// Whether it has been as far ahead for so long that this is the time.
    fn is_steadily_ahead(&mut self, now: SystemTime, at: Instant) -> bool {
        let (first, since) = *self.ahead.get_or_insert((now, at));
        let expected = first + (at - since);
        let difference = now.duration_since(expected);
        let difference = difference.unwrap_or_else(|back| back.duration());
        if difference > SLACK {
            self.ahead = Some((now, at));
        }
        difference <= SLACK && at - since >= self.delay
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

    /// What is believed of a clock that says these times, an interval after one another.
    fn told(clock: &mut AgeClock, interval: Duration, times: &[SystemTime]) -> Vec<SystemTime> {
        let mut at = clock.at.unwrap_or_else(Instant::now);
        let mut tell = |now: &SystemTime| {
            at += interval;
            clock.tell(*now, at)
        };
        times.iter().map(&mut tell).collect()
    }

    #[test]
    fn a_clock_that_is_ahead_for_a_moment_is_not_believed() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let times = [
            noon() + SECOND,
            noon() + DAY * 40,
            noon() + DAY * 40 + SECOND,
            noon() + SECOND * 4,
        ];
        let believed = told(&mut clock, SECOND, &times);
        let expected = (1..=4).map(|second| noon() + SECOND * second);
        assert_eq!(believed, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_clock_that_stays_ahead_is_believed_after_a_while() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let ahead = noon() + DAY * 40;
        let times: Vec<_> = (0..=61)
            .map(|minute| ahead + SECOND * 60 * minute)
            .collect();
        let believed = told(&mut clock, SECOND * 60, &times);
        assert!(believed[..60].iter().all(|time| *time < noon() + HOUR * 2));
        assert_eq!(believed[60], times[60]);
        assert_eq!(believed[61], times[61]);
    }

    #[test]
    fn a_clock_that_jumps_about_is_never_believed() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let jumps: Vec<_> = (1..200).map(|n| noon() + DAY * (n * 7_919 % 400)).collect();
        let believed = told(&mut clock, SECOND * 60, &jumps);
        assert!(believed.iter().all(|time| *time < noon() + HOUR * 4));
    }

    #[test]
    fn a_clock_that_is_set_back_is_believed_at_once() {
        let mut clock = AgeClock::new(noon(), HOUR);
        let times = [noon() + SECOND, UNIX_EPOCH, UNIX_EPOCH + SECOND];
        assert_eq!(told(&mut clock, SECOND, &times), times);
    }
}
