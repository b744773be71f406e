//! What is put right when the clock was set, and when a host starts: see [`Undecided`].
//!
//! Due times that the clock will show again are due again if nothing was tried of them. Waits take as long as they were to
//! take.

use jiff::{SignedDuration, Timestamp};

use super::disabled::put_off_to;
use super::due::GRACE;
use super::round::{ABORTED, BATCH, failures};
use super::undecided::{Undecided, before};
use super::{Job, Schedule};
use crate::store::{AttemptEnd, JobId, JobLedger, JobRecord, RunState, Store, StoreError};

/// What a start has come to.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    /// Attempts that were under way.
    pub(super) interrupted: usize,
    /// How runs ended.
    pub(super) outcomes: Vec<RunState>,
}

/// Goes on after a start: attempts that were under way have come to nothing. What a clock did meanwhile is not known; what
/// seems to come from a time after `now` is taken for something that the clock has been set back behind.
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
        ledger.unpark_all()?;
        for job in ledger.paused_and_going()? {
            recovered.outcomes.extend(ledger.end_waiting(job, now)?);
        }
        retract_early(ledger, now, now)?;
        ledger.cap_since(now)?;
        for wait in ledger.waits(now)? {
            let Ok(job) = Job::read(&wait.job.settings) else {
                // It is told when it is due.
                continue;
            };
            let backoff = job.retry.backoff(failures(&wait.attempts));
            let backoff = SignedDuration::try_from(backoff).unwrap_or(SignedDuration::MAX);
            ledger.cap_wait(wait.key, now.checked_add(backoff).unwrap_or(now))?;
        }
        Ok(recovered)
    })
}

/// Moves what runs that have been tried wait for by `step`, as the clock was moved. Those that have not been tried wait for
/// a time, and not for a while.
pub(super) fn shift(store: &Store, step: SignedDuration) -> Result<(), StoreError> {
    store.write_jobs(|ledger| ledger.shift(step))
}

/// Forgets runs that are due after both `since` and `now` and have not been tried: they are due when that time comes.
pub(super) fn retract_waiting(
    store: &Store,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.write_jobs(|ledger| retract_early(ledger, since, now))
}

fn retract_early(
    ledger: &JobLedger<'_>,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    for record in ledger.early_jobs(since.max(now))? {
        if let Ok(Job { schedule, .. }) = Job::read(&record.settings) {
            retract(ledger, &record, &schedule, since, now)?;
        }
    }
    Ok(())
}

/// Forgets the runs of a job that are due after `since` and of which nothing was tried. Those whose time has come by `now` are
/// as they are, but for those that were missed and are still on time.
fn retract(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    schedule: &Schedule,
    since: Timestamp,
    now: Timestamp,
) -> Result<Undecided, StoreError> {
    let late = now.checked_sub(GRACE).unwrap_or(Timestamp::MIN);
    let times = ledger.retract(record.id, since.max(now), since.max(late))?;
    let mut undecided = Undecided::new(record.decided, ledger.passed_over(record.id)?);
    if !times.is_empty() {
        undecided.pass_times(schedule, &times);
        ledger.set_passed_over(record.id, undecided.passed())?;
    }
    Ok(undecided)
}

/// What is undecided of a job that has not been due yet. If the clock will show due times before the first one, these were passed
/// over: for all that is known, the clock was wrong when the job was created.
fn undecided_yet(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    schedule: &Schedule,
    since: Timestamp,
) -> Result<Undecided, StoreError> {
    let next = schedule.next_after(since);
    let (Some(first), Some(next)) = (record.next_due, next) else {
        return Ok(Undecided::default());
    };
    if next >= first {
        return Ok(Undecided::default());
    }
    let undecided = Undecided::before_first(first);
    ledger.set_passed_over(record.id, undecided.passed())?;
    ledger.decide(record.id, before(first), Some(next))?;
    Ok(undecided)
}

/// Works out anew when jobs are due next, for the clock was set or zones have other rules now; as many as one round takes,
/// those after `last`, and from `since` on, at `now`. Tells the last of them, or that there are no more.
pub(super) fn resync(
    store: &Store,
    last: JobId,
    since: Timestamp,
    now: Timestamp,
) -> Result<Option<JobId>, StoreError> {
    store.write_jobs(|ledger| {
        let records = ledger.later_jobs(since, last, BATCH)?;
        for record in &records {
            let Ok(Job { schedule, .. }) = Job::read(&record.settings) else {
                // The next round tells why. What is due stands, to be said as well.
                if record.next_due.is_none_or(|due| due > now) {
                    ledger.set_next_due(record.id, put_off_to(now))?;
                }
                continue;
            };
            let undecided = match record.decided {
                Some(decided) if decided > since => retract(ledger, record, &schedule, since, now)?,
                Some(decided) => Undecided::new(Some(decided), Vec::new()),
                None => undecided_yet(ledger, record, &schedule, since)?,
            };
            let next = undecided.next_after(&schedule, since);
            if next != record.next_due {
                ledger.set_next_due(record.id, next)?;
            }
        }
        Ok(records.last().map(|record| record.id))
    })
}
