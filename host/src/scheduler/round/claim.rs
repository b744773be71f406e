//! Runs are made of due times.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::Job;
use super::super::disabled::{MOMENT, disabled, is_put_off, put_off_to};
use super::super::due::{Admission, Verdict, admit, due};
use super::super::undecided::Undecided;
use super::Round;
use crate::store::{JobLedger, JobRecord, RunKey, RunState, Span, StoreError, Trigger};

/// When a job whose record cannot be read is looked at again.
const LATER: SignedDuration = SignedDuration::from_hours(1);

/// Makes runs of the times at which `record` was due by `now`. Tells what it is, if it can be read.
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
            // Said at least: it was due.
            if let Some(scheduled) = record.next_due.filter(|due| !is_put_off(*due)) {
                let run = RunKey {
                    job: record.id,
                    scheduled,
                };
                let trigger = Trigger::Schedule;
                if ledger.add_ended_run(run, trigger, RunState::Missed, &reason, now)? {
                    round.outcomes.push(RunState::Missed);
                    ledger.forget_old(record.id)?;
                }
            }
            round.unreadable.push((record.name.clone(), reason));
            let later = now.checked_add(LATER).ok().and_then(put_off_to);
            ledger.set_next_due(record.id, later)?;
            return Ok(None);
        }
    };
    let mut undecided = Undecided::new(record.decided, ledger.passed_over(record.id)?);
    let before = undecided.clone();
    let first = record.next_due.unwrap_or(now);
    let parts = undecided.parts(first, now);
    let (verdicts, are_all) = due(&job.schedule, &parts, now, job.catch_up);
    let mut missed_to = (!are_all).then(|| verdicts[0].0 - MOMENT);
    let earlier = missed_to.map(|_| first);
    let mut is_over = false;
    for (index, (scheduled, verdict)) in verdicts.into_iter().enumerate() {
        let run = RunKey {
            job: record.id,
            scheduled,
        };
        if verdict == Verdict::Missed {
            missed_to = Some(scheduled);
            let reason = missed(earlier.filter(|_| index == 0));
            let trigger = Trigger::Schedule;
            if ledger.add_ended_run(run, trigger, RunState::Missed, &reason, now)? {
                round.outcomes.push(RunState::Missed);
                is_over = true;
            }
            continue;
        }
        is_over |= admit_run(ledger, run, &job, verdict, now, round)?;
    }
    if is_over {
        ledger.forget_old(record.id)?;
    }
    undecided.decide(first, now);
    note_passed(&mut undecided, record, &parts, missed_to);
    if undecided.passed() != before.passed() {
        ledger.set_passed_over(record.id, undecided.passed())?;
    }
    let next = undecided.next_after(&job.schedule, now);
    ledger.decide(record.id, now, next)?;
    Ok(Some(job))
}

/// What was missed of `parts`, up to `missed_to`, was passed over, and so was what came before a job's first due time: for all
/// that is known, the clock was wrong when the job was created.
fn note_passed(
    undecided: &mut Undecided,
    record: &JobRecord,
    parts: &[Span],
    missed_to: Option<Timestamp>,
) {
    if let (None, Some(first)) = (record.decided, record.next_due) {
        undecided.pass(Span {
            first: Timestamp::UNIX_EPOCH,
            last: first - MOMENT,
        });
    }
    for part in parts {
        if let Some(last) = missed_to {
            undecided.pass(Span {
                first: part.first,
                last: part.last.min(last),
            });
        }
    }
}

/// Why a due time was missed, and since when others were that history has no room for.
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
        Admission::Begin => {
            ledger.add_run(run, trigger, Some(due))?;
        }
        Admission::Wait => {
            ledger.add_run(run, trigger, None)?;
        }
        Admission::Skip(reason) => {
            if ledger.add_ended_run(run, trigger, RunState::Skipped, reason, now)? {
                round.outcomes.push(RunState::Skipped);
                return Ok(true);
            }
        }
    }
    Ok(false)
}
