//! One round of the scheduler: what has ended is written down, what is due is claimed, what is to be tried begins.
//!
//! A round is one transaction of the store, and has the time as a parameter. All that it goes by stands in the store, so
//! that a round after a crash is a round like any other.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::due::{Admission, Verdict, admit, due};
use super::retry::Retry;
use super::{Job, Schedule};
use crate::store::{
    AttemptEnd, AttemptRecord, DueRun, JobId, JobLedger, JobName, JobRecord, RunKey, RunState,
    Store, StoreError, Trigger,
};

/// How many jobs are claimed in one round.
const BATCH: usize = 1_000;
/// When a job whose record cannot be read is looked at again.
const LATER: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// An attempt that begins.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) run: RunKey,
    pub(super) number: u32,
    pub(super) name: JobName,
    pub(super) job: Arc<Job>,
    /// When it should have begun.
    pub(super) due: Timestamp,
}

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) run: RunKey,
    pub(super) number: u32,
    pub(super) retry: Retry,
    pub(super) end: AttemptEnd,
}

/// What a round has come to.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) starts: Vec<Start>,
    /// How runs ended.
    pub(super) outcomes: Vec<RunState>,
    /// Jobs whose record cannot be read, and why.
    pub(super) unreadable: Vec<(JobName, String)>,
    /// Whether more is due by now than one round takes.
    pub(super) has_more: bool,
}

/// How a success is called.
pub(super) const OK: &str = "OK";
/// How an attempt is called that the host's own end cut short.
pub(super) const ABORTED: &str = "ABORTED";

/// Plays a round at `now`, with room for `places` attempts more. If it fails nothing of it has happened.
pub(super) fn play(
    store: &Store,
    ended: &[Ended],
    now: Timestamp,
    places: usize,
) -> Result<Round, StoreError> {
    store.write_jobs(|ledger| {
        let mut round = Round::default();
        for ended in ended {
            settle(ledger, ended, &mut round)?;
        }
        let jobs = ledger.due_jobs(now, BATCH)?;
        round.has_more = jobs.len() == BATCH;
        let mut read = HashMap::with_capacity(jobs.len());
        for record in &jobs {
            if let Some(job) = claim(ledger, record, now, &mut round)? {
                read.insert(record.id, job);
            }
        }
        let runs = ledger.due_runs(now, places.min(BATCH))?;
        round.has_more |= runs.len() == BATCH;
        for run in runs {
            let job = read.get(&run.key.job).cloned();
            begin(ledger, run, job, now, &mut round)?;
        }
        Ok(round)
    })
}

/// Writes down how attempts ended, and begins nothing.
pub(super) fn write_down(store: &Store, ended: &[Ended]) -> Result<(), StoreError> {
    store.write_jobs(|ledger| {
        let mut round = Round::default();
        for ended in ended {
            settle(ledger, ended, &mut round)?;
        }
        Ok(())
    })
}

/// Goes on after a start: attempts that were under way have come to nothing. Tells how many there were.
pub(super) fn recover(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    store.write_jobs(|ledger| {
        ledger.interrupt(&AttemptEnd {
            time: now,
            code: ABORTED.into(),
            status: None,
            reason: Some("the host ended during the attempt".into()),
            execution: None,
        })
    })
}

/// Works out anew when jobs are due next, for the clock went back or zones have other rules now; as many as one round takes,
/// those after `last`. Tells the last of them, or that there are no more. A time that has been run is not run again.
pub(super) fn resync(
    store: &Store,
    last: JobId,
    now: Timestamp,
) -> Result<Option<JobId>, StoreError> {
    store.write_jobs(|ledger| resync_page(ledger, last, now))
}

fn resync_page(
    ledger: &JobLedger<'_>,
    last: JobId,
    now: Timestamp,
) -> Result<Option<JobId>, StoreError> {
    let records = ledger.later_jobs(now, last, BATCH)?;
    for record in &records {
        let Ok(schedule) = Schedule::parse(&record.settings.schedule, &record.settings.time_zone)
        else {
            // It is told when it is due.
            continue;
        };
        let next = schedule.next_after(now);
        if next != record.next_due {
            ledger.set_next_due(record.id, next)?;
        }
    }
    Ok(records.last().map(|record| record.id))
}

