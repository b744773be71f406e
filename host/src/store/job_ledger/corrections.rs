//! What is put right when the clock was set.
//!
//! Of each job it is known up to which time its due times have been decided (`decided`), and which spans of that time were
//! passed over with nothing tried. A clock that is set back shows times again: those in such a span are due then, and all
//! others are done. History cannot tell that, for it has a bound.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::super::damage;
use super::super::job_runs::attempts;
use super::super::jobs::{COLUMN_COUNT, COLUMNS, micros, record, time};
use super::super::{AttemptRecord, JobId, JobRecord, RunKey, StoreError};
use super::JobLedger;

/// How many spans are kept of a job; more than a job has runs in its history.
const MOST_SPANS: usize = 256;

/// A span of time, with its first and its last moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub first: Timestamp,
    /// Its last moment.
    pub last: Timestamp,
}

/// A run that waits for its next attempt.
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
    /// The spans of `job` whose due times were passed over, in their order.
    ///
    /// # Errors
    /// If the database fails.
    pub fn passed_over(&self, job: JobId) -> Result<Vec<Span>, StoreError> {
        let mut statement = self
            .0
            .prepare_cached("SELECT first, last FROM job_spans WHERE job = ? ORDER BY first")?;
        let spans = statement.query_map([job], |row| {
            Ok(Span {
                first: time(row.get(0)?),
                last: time(row.get(1)?),
            })
        })?;
        Ok(spans.collect::<Result<_, _>>()?)
    }

    /// Keeps `spans` in the place of those that `job` had. Of too many the latest are kept.
    ///
    /// # Errors
    /// If the database fails.
    pub fn set_passed_over(&self, job: JobId, spans: &[Span]) -> Result<(), StoreError> {
        self.0
            .prepare_cached("DELETE FROM job_spans WHERE job = ?")?
            .execute([job])?;
        let mut insert = self
            .0
            .prepare_cached("INSERT INTO job_spans (job, first, last) VALUES (?, ?, ?)")?;
        for span in &spans[spans.len().saturating_sub(MOST_SPANS)..] {
            insert.execute(params![job, micros(span.first), micros(span.last)])?;
        }
        Ok(())
    }

    /// Forgets the runs of `job` that are due after `after` and of which nothing was tried, and those that were missed after
    /// `missed_after`, which is no later, and tells their times. Those that somebody asked for are no such runs.
    ///
    /// # Errors
    /// If the database fails.
    pub fn retract(
        &self,
        job: JobId,
        after: Timestamp,
        missed_after: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "DELETE FROM job_runs WHERE job = ?1 AND scheduled > ?3 AND (scheduled > ?2 OR state = 'missed')
             AND state <> 'running' AND trigger <> 'manual'
             AND NOT EXISTS (SELECT 1 FROM job_attempts
                 WHERE job_attempts.job = job_runs.job AND job_attempts.scheduled = job_runs.scheduled)
             RETURNING scheduled",
        )?;
        let times = statement
            .query_map(params![job, micros(after), micros(missed_after)], |row| {
                row.get(0)
            })?;
        let mut times: Vec<i64> = times.collect::<Result<_, _>>()?;
        times.sort_unstable();
        Ok(times.into_iter().map(time).collect())
    }

    /// Jobs with runs that wait for their first attempt and are due after `now`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn early_jobs(&self, now: Timestamp) -> Result<Vec<JobRecord>, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE id IN (SELECT job FROM job_runs
             WHERE state IN ('waiting', 'running') AND state = 'waiting' AND scheduled > ? AND trigger <> 'manual')"
        ))?;
        let jobs = statement.query_map([micros(now)], |row| Ok(record(row)))?;
        damage::named(jobs)
    }

    /// Moves what runs that were tried wait for and count from by `step`, as the clock was moved: a wait takes as long as it
    /// was to take.
    ///
    /// # Errors
    /// If the database fails.
    pub fn shift(&self, step: SignedDuration) -> Result<(), StoreError> {
        // Steps of a clock that has a date are far from the end of the type.
        let step = i64::try_from(step.as_micros()).unwrap_or(0);
        self.0.execute(
            "UPDATE job_runs SET since = since + ?1, next_attempt = next_attempt + ?1
             WHERE state IN ('waiting', 'running') AND since IS NOT NULL",
            [step],
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
             WHERE next_attempt > ? AND parked IS NULL"
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

    /// Has no run wait for longer than until `latest`.
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
