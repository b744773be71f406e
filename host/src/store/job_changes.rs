//! Changes of jobs that the scheduler has not taken up yet.
//!
//! A command that creates or changes a job adds a row here, with the schedule that the job had before. The scheduler's next
//! round decides what was due by that schedule until the change, and removes the row.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::damage;
use super::jobs::{COLUMNS, micros, record, time};
use super::{JobBatch, JobId, JobLedger, JobSettings, StoreError};

/// A change of a job that the scheduler has not taken up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobChange {
    /// When it was made.
    pub time: Timestamp,
    /// What the job was due by until then; `None` if it was new or paused.
    pub was_due_by: Option<DueBy>,
    /// Whether it paused the job.
    pub is_pause: bool,
}

/// What a job is due by, as its settings have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueBy {
    /// The schedule.
    pub schedule: String,
    /// The name of the time zone that the schedule is read in.
    pub time_zone: String,
}

/// Adds a change of `job` that was made at `changed`. `was_due_by` is what the job was due by until then.
pub(super) fn note_change(
    connection: &Connection,
    job: JobId,
    was_due_by: Option<&JobSettings>,
    is_pause: bool,
    changed: Timestamp,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO job_changes (job, changed, schedule, time_zone, is_pause) VALUES (?, ?, ?, ?, ?)",
        params![
            job,
            micros(changed),
            was_due_by.map(|settings| &settings.schedule),
            was_due_by.map(|settings| &settings.time_zone),
            is_pause
        ],
    )?;
    Ok(())
}

impl JobLedger<'_> {
    /// Jobs with changes that have not been taken up, `limit` at most. The changes of those whose name cannot be read are
    /// removed.
    ///
    /// # Errors
    /// If the database fails.
    pub fn changed_jobs(&self, limit: usize) -> Result<JobBatch, StoreError> {
        let mut statement = self.0.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE id IN (SELECT DISTINCT job FROM job_changes LIMIT ?)"
        ))?;
        let rows = statement.query_map([limit as i64], |row| Ok((row.get(0)?, record(row))))?;
        let (jobs, unnamed) = damage::told_apart(rows)?;
        for job in &unnamed {
            self.forget_changes(*job)?;
        }
        let read = jobs.len() + unnamed.len();
        Ok(JobBatch { jobs, read })
    }

    /// Removes the changes of `job` that have not been taken up, and returns them, the oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub fn take_changes(&self, job: JobId) -> Result<Vec<JobChange>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT changed, schedule, time_zone, is_pause FROM job_changes WHERE job = ? ORDER BY number",
        )?;
        let changes = statement.query_map([job], |row| {
            let schedule = damage::optional_text(row, 1)?;
            let by = schedule.zip(damage::optional_text(row, 2)?);
            Ok(JobChange {
                time: time(row.get(0)?),
                was_due_by: by.map(|(schedule, time_zone)| DueBy {
                    schedule,
                    time_zone,
                }),
                is_pause: row.get(3)?,
            })
        })?;
        let changes = changes.collect::<Result<_, _>>()?;
        self.forget_changes(job)?;
        Ok(changes)
    }

    fn forget_changes(&self, job: JobId) -> Result<(), StoreError> {
        self.0
            .prepare_cached("DELETE FROM job_changes WHERE job = ?")?
            .execute([job])?;
        Ok(())
    }
}
