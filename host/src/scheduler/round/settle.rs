//! What follows from the end of an attempt.

use jiff::Timestamp;

use super::{ABORTED, Ended, OK, Round};
use crate::store::{AttemptRecord, JobLedger, RunState, StoreError, not_again};

/// Writes down how an attempt ended, and what follows from it.
pub(super) fn settle(
    ledger: &JobLedger<'_>,
    ended: &Ended,
    now: Timestamp,
    round: &mut Round,
) -> Result<(), StoreError> {
    let Ended {
        run, number, end, ..
    } = ended;
    let Some(tried) = ledger.end_attempt(*run, *number, end)? else {
        return Ok(());
    };
    if end.code == OK {
        round.outcomes.push(RunState::Succeeded);
        return ledger.end_run(*run, RunState::Succeeded, None, end.time);
    }
    if end.code == ABORTED {
        return ledger.retry(*run, now);
    }
    // Not from the attempt's end, which the clock may have been set since.
    let next = ended
        .retry
        .next(failures(&tried.attempts), tried.since, now, ended.asked);
    let reason = end.reason.as_deref();
    let reason = match next {
        Some(_) if tried.is_paused => Some(not_again(reason.unwrap_or(&end.code))),
        Some(time) => return ledger.retry(*run, time),
        None => reason.map(str::to_owned),
    };
    round.outcomes.push(RunState::Failed);
    ledger.end_run(*run, RunState::Failed, reason.as_deref(), end.time)
}

/// Attempts that failed by themselves.
pub(in crate::scheduler) fn failures(attempts: &[AttemptRecord]) -> u32 {
    let failed = attempts.iter().filter(|attempt| {
        let end = attempt.end.as_ref();
        end.is_some_and(|end| end.code != OK && end.code != ABORTED)
    });
    // Retries are few.
    failed.count() as u32
}
