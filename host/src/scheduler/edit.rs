//! Jobs are changed, paused and resumed, by commands or files, while a host may serve them.
//!
//! What was due before a change and had not been taken up is decided with it, so that it is neither lost nor run by other
//! rules than it was due by.

use jiff::{SignedDuration, Timestamp};

use super::Job;
use super::due::{GRACE, due};
use super::undecided::Undecided;
use crate::store::{
    CatchUp, JobDeclaration, JobLedger, JobName, JobRecord, JobSettings, PAUSED, RunKey, RunState,
    Span, Store, StoreError, Trigger,
};

/// Why a due time is missed that a change came before.
const CHANGED: &str = "the job was changed before this run began";
const LATE: &str = "no host served at that time, and the job was changed before one did";
/// The shortest time that the store tells apart.
const MOMENT: SignedDuration = SignedDuration::from_micros(1);

/// Pauses the job `name`: it is not due until it is resumed. Runs of it that wait end; attempts under way do not.
///
/// # Errors
/// If there is none, it is paused already, a file declares it, or the database fails.
pub fn pause(store: &Store, name: &JobName, now: Timestamp) -> Result<JobRecord, StoreError> {
    store.change_job(name, |ledger, record| {
        if record.is_paused {
            return Err(StoreError::Settings(format!(
                "the job `{name}` is PAUSED; expected ENABLED"
            )));
        }
        stop(ledger, record, now)
    })
}

/// Resumes the job `name`. What was due meanwhile is not caught up.
///
/// # Errors
/// If there is none, it is not paused, a file declares it, its settings cannot be read, or the database fails.
pub fn resume(store: &Store, name: &JobName, now: Timestamp) -> Result<JobRecord, StoreError> {
    store.change_job(name, |ledger, record| {
        if !record.is_paused {
            return Err(StoreError::Settings(format!(
                "the job `{name}` is ENABLED; expected PAUSED"
            )));
        }
        go_on(ledger, record, now)
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
    store.change_job(name, |ledger, record| {
        let settings = change(record.settings.clone()).map_err(StoreError::Settings)?;
        replace(ledger, record, settings, now)
    })
}

/// Has the store's declared jobs be `jobs`, all declared in `file`.
///
/// # Errors
/// If one has been created already, its settings make no job, or the database fails; then nothing is changed.
pub fn declare(
    store: &Store,
    file: &str,
    jobs: Vec<JobDeclaration>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let jobs = jobs.into_iter().map(|job| {
        let next_due = accept(&job.settings)?.schedule.next_after(now);
        Ok((job, next_due))
    });
    let jobs: Vec<_> = jobs.collect::<Result<_, StoreError>>()?;
    store.declare_jobs(file, &jobs, |ledger, record, job| {
        if record.settings != job.settings {
            replace(ledger, record, job.settings.clone(), now)?;
        }
        match (record.is_paused, job.is_paused) {
            (false, true) => stop(ledger, record, now),
            (true, false) => go_on(ledger, record, now),
            _ => Ok(()),
        }
    })
}

/// Pauses `record`.
fn stop(ledger: &JobLedger<'_>, record: &mut JobRecord, now: Timestamp) -> Result<(), StoreError> {
    close(ledger, record, now, (RunState::Skipped, PAUSED))?;
    ledger.tally(&ledger.end_waiting(record.id, now)?)?;
    (record.is_paused, record.next_due) = (true, None);
    Ok(())
}

/// Resumes `record`.
fn go_on(ledger: &JobLedger<'_>, record: &mut JobRecord, now: Timestamp) -> Result<(), StoreError> {
    let job = read(&record.settings)?;
    record.is_paused = false;
    record.next_due = pass_to(ledger, record, &job, now)?;
    Ok(())
}

/// Gives `record` other settings.
fn replace(
    ledger: &JobLedger<'_>,
    record: &mut JobRecord,
    settings: JobSettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    let job = accept(&settings)?;
    close(ledger, record, now, (RunState::Missed, CHANGED))?;
    record.settings = settings;
    if !record.is_paused {
        record.next_due = pass_to(ledger, record, &job, now)?;
    }
    Ok(())
}

/// Decides what was due of `record` by `now` and has not been taken up: what was due lately as `lately`, all before as missed.
fn close(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    now: Timestamp,
    lately: (RunState, &str),
) -> Result<(), StoreError> {
    let first = match record.next_due {
        Some(first) if first <= now => first,
        _ => return Ok(()),
    };
    let Ok(job) = Job::read(&record.settings) else {
        // It has no due times that anybody knows.
        return Ok(());
    };
    let undecided = Undecided::new(record.decided, ledger.passed_over(record.id)?);
    let parts = undecided.parts(first, now);
    let (times, _) = due(&job.schedule, &parts, now, CatchUp::None);
    let mut outcomes = Vec::with_capacity(times.len());
    for (scheduled, _) in times {
        let run = RunKey {
            job: record.id,
            scheduled,
        };
        let (state, reason) = match now.duration_since(scheduled) > GRACE {
            true => (RunState::Missed, LATE),
            false => lately,
        };
        if ledger.add_ended_run(run, Trigger::Schedule, state, reason, now)? {
            outcomes.push(state);
        }
    }
    ledger.tally(&outcomes)?;
    ledger.forget_old(record.id)
}

/// Passes over what `record` has undecided up to `now`, and tells when it is due next as `job`.
fn pass_to(
    ledger: &JobLedger<'_>,
    record: &mut JobRecord,
    job: &Job,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut undecided = Undecided::new(record.decided, ledger.passed_over(record.id)?);
    if let Some(decided) = record.decided.filter(|decided| *decided < now) {
        undecided.pass(Span {
            first: decided + MOMENT,
            last: now,
        });
        ledger.set_passed_over(record.id, undecided.passed())?;
        ledger.decide(record.id, now, None)?;
        record.decided = Some(now);
        undecided = Undecided::new(record.decided, undecided.passed().to_vec());
    }
    Ok(undecided.next_after(&job.schedule, now))
}

fn accept(settings: &JobSettings) -> Result<Job, StoreError> {
    Job::accept(settings).map_err(|error| StoreError::Settings(error.to_string()))
}

fn read(settings: &JobSettings) -> Result<Job, StoreError> {
    Job::read(settings).map_err(|error| StoreError::Settings(error.to_string()))
}