/// Writes down how an attempt ended, and what follows from it.
fn settle(ledger: &JobLedger<'_>, ended: &Ended, round: &mut Round) -> Result<(), StoreError> {
    let Ended {
        run, number, end, ..
    } = ended;
    let Some(attempts) = ledger.end_attempt(*run, *number, end)? else {
        return Ok(());
    };
    if end.code == OK {
        round.outcomes.push(RunState::Succeeded);
        return ledger.end_run(*run, RunState::Succeeded, None, end.time);
    }
    if end.code == ABORTED {
        return ledger.retry(*run, end.time);
    }
    let first = attempts.first().map_or(end.time, |attempt| attempt.started);
    match ended.retry.next(failures(&attempts), first, end.time) {
        Some(time) => ledger.retry(*run, time),
        None => {
            round.outcomes.push(RunState::Failed);
            ledger.end_run(*run, RunState::Failed, end.reason.as_deref(), end.time)
        }
    }
}

/// Attempts that failed by themselves.
fn failures(attempts: &[AttemptRecord]) -> u32 {
    let failed = attempts.iter().filter(|attempt| {
        let end = attempt.end.as_ref();
        end.is_some_and(|end| end.code != OK && end.code != ABORTED)
    });
    // Retries are few.
    failed.count() as u32
}

/// Makes runs of the times at which `record` was due by `now`. Tells what it is, if it can be read.
fn claim(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    now: Timestamp,
    round: &mut Round,
) -> Result<Option<Arc<Job>>, StoreError> {
    let job = match Job::read(&record.settings) {
        Ok(job) => Arc::new(job),
        Err(error) => {
            round
                .unreadable
                .push((record.name.clone(), error.to_string()));
            ledger.set_next_due(record.id, now.checked_add(LATER).ok())?;
            return Ok(None);
        }
    };
    let first = record.next_due.unwrap_or(now);
    let mut is_over = false;
    for (scheduled, verdict) in due(&job.schedule, first, now, job.catch_up) {
        let run = RunKey {
            job: record.id,
            scheduled,
        };
        let trigger = match verdict {
            Verdict::CatchUp => Trigger::CatchUp,
            Verdict::Run | Verdict::Missed => Trigger::Schedule,
        };
        let not_run = match verdict {
            Verdict::Missed => Some((RunState::Missed, "no host served at that time")),
            _ => match admit(job.overlap, verdict, ledger.going(record.id)?) {
                Admission::Skip(reason) => Some((RunState::Skipped, reason)),
                Admission::Begin => {
                    let due = match verdict {
                        Verdict::Run => scheduled,
                        _ => now,
                    };
                    ledger.add_run(run, trigger, Some(due))?;
                    None
                }
                Admission::Wait => {
                    ledger.add_run(run, trigger, None)?;
                    None
                }
            },
        };
        if let Some((state, reason)) = not_run
            && ledger.add_ended_run(run, trigger, state, reason, now)?
        {
            round.outcomes.push(state);
            is_over = true;
        }
    }
    if is_over {
        ledger.forget_old(record.id)?;
    }
    ledger.set_next_due(record.id, job.schedule.next_after(now))?;
    Ok(Some(job))
}

/// Begins the next attempt of a run, whose job is `job` if it has been read already.
fn begin(
    ledger: &JobLedger<'_>,
    run: DueRun,
    job: Option<Arc<Job>>,
    now: Timestamp,
    round: &mut Round,
) -> Result<(), StoreError> {
    let job = job.map_or_else(|| Job::read(&run.job.settings).map(Arc::new), Ok);
    let job = match job {
        Ok(job) => job,
        Err(error) => {
            let reason = error.to_string();
            ledger.end_run(run.key, RunState::Failed, Some(&reason), now)?;
            round.outcomes.push(RunState::Failed);
            round.unreadable.push((run.job.name, reason));
            return Ok(());
        }
    };
    let number = run.attempts.last().map_or(0, |attempt| attempt.number) + 1;
    ledger.begin_attempt(run.key, number, now)?;
    round.starts.push(Start {
        run: run.key,
        number,
        name: run.job.name,
        job,
        due: run.due,
    });
    Ok(())
}

#[cfg(test)]
mod tests;
