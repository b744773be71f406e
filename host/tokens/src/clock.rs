//! The time that tokens are judged at.

use std::time::{Duration, Instant, SystemTime};

/// A clock that is not set back: the later of the system's clock and of the time that has passed since a beginning,
/// so that a token that has expired stays so. A clock that is set forward is believed.
///
/// ```
/// use std::time::{Duration, Instant, SystemTime};
///
/// use host_tokens::SteadyClock;
///
/// let (system, monotonic) = (SystemTime::now(), Instant::now());
/// let clock = SteadyClock::at(system, monotonic);
/// let minute = Duration::from_secs(60);
/// // A minute later somebody has set the system's clock back by an hour.
/// let moment = clock.when(system + minute - minute * 60, monotonic + minute);
/// assert_eq!(moment.time, system + minute);
/// assert_eq!(moment.set_back, minute * 60);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SteadyClock {
    system: SystemTime,
    monotonic: Instant,
}

/// A moment at which a token is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// What time it is.
    pub time: SystemTime,
    /// By how much the system's clock has been set back behind it.
    pub set_back: Duration,
}

impl SteadyClock {
    /// A clock that begins now.
    pub fn start() -> Self {
        Self::at(SystemTime::now(), Instant::now())
    }

    /// A clock that begins when the two of the system show this.
    pub fn at(system: SystemTime, monotonic: Instant) -> Self {
        Self { system, monotonic }
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        self.when(SystemTime::now(), Instant::now())
    }

    /// What time it is when the clocks of the system show this.
    pub fn when(&self, system: SystemTime, monotonic: Instant) -> Moment {
        let passed = monotonic.saturating_duration_since(self.monotonic);
        // A time beyond what a `SystemTime` can hold has not passed.
        let steady = self.system.checked_add(passed).unwrap_or(system);
        Moment {
            time: system.max(steady),
            set_back: steady.duration_since(system).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn a_clock_that_runs_is_believed_also_when_it_is_set_forward() {
        let (system, monotonic) = (SystemTime::UNIX_EPOCH + HOUR * 1000, Instant::now());
        let clock = SteadyClock::at(system, monotonic);
        for ahead in [HOUR, HOUR * 3] {
            let moment = clock.when(system + ahead, monotonic + HOUR);
            assert_eq!(moment.time, system + ahead);
            assert_eq!(moment.set_back, Duration::ZERO);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_bring_time_back() {
        let (system, monotonic) = (SystemTime::UNIX_EPOCH + HOUR * 1000, Instant::now());
        let clock = SteadyClock::at(system, monotonic);
        for shown in [system - HOUR, SystemTime::UNIX_EPOCH] {
            let moment = clock.when(shown, monotonic + HOUR * 2);
            assert_eq!(moment.time, system + HOUR * 2);
            let behind = (system + HOUR * 2).duration_since(shown);
            assert_eq!(Ok(moment.set_back), behind.map_err(drop));
        }
    }
}
