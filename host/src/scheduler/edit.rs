//! What commands and files want of jobs: settings, pauses, new jobs.
//!
//! This writes what is wanted. The scheduler's next round decides what follows from it for due times and runs, at once if a host
//! serves, and else when one starts.

use jiff::Timestamp;

use super::Job;
use crate::store::{JobDeclaration, JobName, JobRecord, JobSettings, Store, StoreError};

/// The first due time of `record` that has not been decided; `None` if it is paused, cannot run, or never comes again.
pub fn next_due(record: &JobRecord) -> Option<Timestamp> {
    let job = Job::read(&record.settings)
        .ok()
        .filter(|_| !record.is_paused)?;
    match record.changed {
        None => record.next_due,
        // As the next round will work it out.
        changed => job.schedule.next_after(changed.max(record.decided)?),
    }
}

/// Pauses the job `name`: it is not due until it is resumed. Runs of it that wait end; attempts under way do not.
///
/// # Errors
/// If there is none, it is paused already, a file declares it, or the database fails.
pub fn pause(store: &Store, name: &JobName, now: Timestamp) -> Result<JobRecord, StoreError> {
    store.change_job(name, now, |record| {
        if record.is_paused {
            return Err(StoreError::Settings(format!(
                "the job `{name}` is PAUSED; expected ENABLED"
            )));
        }
        record.is_paused = true;
        Ok(())
    })
}

/// Resumes the job `name`. What was due meanwhile is not caught up.
///
/// # Errors
/// If there is none, it is not paused, a file declares it, its settings cannot be read, or the database fails.
pub fn resume(store: &Store, name: &JobName, now: Timestamp) -> Result<JobRecord, StoreError> {
    store.change_job(name, now, |record| {
        if !record.is_paused {
            return Err(StoreError::Settings(format!(
                "the job `{name}` is ENABLED; expected PAUSED"
            )));
        }
        Job::read(&record.settings).map_err(|error| StoreError::Settings(error.to_string()))?;
        record.is_paused = false;
        Ok(())
    })
}

/// Gives the job `name` the settings that `change` makes of those it has. What was due before is not caught up.
///
/// # Errors
/// If there is none, `change` refuses, the settings make no job, a file declares it, or the database fails.
pub fn update(
    store: &Store,
    name: &JobName,
    now: Timestamp,
    change: impl FnOnce(JobSettings) -> Result<JobSettings, String>,
) -> Result<JobRecord, StoreError> {
    store.change_job(name, now, |record| {
        record.settings = change(record.settings.clone()).map_err(StoreError::Settings)?;
        accept(&record.settings)
    })
}

/// Makes the store's declared jobs those in `jobs`, all declared in `file`.
///
/// # Errors
/// If one has been created already, its settings make no job, or the database fails; then nothing is changed.
pub fn declare(
    store: &Store,
    file: &str,
    jobs: &[JobDeclaration],
    now: Timestamp,
) -> Result<(), StoreError> {
    for job in jobs {
        accept(&job.settings)?;
    }
    store.declare_jobs(file, jobs, now)
}

fn accept(settings: &JobSettings) -> Result<(), StoreError> {
    match Job::accept(settings) {
        Ok(_) => Ok(()),
        Err(error) => Err(StoreError::Settings(error.to_string())),
    }
}
