//! A job that makes sense.

mod target;

use std::time::Duration;

use http::Method;

use super::retry::Retry;
use super::{Schedule, ScheduleError};
use crate::store::{CatchUp, JobSettings, Overlap};
pub use target::{Target, TokenFor};

const LONGEST_DESCRIPTION: usize = 500;
/// All that is kept of a job, in bytes.
const LARGEST_JOB: usize = 1024 * 1024;
const SHORTEST_DEADLINE: Duration = Duration::from_secs(15);
const LONGEST_DEADLINE: Duration = Duration::from_secs(30 * 60);
const MOST_RETRIES: u32 = 5;
/// How long a backoff may be: a day.
const LONGEST_BACKOFF: Duration = Duration::from_secs(24 * 60 * 60);
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
        what: &'static str,
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
        what: &'static str,
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

impl Job {
    /// Reads what is kept of a job.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(settings: &JobSettings) -> Result<Self, JobError> {
        let characters = settings.description.chars().count();
        at_most(
            "the description",
            characters,
            "characters",
            LONGEST_DESCRIPTION,
        )?;
        let schedule = Schedule::parse(&settings.schedule, &settings.time_zone)?;
        let deadline = Duration::from_millis(settings.attempt_deadline);
        within(
            "the attempt deadline",
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
        at_most("the job", size, "bytes", LARGEST_JOB)?;
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
    within(
        "the longest backoff",
        max_backoff,
        Duration::ZERO,
        LONGEST_BACKOFF,
    )?;
    within(
        "the shortest backoff",
        min_backoff,
        Duration::ZERO,
        max_backoff,
    )?;
    Ok(Retry {
        attempts: number(
            "the number of retries",
            settings.max_retry_attempts,
            MOST_RETRIES,
        )?,
        duration: Duration::from_millis(settings.max_retry_duration),
        min_backoff,
        max_backoff,
        doublings: number(
            "the number of doublings",
            settings.max_doublings,
            MOST_DOUBLINGS,
        )?,
    })
}

fn at_most(
    what: &'static str,
    found: usize,
    unit: &'static str,
    most: usize,
) -> Result<(), JobError> {
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

fn within(
    what: &'static str,
    found: Duration,
    least: Duration,
    most: Duration,
) -> Result<(), JobError> {
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
