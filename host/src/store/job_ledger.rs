//! Runs of jobs and their attempts, as the host that serves writes them.
//!
//! All that belongs together is written in one transaction, so that a crash leaves all of it or nothing. Which time a job
//! is due next, which run is tried when, and which attempt is under way stand here and nowhere else: a host that starts
//! goes on from what it finds.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::job_runs::attempts;
use super::jobs::{COLUMN_COUNT, COLUMNS, micros, record, time};
use super::{
    AttemptEnd, AttemptRecord, JobId, JobRecord, RunKey, RunState, Store, StoreError, Trigger,
};

/// How many runs of a job are kept once they are over.
pub const KEPT_RUNS: usize = 100;

/// What is being written.
#[derive(Debug)]
pub struct JobLedger<'a>(Transaction<'a>);

/// How many runs of a job are not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Going {
    /// Those that are tried, or will be tried again.
    pub running: u32,
    /// Those that wait for another to end.
    pub waiting: u32,
}

/// A run that is to be tried now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRun {
    /// Which one.
    pub key: RunKey,
    /// Its job.
    pub job: JobRecord,
    /// When it was to be tried.
    pub due: Timestamp,
    /// What was tried before.
    pub attempts: Vec<AttemptRecord>,
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

    /// When there is something to do next: a job is due, or a run is to be tried.
    ///
    /// # Errors
    /// If the database fails.
    pub fn next_job_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let next: Option<i64> = self
            .connection()
            .prepare_cached(
                "SELECT min(next) FROM (SELECT min(next_due) AS next FROM jobs
                 UNION ALL SELECT min(next_attempt) FROM job_runs WHERE next_attempt IS NOT NULL)",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(next.map(time))
    }
}

