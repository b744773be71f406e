//! When a job is due.

mod calendar;
mod cron;
mod english;
mod error;
mod pattern;

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::zones;
pub use calendar::{Occurrence, Shift};
pub use error::{FieldError, ScheduleError};

use calendar::Calendar;

/// The longest schedule, in characters.
const LONGEST: usize = 500;

/// A schedule in a time zone: unix-cron, Google's English form, or `@hourly` and the like.
///
/// It exists only if it can be read and comes at least once.
#[derive(Clone)]
pub struct Schedule {
    text: String,
    zone: TimeZone,
    times: Times,
}

/// What a text stands for.
#[derive(Clone)]
enum Times {
    Calendar(Calendar),
    /// Counted from the Unix epoch, whatever clocks do.
    Interval(SignedDuration),
}

impl Schedule {
    /// Reads `text`, for clocks in the zone that the IANA database calls `zone`.
    ///
    /// # Errors
    /// If either cannot be read, or the schedule never comes.
    pub fn parse(text: &str, zone: &str) -> Result<Self, ScheduleError> {
        if text.len() > LONGEST {
            return Err(ScheduleError::Long(LONGEST));
        }
        let zone = zones::get(zone)?;
        let trimmed = text.trim();
        let times = if trimmed.starts_with('@') {
            Times::Calendar(cron::parse(nickname(trimmed)?)?)
        } else if english::is_sentence(trimmed) {
            english::parse(trimmed)?
        } else {
            Times::Calendar(cron::parse(trimmed)?)
        };
        Ok(Self {
            text: text.to_owned(),
            zone,
            times,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where its clocks are.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first time after `after`; `None` if that is thousands of years away.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        Some(self.occurrence_after(after)?.time)
    }

    /// As [`next_after`](Self::next_after), with what the clocks did to the time.
    pub fn occurrence_after(&self, after: Timestamp) -> Option<Occurrence> {
        match &self.times {
            Times::Calendar(calendar) => calendar.next_after(&self.zone, after),
            Times::Interval(step) => {
                let steps = after.as_second().div_euclid(step.as_secs()) + 1;
                let time = Timestamp::from_second(steps.checked_mul(step.as_secs())?).ok()?;
                let shift = Shift::None;
                Some(Occurrence { time, shift })
            }
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or_default();
        write!(f, "Schedule({:?}, {zone})", self.text)
    }
}

fn nickname(text: &str) -> Result<&'static str, ScheduleError> {
    match text.to_ascii_lowercase().as_str() {
        "@hourly" => Ok("0 * * * *"),
        "@daily" | "@midnight" => Ok("0 0 * * *"),
        "@weekly" => Ok("0 0 * * 0"),
        "@monthly" => Ok("0 0 1 * *"),
        "@yearly" | "@annually" => Ok("0 0 1 1 *"),
        _ => Err(ScheduleError::Nickname(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
