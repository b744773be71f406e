//! What a pause does to runs that are not over.

use jiff::Timestamp;
use rusqlite::params;

use super::super::job_runs::attempts;
use super::super::jobs::{micros, time};
use super::super::{JobId, RunKey, RunState, StoreError};
use super::JobLedger;

/// Why a run did not begin.
pub(crate) const PAUSED: &str = "the job was paused";

impl JobLedger<'_> {
    /// Ends the runs of `job` that wait for their first attempt, as skipped, and those that wait for another, as failed.
    /// Attempts under way go on, and so do runs that somebody asked for. Tells how runs ended.
    ///
    /// # Errors
    /// If the database fails.
    pub fn end_waiting(&self, job: JobId, now: Timestamp) -> Result<Vec<RunState>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT scheduled FROM job_runs INDEXED BY job_runs_going WHERE job = ? AND state IN ('waiting', 'running')
             AND (state = 'waiting' OR next_attempt IS NOT NULL) AND trigger <> 'manual'",
        )?;
        let times = statement.query_map([job], |row| row.get(0))?;
        let times: Vec<i64> = times.collect::<Result<_, _>>()?;
        let mut end = self.0.prepare_cached(
            "UPDATE job_runs SET state = ?, reason = ?, ended = ?, next_attempt = NULL
             WHERE job = ? AND scheduled = ?",
        )?;
        let mut ended = Vec::with_capacity(times.len());
        for scheduled in times {
            let run = RunKey {
                job,
                scheduled: time(scheduled),
            };
            let last = attempts(&self.0, run)?.pop();
            let (state, reason) = match last.map(|last| last.end.and_then(|end| end.reason)) {
                None => (RunState::Skipped, PAUSED.to_owned()),
                Some(None) => (RunState::Failed, PAUSED.to_owned()),
                Some(Some(reason)) => (RunState::Failed, not_again(&reason)),
            };
            end.execute(params![state.as_str(), reason, micros(now), job, scheduled])?;
            ended.push(state);
        }
        if !ended.is_empty() {
            self.forget_old(job, now)?;
        }
        Ok(ended)
    }

    /// Jobs that are paused and have runs that are not over.
    ///
    /// # Errors
    /// If the database fails.
    pub fn paused_and_going(&self) -> Result<Vec<JobId>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT DISTINCT job FROM job_runs WHERE state IN ('waiting', 'running')
             AND job IN (SELECT id FROM jobs WHERE is_paused)",
        )?;
        let jobs = statement.query_map([], |row| row.get(0))?;
        Ok(jobs.collect::<Result<_, _>>()?)
    }
}

/// Why a run failed that a pause kept from being tried again.
pub(crate) fn not_again(reason: &str) -> String {
    format!("{reason}; not tried again, for {PAUSED}")
}
