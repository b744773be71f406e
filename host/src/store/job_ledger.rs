//! Runs of jobs and their attempts, as the host that serves writes them.
//!
//! All that belongs together is written in one transaction, so that a crash leaves all of it or nothing. Which time a job
//! is due next, which run is tried when, and which attempt is under way stand here and nowhere else: a host that starts
//! goes on from what it finds.

mod attempts;
mod clock;
mod pauses;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::damage;
use super::jobs::{COLUMNS, micros, record, time};
use super::{JobId, JobRecord, RunKey, RunState, Store, StoreError, Trigger};
pub use attempts::{DueRun, PendingRun, Tried};
pub use clock::JobWait;
pub(crate) use pauses::{PAUSED, not_again};

/// How many runs of a job are kept once they are over.
pub const KEPT_RUNS: usize = 100;

/// What is being written.
#[derive(Debug)]
pub struct JobLedger<'a>(pub(super) Transaction<'a>);

/// Jobs that were read at once.
#[derive(Clone, Debug, PartialEq)]
pub struct JobBatch {
    /// Those whose name can be read.
    pub jobs: Vec<JobRecord>,
    /// How many there are with those whose name cannot be read.
    pub read: usize,
}

/// How many runs of a job are not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Going {
    /// Those that are tried, or will be tried again.
    pub running: u32,
    /// Those that wait for another to end.
    pub waiting: u32,
}

/// When there is something to do next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextTimes {
    /// A job is to be looked at, most often because it is due.
    pub look: Option<Timestamp>,
    /// A run is to be tried.
    pub attempt: Option<Timestamp>,
}

impl NextTimes {
    /// The earlier of the two.
    pub fn first(self) -> Option<Timestamp> {
        self.look.into_iter().chain(self.attempt).min()
    }
}

impl Store {
    /// Lets `write` write. What it fails at is not done.
    ///
    /// # Errors
    /// What `write` says, or if the database fails.
    pub fn write_jobs<T>(
        &self,
        write: impl FnOnce(&JobLedger<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let ledger = JobLedger(transaction);
        let written = write(&ledger)?;
        ledger.0.commit()?;
        Ok(written)
    }

    /// When there is something to do after `now`. What could not begin by `now` waits for a permit, and not for a time.
    ///
    /// # Errors
    /// If the database fails.
    pub fn next_job_times(&self, now: Timestamp) -> Result<NextTimes, StoreError> {
        let next = self
            .connection()
            .prepare_cached(
                "SELECT (SELECT min(next_look) FROM jobs WHERE next_look > ?1),
                 (SELECT min(next_attempt) FROM job_runs WHERE next_attempt > ?1)",
            )?
            .query_row([micros(now)], |row| {
                Ok(NextTimes {
                    look: row.get::<_, Option<i64>>(0)?.map(time),
                    attempt: row.get::<_, Option<i64>>(1)?.map(time),
                })
            })?;
        Ok(next)
    }
}

impl JobLedger<'_> {
    /// Jobs that are to be looked at by `now`, `limit` at most, those first that have waited longest. Those whose name cannot
    /// be read are not looked at again before the next start.
    ///
    /// # Errors
    /// If the database fails.
    pub fn due_jobs(&self, now: Timestamp, limit: usize) -> Result<JobBatch, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE next_look <= ? ORDER BY next_look LIMIT ?"
        ))?;
        let rows = statement.query_map(params![micros(now), limit as i64], |row| {
            Ok((row.get(0)?, record(row)))
        })?;
        let (jobs, unnamed) = damage::told_apart(rows)?;
        for job in &unnamed {
            self.0
                .prepare_cached("UPDATE jobs SET next_look = NULL WHERE id = ?")?
                .execute([job])?;
        }
        let read = jobs.len() + unnamed.len();
        Ok(JobBatch { jobs, read })
    }

    /// Notes up to when the due times of `job` have been decided, the first one after that, and when the job is looked at next.
    ///
    /// # Errors
    /// If the database fails.
    pub fn decide(
        &self,
        job: JobId,
        decided: Timestamp,
        next_due: Option<Timestamp>,
        next_look: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "UPDATE jobs SET decided = ?, next_due = ?, next_look = ? WHERE id = ?",
            )?
            .execute(params![
                micros(decided),
                next_due.map(micros),
                next_look.map(micros),
                job
            ])?;
        Ok(())
    }

    /// How many runs of `job` are not over.
    ///
    /// # Errors
    /// If the database fails.
    pub fn going(&self, job: JobId) -> Result<Going, StoreError> {
        let going = self
            .0
            .prepare_cached(
                "SELECT count(*) FILTER (WHERE state = 'running' OR next_attempt IS NOT NULL),
                 count(*) FILTER (WHERE state = 'waiting' AND next_attempt IS NULL)
                 FROM job_runs INDEXED BY job_runs_going WHERE job = ? AND state IN ('waiting', 'running')",
            )?
            .query_row([job], |row| {
                Ok(Going {
                    running: row.get(0)?,
                    waiting: row.get(1)?,
                })
            })?;
        Ok(going)
    }

    /// Keeps a run that is tried at `next_attempt`, or that waits for another to end. False if one was made for this time. One
    /// that was missed or skipped, before the clock was set back, was not made.
    ///
    /// # Errors
    /// If the database fails.
    pub fn add_run(
        &self,
        run: RunKey,
        trigger: Trigger,
        next_attempt: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let added = self
            .0
            .prepare_cached(
                "INSERT INTO job_runs (job, scheduled, trigger, state, next_attempt)
                 VALUES (?, ?, ?, 'waiting', ?)
                 ON CONFLICT (job, scheduled) DO UPDATE SET trigger = excluded.trigger, state = 'waiting',
                 next_attempt = excluded.next_attempt, reason = NULL, ended = NULL
                 WHERE job_runs.state IN ('missed', 'skipped')",
            )?
            .execute(params![
                run.job,
                micros(run.scheduled),
                trigger.as_str(),
                next_attempt.map(micros)
            ])?;
        Ok(added == 1)
    }

    /// Keeps a run that is over before it began. False if there is one for this time.
    ///
    /// # Errors
    /// If the database fails.
    pub fn add_ended_run(
        &self,
        run: RunKey,
        trigger: Trigger,
        state: RunState,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let added = self
            .0
            .prepare_cached(
                "INSERT OR IGNORE INTO job_runs (job, scheduled, trigger, state, reason, ended)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                run.job,
                micros(run.scheduled),
                trigger.as_str(),
                state.as_str(),
                reason,
                micros(now)
            ])?;
        Ok(added == 1)
    }

    /// Forgets the runs of `job` that are over, but for the latest by `now`. Later ones, which a clock that was set back has
    /// yet to show again, stay until then: their times must not come twice.
    ///
    /// # Errors
    /// If the database fails.
    pub fn forget_old(&self, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        let oldest: Option<i64> = self
            .0
            .prepare_cached(
                "SELECT scheduled FROM job_runs
                 WHERE job = ? AND scheduled <= ? AND state NOT IN ('waiting', 'running')
                 ORDER BY scheduled DESC LIMIT 1 OFFSET ?",
            )?
            .query_row(params![job, micros(now), KEPT_RUNS as i64 - 1], |row| {
                row.get(0)
            })
            .optional()?;
        if let Some(oldest) = oldest {
            self.0
                .prepare_cached(
                    "DELETE FROM job_runs WHERE job = ? AND scheduled < ? AND state NOT IN ('waiting', 'running')",
                )?
                .execute(params![job, oldest])?;
        }
        Ok(())
    }
}