impl JobLedger<'_> {
    /// Jobs that are due by `now`, those first that have waited longest; `limit` at most.
    ///
    /// # Errors
    /// If the database fails.
    pub fn due_jobs(&self, now: Timestamp, limit: usize) -> Result<Vec<JobRecord>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE next_due <= ? ORDER BY next_due LIMIT ?"
        ))?;
        let rows =
            statement.query_map(params![micros(now), limit as i64], |row| Ok(record(row)))?;
        rows.map(|row| row?).collect()
    }

    /// Notes when `job` is due next.
    ///
    /// # Errors
    /// If the database fails.
    pub fn set_next_due(&self, job: JobId, next: Option<Timestamp>) -> Result<(), StoreError> {
        self.0
            .prepare_cached("UPDATE jobs SET next_due = ? WHERE id = ?")?
            .execute(params![next.map(micros), job])?;
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

    /// Keeps a run that is tried at `next_attempt`, or that waits for another to end. False if there is one for this time.
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
                "INSERT OR IGNORE INTO job_runs (job, scheduled, trigger, state, next_attempt)
                 VALUES (?, ?, ?, 'waiting', ?)",
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

    /// Runs that are to be tried by `now`, those first that have waited longest; `limit` at most.
    ///
    /// # Errors
    /// If the database fails.
    pub fn due_runs(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRun>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS}, scheduled, next_attempt FROM job_runs JOIN jobs ON jobs.id = job_runs.job
             WHERE next_attempt <= ? ORDER BY next_attempt LIMIT ?"
        ))?;
        let mut rows = statement.query(params![micros(now), limit as i64])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            let job = record(row)?;
            let scheduled = time(row.get(COLUMN_COUNT)?);
            let key = RunKey {
                job: job.id,
                scheduled,
            };
            runs.push(DueRun {
                key,
                job,
                due: time(row.get(COLUMN_COUNT + 1)?),
                attempts: attempts(&self.0, key)?,
            });
        }
        Ok(runs)
    }

    /// Notes that an attempt begins.
    ///
    /// # Errors
    /// If the database fails.
    pub fn begin_attempt(
        &self,
        run: RunKey,
        number: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "UPDATE job_runs SET state = 'running', next_attempt = NULL WHERE job = ? AND scheduled = ?",
            )?
            .execute(params![run.job, micros(run.scheduled)])?;
        self.0
            .prepare_cached(
                "INSERT INTO job_attempts (job, scheduled, number, started) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![run.job, micros(run.scheduled), number, micros(now)])?;
        Ok(())
    }

    /// Notes what came of an attempt, and tells all attempts of its run; `None` if the job has been deleted meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub fn end_attempt(
        &self,
        run: RunKey,
        number: u32,
        end: &AttemptEnd,
    ) -> Result<Option<Vec<AttemptRecord>>, StoreError> {
        let known = self
            .0
            .prepare_cached(
                "UPDATE job_attempts SET ended = ?, code = ?, status = ?, reason = ?, execution = ?
                 WHERE job = ? AND scheduled = ? AND number = ? AND ended IS NULL",
            )?
            .execute(params![
                micros(end.time),
                end.code,
                end.status,
                end.reason,
                end.execution,
                run.job,
                micros(run.scheduled),
                number
            ])?;
        if known == 0 {
            return Ok(None);
        }
        Ok(Some(attempts(&self.0, run)?))
    }

    /// Has a run tried again at `time`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn retry(&self, run: RunKey, time: Timestamp) -> Result<(), StoreError> {
        self.0
            .prepare_cached("UPDATE job_runs SET next_attempt = ? WHERE job = ? AND scheduled = ?")?
            .execute(params![micros(time), run.job, micros(run.scheduled)])?;
        Ok(())
    }

    /// Ends a run, begins the one that waited for it, and forgets what is older than the history that is kept.
    ///
    /// # Errors
    /// If the database fails.
    pub fn end_run(
        &self,
        run: RunKey,
        state: RunState,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "UPDATE job_runs SET state = ?, reason = ?, ended = ?, next_attempt = NULL WHERE job = ? AND scheduled = ?",
            )?
            .execute(params![
                state.as_str(),
                reason,
                micros(now),
                run.job,
                micros(run.scheduled)
            ])?;
        if self.going(run.job)?.running == 0 {
            self.release(run.job, now)?;
        }
        self.forget_old(run.job)
    }

    /// Lets the run begin that has waited longest.
    fn release(&self, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "UPDATE job_runs SET next_attempt = ?2 WHERE job = ?1 AND scheduled =
                 (SELECT min(scheduled) FROM job_runs INDEXED BY job_runs_going
                  WHERE job = ?1 AND state IN ('waiting', 'running') AND state = 'waiting' AND next_attempt IS NULL)",
            )?
            .execute(params![job, micros(now)])?;
        Ok(())
    }

    /// Forgets the runs of `job` that are over, but for the latest.
    ///
    /// # Errors
    /// If the database fails.
    pub fn forget_old(&self, job: JobId) -> Result<(), StoreError> {
        let oldest: Option<i64> = self
            .0
            .prepare_cached(
                "SELECT scheduled FROM job_runs WHERE job = ? AND state NOT IN ('waiting', 'running')
                 ORDER BY scheduled DESC LIMIT 1 OFFSET ?",
            )?
            .query_row(params![job, KEPT_RUNS as i64 - 1], |row| row.get(0))
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

    /// Ends attempts that a host had under way when it ended, and has their runs tried again now. Tells how many.
    ///
    /// # Errors
    /// If the database fails.
    pub fn interrupt(&self, end: &AttemptEnd) -> Result<usize, StoreError> {
        self.0.execute(
            "UPDATE job_runs SET next_attempt = ? WHERE state = 'running' AND next_attempt IS NULL",
            [micros(end.time)],
        )?;
        let interrupted = self.0.execute(
            "UPDATE job_attempts SET ended = ?, code = ?, reason = ? WHERE ended IS NULL",
            params![micros(end.time), end.code, end.reason],
        )?;
        Ok(interrupted)
    }

    /// Jobs that are due after `now` and whose id is greater than `last`, by id; `limit` at most.
    ///
    /// # Errors
    /// If the database fails.
    pub fn later_jobs(
        &self,
        now: Timestamp,
        last: JobId,
        limit: usize,
    ) -> Result<Vec<JobRecord>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE id > ? AND next_due > ? ORDER BY id LIMIT ?"
        ))?;
        let rows = statement.query_map(params![last, micros(now), limit as i64], |row| {
            Ok(record(row))
        })?;
        rows.map(|row| row?).collect()
    }
}
