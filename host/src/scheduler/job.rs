//! A job that makes sense.

mod accepted;
mod target;
mod target_uri;

use std::fmt;
use std::time::Duration;

use http::Method;

use super::retry::Retry;
use super::{Schedule, ScheduleError};
use crate::store::{CatchUp, JobSettings, Overlap};
pub(super) use target::takes_body;
pub use target::{Target, TokenFor};
pub use target_uri::has_same_origin;

const LONGEST_DESCRIPTION: usize = 500;
/// All that is kept of a job, in bytes.
const LARGEST_JOB: usize = 1024 * 1024;
const SHORTEST_DEADLINE: Duration = Duration::from_secs(15);
const LONGEST_DEADLINE: Duration = Duration::from_secs(30 * 60);
const MOST_RETRIES: u32 = 5;
/// How long a backoff may be: a day.
const LONGEST_BACKOFF: Duration = Duration::from_secs(24 * 60 * 60);
/// Retries come no faster than this.
const SHORTEST_BACKOFF: Duration = Duration::from_millis(100);
const MOST_DOUBLINGS: u32 = 16;

/// A job: when it is due, what it calls, and what is done when that fails.
#[derive(Clone, Debug)]
pub struct Job {
    /// When it is due.
    pub schedule: Schedule,
    /// What it calls.
    pub target: Target,
    /// How long an attempt may take.
    pub deadline: Duration,
    /// When it is tried again.
    pub retry: Retry,
    /// What becomes of a due time that comes while a run is going.
    pub overlap: Overlap,
    /// What becomes of due times at which no host served.
    pub catch_up: CatchUp,
}

/// A setting, as an error speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The name of its flag.
    pub flag: &'static str,
    /// What it is.
    words: &'static str,
}

impl Setting {
    const fn new(flag: &'static str, words: &'static str) -> Self {
        Self { flag, words }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words)
    }
}

const MIN_BACKOFF: Setting = Setting::new("min-backoff", "the shortest backoff");
const MAX_BACKOFF: Setting = Setting::new("max-backoff", "the longest backoff");

/// Why settings are no job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The schedule or its time zone.
    #[error("the schedule: {0}")]
    Schedule(#[from] ScheduleError),
    /// Too much of something.
    #[error("{what} has {found} {unit}; expected at most {most}")]
    Long {
        /// Of what.
        what: Setting,
        /// How much it is.
        found: usize,
        /// Of what kind.
        unit: &'static str,
        /// How much it may be.
        most: usize,
    },
    /// A target that is none.
    #[error(
        "`{uri}` is not a target: {reason}; expected a URL such as http://127.0.0.1:8080/hello_world"
    )]
    Uri {
        /// What was given, without its query.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A method that is none of those.
    #[error(
        "`{0}` is not a method of a job; expected post, head, get, put, delete, patch or options"
    )]
    Method(String),
    /// A body where there is none.
    #[error("a request with {0} has no body; leave the body out, or use post, put or patch")]
    Body(Method),
    /// A body that cannot be read.
    #[error("the body is not base64")]
    BodyEncoding,
    /// Nothing where something is needed.
    #[error("{what} is empty; {hint}")]
    Empty {
        /// What it is.
        what: Setting,
        /// What to do.
        hint: &'static str,
    },
    /// A header that cannot be sent.
    #[error("the header `{name}` {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A number out of its range.
    #[error("{what} is {found}; expected {least} to {most}")]
    Range {
        /// Which number.
        what: Setting,
        /// What it is.
        found: String,
        /// The least.
        least: String,
        /// The most.
        most: String,
    },
    /// An audience for no token.
    #[error("a token's audience needs --oidc-service-account-email as well")]
    AudienceAlone,
}

impl JobError {
    /// The name of the flag that it is about, if it is about one.
    pub fn flag(&self) -> Option<&'static str> {
        Some(match self {
            Self::Schedule(ScheduleError::Zone(_)) => "time-zone",
            Self::Schedule(_) => "schedule",
            Self::Uri { .. } => "uri",
            Self::Method(_) => "http-method",
            Self::Body(_) | Self::BodyEncoding => "message-body",
            Self::Header { .. } => "headers",
            Self::AudienceAlone => "oidc-token-audience",
            Self::Long { what, .. } | Self::Empty { what, .. } | Self::Range { what, .. } => {
                return Some(what.flag).filter(|flag| !flag.is_empty());
            }
        })
    }
}

impl Job {
    /// Reads what a job is to be from now on. What was taken at other times and means little is refused.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn accept(settings: &JobSettings) -> Result<Self, JobError> {
        accepted::check(settings)?;
        Self::read(settings)
    }

    /// Reads what is kept of a job.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(settings: &JobSettings) -> Result<Self, JobError> {
        let characters = settings.description.chars().count();
        at_most(
            Setting::new("description", "the description"),
            characters,
            "characters",
            LONGEST_DESCRIPTION,
        )?;
        let schedule = Schedule::parse(&settings.schedule, &settings.time_zone)?;
        let deadline = Duration::from_millis(settings.attempt_deadline);
        within(
            Setting::new("attempt-deadline", "the attempt deadline"),
            deadline,
            SHORTEST_DEADLINE,
            LONGEST_DEADLINE,
        )?;
        let job = Self {
            schedule,
            target: Target::read(settings)?,
            deadline,
            retry: retry(settings)?,
            overlap: settings.overlap,
            catch_up: settings.catch_up,
        };
        let size = serde_json::to_string(settings).map_or(0, |text| text.len());
        at_most(Setting::new("", "the job"), size, "bytes", LARGEST_JOB)?;
        Ok(job)
    }
}

fn retry(settings: &JobSettings) -> Result<Retry, JobError> {
    let number = |what, found: u32, most: u32| match found {
        found if found > most => Err(JobError::Range {
            what,
            found: found.to_string(),
            least: "0".into(),
            most: most.to_string(),
        }),
        found => Ok(found),
    };
    let min_backoff = Duration::from_millis(settings.min_backoff);
    let max_backoff = Duration::from_millis(settings.max_backoff);
    within(MAX_BACKOFF, max_backoff, Duration::ZERO, LONGEST_BACKOFF)?;
    within(MIN_BACKOFF, min_backoff, Duration::ZERO, max_backoff)?;
    Ok(Retry {
        attempts: number(
            Setting::new("max-retry-attempts", "the number of retries"),
            settings.max_retry_attempts,
            MOST_RETRIES,
        )?,
        duration: Duration::from_millis(settings.max_retry_duration),
        // Jobs that are kept from before there was a floor have it as well.
        min_backoff: min_backoff.max(SHORTEST_BACKOFF),
        max_backoff: max_backoff.max(SHORTEST_BACKOFF),
        doublings: number(
            Setting::new("max-doublings", "the number of doublings"),
            settings.max_doublings,
            MOST_DOUBLINGS,
        )?,
    })
}

fn at_most(what: Setting, found: usize, unit: &'static str, most: usize) -> Result<(), JobError> {
    if found > most {
        return Err(JobError::Long {
            what,
            found,
            unit,
            most,
        });
    }
    Ok(())
}

fn within(what: Setting, found: Duration, least: Duration, most: Duration) -> Result<(), JobError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(JobError::Range {
        what,
        found: format!("{found:?}"),
        least: format!("{least:?}"),
        most: format!("{most:?}"),
    })
}

#[cfg(test)]
mod tests;
