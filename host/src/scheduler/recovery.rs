//! What is put right when a host starts, and when the clock was set.

use jiff::{SignedDuration, Timestamp};

use super::Job;
use super::clock::Change;
use super::round::{ABORTED, failures};
use crate::store::{AttemptEnd, JobLedger, RunState, Store, StoreError};

/// The result of a start.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// Attempts that were under way.
    pub(super) interrupted: usize,
    /// How runs ended.
    pub(super) outcomes: Vec<RunState>,
}

/// Goes on after a start at `now`. Attempts that were under way are made again. All jobs are looked at in the next rounds.
pub(super) fn recover(store: &Store, now: Timestamp) -> Result<Recovered, StoreError> {
    store.write_jobs(|ledger| {
        let mut recovered = Recovered {
            interrupted: ledger.interrupt(&AttemptEnd {
                time: now,
                took: None,
                code: ABORTED.into(),
                status: None,
                reason: Some("the host ended during the attempt".into()),
                execution: None,
            })?,
            outcomes: Vec::new(),
        };
        for job in ledger.paused_and_going()? {
            recovered.outcomes.extend(ledger.end_waiting(job, now)?);
        }
        cap_waits(ledger, now)?;
        ledger.look_at_all(now)?;
        Ok(recovered)
    })
}

/// Takes up how the clock was set, at `now`. Waits take as long as they were to take. Due times that the clock shows again are
/// decided again, and no run is made twice of one.
pub(super) fn take_up(store: &Store, change: Change, now: Timestamp) -> Result<(), StoreError> {
    store.write_jobs(|ledger| {
        if !change.step.is_zero() {
            ledger.shift_waits(change.step)?;
        }
        match change.lowers {
            true => ledger.lower_decided(now),
            false => Ok(()),
        }
    })
}

/// Has no run wait for longer than its backoff. The clock may have been set back while no host served.
fn cap_waits(ledger: &JobLedger<'_>, now: Timestamp) -> Result<(), StoreError> {
    ledger.cap_since(now)?;
    for wait in ledger.waits(now)? {
        let Ok(job) = Job::read(&wait.job.settings) else {
            // The round that it is due in reports it.
            continue;
        };
        let backoff = job.retry.backoff(failures(&wait.attempts));
        let backoff = SignedDuration::try_from(backoff).unwrap_or(SignedDuration::MAX);
        ledger.cap_wait(wait.key, now.checked_add(backoff).unwrap_or(now))?;
    }
    Ok(())
}
