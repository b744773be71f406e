//! Changes of jobs are taken up: what was due before a change and had not been decided is decided now.

use jiff::Timestamp;

use super::super::Schedule;
use super::super::clock::Moment;
use super::super::due::{GRACE, due};
use super::Round;
use crate::store::{
    CatchUp, JobChange, JobLedger, JobRecord, PAUSED, RunKey, RunState, StoreError, Trigger,
};

/// Why a due time is missed that a change came before.
const CHANGED: &str = "the job was changed before this run began";
const LATE: &str = "no host served at that time, and the job was changed before one did";

/// Takes up the changes of `record` at `moment`. Nothing that was due before the last of them is caught up.
pub(super) fn take_up(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    moment: Moment,
    round: &mut Round,
) -> Result<(), StoreError> {
    let Moment { now, behind } = moment;
    let mut decided = record.decided;
    for change in ledger.take_changes(record.id)? {
        // The clock of whoever made the change may have been behind or ahead.
        let time = change.time.checked_add(behind).unwrap_or(now).min(now);
        if let Some(after) = decided {
            end_due(ledger, record, &change, after, time, now, round)?;
        }
        if change.is_pause {
            let ended = ledger.end_waiting(record.id, now)?;
            round.outcomes.extend(ended);
        }
        decided = decided.max(Some(time));
    }
    let next_look = (!record.is_paused).then_some(now);
    ledger.decide(record.id, decided.unwrap_or(now), None, next_look)
}

/// Ends what was due after `after` and up to `time`, before `change` was made at `time`.
fn end_due(
    ledger: &JobLedger<'_>,
    record: &JobRecord,
    change: &JobChange,
    after: Timestamp,
    time: Timestamp,
    now: Timestamp,
    round: &mut Round,
) -> Result<(), StoreError> {
    let Some(by) = &change.was_due_by else {
        return Ok(());
    };
    let Ok(schedule) = Schedule::parse(&by.schedule, &by.time_zone) else {
        // Its due times are not known.
        return Ok(());
    };
    let (times, _) = due(&schedule, after, time, CatchUp::None);
    for (scheduled, _) in &times {
        let run = RunKey {
            job: record.id,
            scheduled: *scheduled,
        };
        let (state, reason) = match time.duration_since(*scheduled) > GRACE {
            true => (RunState::Missed, LATE),
            false if change.is_pause => (RunState::Skipped, PAUSED),
            false => (RunState::Missed, CHANGED),
        };
        if ledger.add_ended_run(run, Trigger::Schedule, state, reason, now)? {
            round.outcomes.push(state);
        }
    }
    match times.is_empty() {
        true => Ok(()),
        false => ledger.forget_old(record.id, now),
    }
}
