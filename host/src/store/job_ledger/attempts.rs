//! Attempts: which are due, how they begin and end, and what that does to their runs.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::super::job_runs::{AT_ONCE, attempts};
use super::super::jobs::{COLUMNS, micros, record, time};
use super::super::{AttemptEnd, AttemptRecord, JobId, JobRecord, RunKey, RunState, StoreError};
use super::JobLedger;

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

/// A run of which an attempt has just ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// All that was tried.
    pub attempts: Vec<AttemptRecord>,
    /// When it was tried first, by the clock as it is now.
    pub since: Timestamp,
    /// Whether its job is paused; not for a run that somebody asked for, which a pause is nothing to.
    pub is_paused: bool,
}

/// A run that is to be tried, by the order in which they are: the one that has waited longest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingRun {
    /// When it was to be tried, in microseconds.
    next_attempt: i64,
    /// Which one.
    pub key: RunKey,
}

impl JobLedger<'_> {
    /// Runs that are to be tried by `now`, in their order and after `after`; `limit` at most.
    ///
    /// # Errors
    /// If the database fails.
    pub fn pending_runs(
        &self,
        now: Timestamp,
        after: Option<PendingRun>,
        limit: usize,
    ) -> Result<Vec<PendingRun>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT next_attempt, job, scheduled FROM job_runs
             WHERE next_attempt <= ?1 AND (next_attempt, job, scheduled) > (?2, ?3, ?4)
             ORDER BY next_attempt, job, scheduled LIMIT ?5",
        )?;
        let (next_attempt, job, scheduled) = match after {
            None => (i64::MIN, JobId::MIN, i64::MIN),
            Some(PendingRun { next_attempt, key }) => {
                (next_attempt, key.job, micros(key.scheduled))
            }
        };
        let bounds = params![micros(now), next_attempt, job, scheduled, limit as i64];
        let rows = statement.query_map(bounds, |row| {
            Ok(PendingRun {
                next_attempt: row.get(0)?,
                key: RunKey {
                    job: row.get(1)?,
                    scheduled: time(row.get(2)?),
                },
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What there is to know of a run that is to be tried; `None` if there is no job that it could be reported under,
    /// or one without a name.
    ///
    /// # Errors
    /// If the database fails.
    pub fn due_run(&self, run: PendingRun) -> Result<Option<DueRun>, StoreError> {
        let PendingRun { next_attempt, key } = run;
        let job = self
            .0
            .prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?"))?
            .query_row([key.job], |row| Ok(record(row)))
            .optional()?;
        let job = match job {
            None | Some(Err(StoreError::Record(_))) => return Ok(None),
            Some(job) => job?,
        };
        let due = match next_attempt {
            AT_ONCE => key.scheduled,
            due => time(due),
        };
        let attempts = attempts(&self.0, key)?;
        Ok(Some(DueRun {
            key,
            job,
            due,
            attempts,
        }))
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
                "UPDATE job_runs SET state = 'running', next_attempt = NULL, since = ifnull(since, ?)
                 WHERE job = ? AND scheduled = ?",
            )?
            .execute(params![micros(now), run.job, micros(run.scheduled)])?;
        self.0
            .prepare_cached(
                "INSERT INTO job_attempts (job, scheduled, number, started) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![run.job, micros(run.scheduled), number, micros(now)])?;
        Ok(())
    }

    /// Notes what came of an attempt, and tells of its run; `None` if the job has been deleted meanwhile.
    ///
    /// # Errors
    /// If the database fails.
    pub fn end_attempt(
        &self,
        run: RunKey,
        number: u32,
        end: &AttemptEnd,
    ) -> Result<Option<Tried>, StoreError> {
        let scheduled = micros(run.scheduled);
        let known = self
            .0
            .prepare_cached(
                "UPDATE job_attempts SET ended = ?, took = ?, code = ?, status = ?, reason = ?, execution = ?
                 WHERE job = ? AND scheduled = ? AND number = ? AND ended IS NULL",
            )?
            .execute(params![
                micros(end.time),
                end.took.map(whole_micros),
                end.code,
                end.status,
                end.reason,
                end.execution,
                run.job,
                scheduled,
                number
            ])?;
        if known == 0 {
            return Ok(None);
        }
        let found: Option<(Option<i64>, bool)> = self
            .0
            .prepare_cached(
                "SELECT since, is_paused AND trigger <> 'manual' FROM job_runs JOIN jobs ON jobs.id = job_runs.job
                 WHERE job = ? AND scheduled = ?",
            )?
            .query_row(params![run.job, scheduled], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((since, is_paused)) = found else {
            return Ok(None);
        };
        Ok(Some(Tried {
            attempts: attempts(&self.0, run)?,
            since: since.map_or(end.time, time),
            is_paused,
        }))
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
                "UPDATE job_runs SET state = ?, reason = ?, ended = ?, next_attempt = NULL
                 WHERE job = ? AND scheduled = ?",
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
        self.forget_old(run.job, now)
    }

    /// Lets the run begin that has waited longest, though not before its time, if the clock was set back.
    fn release(&self, job: JobId, now: Timestamp) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "UPDATE job_runs SET next_attempt = max(?2, scheduled) WHERE job = ?1 AND scheduled =
                 (SELECT min(scheduled) FROM job_runs INDEXED BY job_runs_going
                  WHERE job = ?1 AND state IN ('waiting', 'running') AND state = 'waiting' AND next_attempt IS NULL)",
            )?
            .execute(params![job, micros(now)])?;
        Ok(())
    }

    /// Ends attempts that a host had under way when it ended, and has their runs tried again now. Tells how many.
    ///
    /// # Errors
    /// If the database fails.
    pub fn interrupt(&self, end: &AttemptEnd) -> Result<usize, StoreError> {
        self.0.execute(
            "UPDATE job_runs SET next_attempt = ?
             WHERE state IN ('waiting', 'running') AND state = 'running' AND next_attempt IS NULL",
            [micros(end.time)],
        )?;
        let interrupted = self.0.execute(
            "UPDATE job_attempts SET ended = ?, code = ?, reason = ? WHERE ended IS NULL",
            params![micros(end.time), end.code, end.reason],
        )?;
        Ok(interrupted)
    }
}

fn whole_micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
