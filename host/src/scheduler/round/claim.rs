//! Runs are made of due times.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::Job;
use super::super::disabled::{DisabledJob, disabled};
use super::super::due::{Admission, Verdict, admit, due};
use super::Round;
use crate::store::{JobLedger, JobRecord, RunKey, RunState, StoreError, Trigger};

/// When a job that cannot run is looked at again.
const LATER: SignedDuration = SignedDuration::from_hours(1);

/// Decides the times at which `record` was due by `now`, and makes runs of them. Returns the job, if it can be read.
pub(super) fn claim(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    now: Timestamp,
    round: &mut Round,
) -> Result<Option<Arc<Job>>, StoreError> {
    let job = match Job::read(&record.settings) {
        Ok(job) => Arc::new(job),
        Err(error) => {
            let reason = disabled(record).unwrap_or_else(|| error.to_string());
            miss(ledger, record, &reason, now, round)?;
            let name = record.name.clone();
            round.unreadable.push(DisabledJob { name, reason });
            return Ok(None);
        }
    };
    let after = record.decided.unwrap_or(now);
    let (verdicts, are_all) = due(&job.schedule, after, now, job.catch_up);
    let first = job.schedule.next_after(after).filter(|_| !are_all);
    let mut is_over = false;
    for (index, (scheduled, verdict)) in verdicts.into_iter().enumerate() {
        let run = RunKey {
            job: record.id,
            scheduled,
        };
        is_over |= match verdict {
            Verdict::Missed => {
                let reason = missed(first.filter(|_| index == 0));
                end(ledger, run, RunState::Missed, &reason, now, round)?
            }
            verdict => admit_run(ledger, run, &job, verdict, now, round)?,
        };
    }
    if is_over {
        ledger.forget_old(record.id, now)?;
    }
    let decided = after.max(now);
    let next = job.schedule.next_after(decided);
    ledger.decide(record.id, decided, next, next)?;
    Ok(Some(job))
}

/// Takes what was due of a job that cannot run for missed, for `reason`, and has it looked at again later.
fn miss(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    reason: &str,
    now: Timestamp,
    round: &mut Round,
) -> Result<(), StoreError> {
    let next_due = record.next_due.filter(|due| *due > now);
    if let (Some(scheduled), None) = (record.next_due, next_due) {
        let run = RunKey {
            job: record.id,
            scheduled,
        };
        if end(ledger, run, RunState::Missed, reason, now, round)? {
            ledger.forget_old(record.id, now)?;
        }
    }
    let later = now.checked_add(LATER).ok();
    let next_look = later.into_iter().chain(next_due).min();
    let decided = record.decided.unwrap_or(now).max(now);
    ledger.decide(record.id, decided, next_due, next_look)
}

/// Why a due time was missed, and since when others were that history has no space for.
fn missed(earlier: Option<Timestamp>) -> String {
    let reason = "no host served at that time, or the clock was set past it";
    match earlier {
        None => reason.to_owned(),
        Some(first) => format!("{reason}; and so were all before, from {first} on"),
    }
}

/// Lets a run begin, wait or be skipped. Tells whether it is over.
fn admit_run(
    ledger: &JobLedger<'_>,
    run: RunKey,
    job: &Job,
    verdict: Verdict,
    now: Timestamp,
    round: &mut Round,
) -> Result<bool, StoreError> {
    let (trigger, due) = match verdict {
        Verdict::Run => (Trigger::Schedule, run.scheduled),
        _ => (Trigger::CatchUp, now),
    };
    match admit(job.overlap, verdict, ledger.going(run.job)?) {
        Admission::Begin => ledger.add_run(run, trigger, Some(due))?,
        Admission::Wait => ledger.add_run(run, trigger, None)?,
        Admission::Skip(reason) => {
            return end(ledger, run, RunState::Skipped, reason, now, round);
        }
    };
    Ok(false)
}

/// Keeps a run that is over before it began. False if there is one for this time.
fn end(
    ledger: &JobLedger<'_>,
    run: RunKey,
    state: RunState,
    reason: &str,
    now: Timestamp,
    round: &mut Round,
) -> Result<bool, StoreError> {
    let is_new = ledger.add_ended_run(run, Trigger::Schedule, state, reason, now)?;
    if is_new {
        round.outcomes.push(state);
    }
    Ok(is_new)
}
