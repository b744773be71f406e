//! Runs of jobs and their attempts, as people look at them.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::damage;
use super::jobs::{micros, time};
use super::{JobId, JobName, Store, StoreError};

/// Which run: no job has two for one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// The job.
    pub job: JobId,
    /// When it was due.
    pub scheduled: Timestamp,
}

/// Why there is a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// It was due.
    Schedule,
    /// It was due while no host served.
    CatchUp,
    /// Somebody asked for it.
    Manual,
}

/// What has become of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunState {
    /// It waits for its first attempt.
    Waiting,
    /// Between its first attempt and its last.
    Running,
    /// An attempt went well.
    Succeeded,
    /// No attempt went well, and there are no more.
    Failed,
    /// It was not begun, because another run was going, or the job was paused.
    Skipped,
    /// No host served when it was due, the clock was set past it, or the job was changed before it began.
    Missed,
}

/// A run as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// When it was due.
    pub scheduled: Timestamp,
    /// Why it is there.
    pub trigger: Trigger,
    /// What has become of it.
    pub state: RunState,
    /// Why, in words.
    pub reason: Option<String>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What was tried.
    pub attempts: Vec<AttemptRecord>,
}

/// An attempt as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started: Timestamp,
    /// What came of it, unless it is going on.
    pub end: Option<AttemptEnd>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptEnd {
    /// When it ended.
    pub time: Timestamp,
    /// How long it took, whatever was done to the clock meanwhile; `None` if nobody was there to tell.
    pub took: Option<Duration>,
    /// How, by the name that gRPC has for it, such as `OK`.
    pub code: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// What happened, in words.
    pub reason: Option<String>,
    /// The id of the execution that answered.
    pub execution: Option<String>,
}

impl Trigger {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::CatchUp => "catch-up",
            Self::Manual => "manual",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "catch-up" => Self::CatchUp,
            "manual" => Self::Manual,
            _ => Self::Schedule,
        }
    }
}

impl RunState {
    /// All that there are.
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Skipped,
        Self::Missed,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
        }
    }

    /// Whether nothing will change any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }

    pub(super) fn of(word: &str) -> Self {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == word);
        state.unwrap_or(Self::Failed)
    }
}

/// The next attempt of a run that is due whatever the clock shows: somebody asked for it.
pub(super) const AT_ONCE: i64 = 0;

const COLUMNS: &str = "scheduled, trigger, state, reason, ended";

impl Store {
    /// The latest `limit` runs of the job `name`, the newest first.
    ///
    /// # Errors
    /// If there is no such job, or the database fails.
    pub fn job_runs(&self, name: &JobName, limit: usize) -> Result<Vec<RunRecord>, StoreError> {
        let job = self.job(name)?.id;
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM job_runs WHERE job = ? ORDER BY scheduled DESC LIMIT ?"
        ))?;
        let rows = statement.query_map(params![job, limit as i64], run)?;
        let mut runs: Vec<RunRecord> = rows.collect::<Result<_, _>>()?;
        for run in &mut runs {
            let scheduled = run.scheduled;
            run.attempts = attempts(&connection, RunKey { job, scheduled })?;
        }
        Ok(runs)
    }

    /// The run of the job `name` that was due at `scheduled`, if there is one.
    ///
    /// # Errors
    /// If there is no such job, or the database fails.
    pub fn job_run(
        &self,
        name: &JobName,
        scheduled: Timestamp,
    ) -> Result<Option<RunRecord>, StoreError> {
        let job = self.job(name)?.id;
        let connection = self.connection();
        let found = connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM job_runs WHERE job = ? AND scheduled = ?"
            ))?
            .query_row(params![job, micros(scheduled)], run)
            .optional()?;
        let Some(mut run) = found else {
            return Ok(None);
        };
        run.attempts = attempts(&connection, RunKey { job, scheduled })?;
        Ok(Some(run))
    }

    /// Asks for a run of the job `name` at once, whatever else is going on, and tells its scheduled time.
    ///
    /// # Errors
    /// If there is no such job, or the database fails.
    pub fn request_run(&self, name: &JobName, now: Timestamp) -> Result<Timestamp, StoreError> {
        let job = self.job(name)?.id;
        let connection = self.connection();
        let mut scheduled = micros(now);
        let request =
            "INSERT OR IGNORE INTO job_runs (job, scheduled, trigger, state, next_attempt)
                       VALUES (?1, ?2, 'manual', 'waiting', ?3)";
        while connection.execute(request, params![job, scheduled, AT_ONCE])? == 0 {
            // Somebody else asked in the same microsecond.
            scheduled += 1;
        }
        self.note_change();
        Ok(time(scheduled))
    }
}

fn run(row: &Row<'_>) -> Result<RunRecord, rusqlite::Error> {
    Ok(RunRecord {
        scheduled: time(row.get(0)?),
        trigger: Trigger::of(&damage::text(row, 1)?),
        state: RunState::of(&damage::text(row, 2)?),
        reason: damage::optional_text(row, 3)?,
        ended: row.get::<_, Option<i64>>(4)?.map(time),
        attempts: Vec::new(),
    })
}

/// What was tried of a run.
pub(super) fn attempts(
    connection: &Connection,
    run: RunKey,
) -> Result<Vec<AttemptRecord>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "SELECT number, started, ended, code, status, reason, execution, took FROM job_attempts
         WHERE job = ? AND scheduled = ? ORDER BY number",
    )?;
    let rows = statement.query_map(params![run.job, micros(run.scheduled)], |row| {
        let ended: Option<i64> = row.get(2)?;
        let end = match ended {
            None => None,
            Some(ended) => Some(AttemptEnd {
                time: time(ended),
                took: row.get::<_, Option<i64>>(7)?.map(|took| {
                    // Never below zero, for nothing takes less.
                    Duration::from_micros(took.unsigned_abs())
                }),
                code: damage::optional_text(row, 3)?.unwrap_or_default(),
                status: row.get(4)?,
                reason: damage::optional_text(row, 5)?,
                execution: damage::optional_text(row, 6)?,
            }),
        };
        Ok(AttemptRecord {
            number: row.get(0)?,
            started: time(row.get(1)?),
            end,
        })
    })?;
    rows.collect()
}
