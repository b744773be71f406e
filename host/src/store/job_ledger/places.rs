//! Runs that wait for a place: they are due, but too many attempts of their kind are under way.
//!
//! They are marked with the name of what they wait for, so that nobody has to go through them again and again to find
//! those behind them.

use rusqlite::params;

use super::super::jobs::micros;
use super::super::{RunKey, StoreError};
use super::JobLedger;

impl JobLedger<'_> {
    /// Has a run wait until there is a place with `keeper`.
    ///
    /// # Errors
    /// If the database fails.
    pub fn park(&self, run: RunKey, keeper: &str) -> Result<(), StoreError> {
        self.0
            .prepare_cached("UPDATE job_runs SET parked = ? WHERE job = ? AND scheduled = ?")?
            .execute(params![keeper, run.job, micros(run.scheduled)])?;
        Ok(())
    }

    /// Has runs wait no longer that wait for `keeper`, those first that have waited longest; `most` at most. Tells how many.
    ///
    /// # Errors
    /// If the database fails.
    pub fn unpark(&self, keeper: &str, most: usize) -> Result<usize, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT job, scheduled FROM job_runs WHERE parked = ? ORDER BY next_attempt LIMIT ?",
        )?;
        let rows = statement.query_map(params![keeper, most as i64], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let runs: Vec<(i64, i64)> = rows.collect::<Result<_, _>>()?;
        let mut unpark = self
            .0
            .prepare_cached("UPDATE job_runs SET parked = NULL WHERE job = ? AND scheduled = ?")?;
        for (job, scheduled) in &runs {
            unpark.execute([job, scheduled])?;
        }
        Ok(runs.len())
    }

    /// Has no run wait for a place: a host that starts has places for all.
    ///
    /// # Errors
    /// If the database fails.
    pub fn unpark_all(&self) -> Result<(), StoreError> {
        self.0.execute(
            "UPDATE job_runs SET parked = NULL WHERE parked IS NOT NULL",
            [],
        )?;
        Ok(())
    }
}
