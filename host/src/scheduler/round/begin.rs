//! Attempts begin, as far as there are permits.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::attempt_limits::{AttemptLimits, Pass, Permit};
use super::super::disabled::DisabledJob;
use super::{BATCH, Job, Round, Start, trace};
use crate::store::{DueRun, JobId, JobLedger, PendingRun, RunState, StoreError};

/// How many pending runs are considered in one round. Those of jobs that are known to be held up are not read.
const MOST_CONSIDERED: usize = 10_000;

/// Begins the next attempts of runs that are due by `now`, in the order in which they have waited. A run that gets no permit
/// stays as it is, and those behind it have their turn. If there are more than one round takes, the next one goes on from there,
/// and the last one of such a pass has another pass follow if runs may have been left behind.
pub(super) fn begin(
    ledger: &JobLedger<'_>,
    read: &HashMap<JobId, Arc<Job>>,
    now: Timestamp,
    limits: &mut AttemptLimits,
    round: &mut Round,
) -> Result<(), StoreError> {
    let pass = limits.pass.take();
    if limits.free() == 0 {
        // The end of an attempt leads to a round that begins anew.
        return Ok(());
    }
    let is_behind = pass.is_some_and(|pass| pass.is_behind);
    let mut last = pass.map(|pass| pass.last);
    let runs = ledger.pending_runs(now, last, MOST_CONSIDERED)?;
    let mut is_last = runs.len() < MOST_CONSIDERED;
    let (mut taken, mut is_held_up) = (0, false);
    for run in runs {
        if limits.free() == 0 {
            return Ok(());
        }
        if taken == BATCH {
            is_last = false;
            break;
        }
        last = Some(run);
        if limits.is_held_up(run.key.job) {
            is_held_up = true;
            continue;
        }
        taken += 1;
        is_held_up |= !begin_run(ledger, run, read, now, limits, round)?;
    }
    match is_last {
        false => {
            limits.pass = last.map(|last| Pass { last, is_behind });
            round.has_more = true;
        }
        true if is_behind => round.has_more = true,
        true if pass.is_none() && !is_held_up => limits.forget_all(),
        true => {}
    }
    Ok(())
}

/// Begins the next attempt of `run`. False if it gets no permit.
fn begin_run(
    ledger: &JobLedger<'_>,
    run: PendingRun,
    read: &HashMap<JobId, Arc<Job>>,
    now: Timestamp,
    limits: &mut AttemptLimits,
    round: &mut Round,
) -> Result<bool, StoreError> {
    let Some(DueRun {
        key,
        job: record,
        due,
        attempts,
    }) = ledger.due_run(run)?
    else {
        return Ok(true);
    };
    let job = read.get(&record.id).cloned();
    let job = match job.map_or_else(|| Job::read(&record.settings).map(Arc::new), Ok) {
        Ok(job) => job,
        Err(error) => {
            let reason = error.to_string();
            ledger.end_run(key, RunState::Failed, Some(&reason), now)?;
            round.outcomes.push(RunState::Failed);
            let name = record.name;
            round.unreadable.push(DisabledJob { name, reason });
            return Ok(true);
        }
    };
    let permit = Permit::of(record.id, &job);
    if !limits.try_take(&permit) {
        return Ok(false);
    }
    let number = attempts.last().map_or(0, |attempt| attempt.number) + 1;
    round.starts.push(Start {
        run: key,
        number,
        name: record.name,
        job,
        due,
        trace: trace::begin(),
        permit,
    });
    // Its permit is released with the round if this fails.
    ledger.begin_attempt(key, number, now)?;
    Ok(true)
}
