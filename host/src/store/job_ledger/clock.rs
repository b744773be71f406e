//! What changes when the clock was set, and when a host starts.
//!
//! Due times are times of the clock that people set. Waits and retry durations are as long as they are, so what runs wait for
//! moves with the clock.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::super::job_runs::attempts;
use super::super::jobs::{COLUMN_COUNT, COLUMNS, micros, record, time};
use super::super::{AttemptRecord, JobRecord, RunKey, StoreError};
use super::JobLedger;

/// A run that waits for its next attempt after others have failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobWait {
    /// Which one.
    pub key: RunKey,
    /// Its job.
    pub job: JobRecord,
    /// What was tried.
    pub attempts: Vec<AttemptRecord>,
}

impl JobLedger<'_> {
    /// Moves what runs that were tried wait for, and since when they were tried, by `step`, as the clock was moved.
    ///
    /// # Errors
    /// If the database fails.
    pub fn shift_waits(&self, step: SignedDuration) -> Result<(), StoreError> {
        // Steps of a clock that has a date are far from the end of the type.
        let step = i64::try_from(step.as_micros()).unwrap_or(0);
        self.0.execute(
            "UPDATE job_runs SET since = since + ?1, next_attempt = next_attempt + ?1
             WHERE state IN ('waiting', 'running') AND since IS NOT NULL",
            [step],
        )?;
        Ok(())
    }

    /// Lowers to `now` what has been decided of due times. Runs that are due later and were not tried yet are removed: they are
    /// due when the clock shows their times again.
    ///
    /// # Errors
    /// If the database fails.
    pub fn lower_decided(&self, now: Timestamp) -> Result<(), StoreError> {
        self.0.execute(
            "UPDATE jobs SET decided = ?1, next_look = iif(is_paused, NULL, ?1) WHERE decided > ?1",
            [micros(now)],
        )?;
        self.0.execute(
            "DELETE FROM job_runs WHERE state IN ('waiting', 'running') AND state = 'waiting'
             AND scheduled > ? AND trigger <> 'manual'",
            [micros(now)],
        )?;
        self.0.execute(
            "UPDATE job_runs SET next_attempt = ?1 WHERE next_attempt > ?1 AND since IS NULL",
            [micros(now)],
        )?;
        Ok(())
    }

    /// Has all jobs that are not paused be looked at by `now`: zones may have other rules, and jobs that could not run may.
    ///
    /// # Errors
    /// If the database fails.
    pub fn look_at_all(&self, now: Timestamp) -> Result<(), StoreError> {
        self.0.execute(
            "UPDATE jobs SET next_look = ?1 WHERE NOT is_paused AND (next_look > ?1 OR next_look IS NULL)",
            [micros(now)],
        )?;
        Ok(())
    }

    /// Runs that wait for a time after `now` to be tried again.
    ///
    /// # Errors
    /// If the database fails.
    pub fn waits(&self, now: Timestamp) -> Result<Vec<JobWait>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS}, scheduled FROM job_runs JOIN jobs ON jobs.id = job_runs.job
             WHERE next_attempt > ? AND since IS NOT NULL"
        ))?;
        let mut rows = statement.query([micros(now)])?;
        let mut waits = Vec::new();
        while let Some(row) = rows.next()? {
            let job = match record(row) {
                Err(StoreError::Record(_)) => continue,
                job => job?,
            };
            let scheduled = time(row.get(COLUMN_COUNT)?);
            let key = RunKey {
                job: job.id,
                scheduled,
            };
            let attempts = attempts(&self.0, key)?;
            waits.push(JobWait { key, job, attempts });
        }
        Ok(waits)
    }

    /// Has a run wait until `latest` at most.
    ///
    /// # Errors
    /// If the database fails.
    pub fn cap_wait(&self, run: RunKey, latest: Timestamp) -> Result<(), StoreError> {
        self.0
            .prepare_cached(
                "UPDATE job_runs SET next_attempt = min(next_attempt, ?) WHERE job = ? AND scheduled = ?",
            )?
            .execute(params![micros(latest), run.job, micros(run.scheduled)])?;
        Ok(())
    }

    /// Has no run that is not over count from a time after `now`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn cap_since(&self, now: Timestamp) -> Result<(), StoreError> {
        self.0.execute(
            "UPDATE job_runs SET since = ?1 WHERE state IN ('waiting', 'running') AND since > ?1",
            [micros(now)],
        )?;
        Ok(())
    }
}
