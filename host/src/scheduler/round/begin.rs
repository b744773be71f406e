//! Attempts begin, as far as there are places.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::places::{Keepers, Places};
use super::{BATCH, Job, Round, Start, trace};
use crate::store::{DueRun, JobId, JobLedger, RunState, StoreError};

/// Begins the next attempts of runs that are due. Those of jobs or targets that have no place are parked. `open` are the
/// places that there are for those that were parked before.
pub(super) fn begin(
    ledger: &JobLedger<'_>,
    read: &HashMap<JobId, Arc<Job>>,
    open: &[(String, usize)],
    now: Timestamp,
    places: &mut Places,
    round: &mut Round,
) -> Result<(), StoreError> {
    for (keeper, room) in open {
        if ledger.unpark(keeper, *room)? < *room {
            places.forget(keeper);
        }
    }
    let most = places.free().min(BATCH);
    let runs = ledger.due_runs(now, most)?;
    round.has_more |= most > 0 && runs.len() == most;
    for run in runs {
        let job = read.get(&run.job.id).cloned();
        let job = job.map_or_else(|| Job::read(&run.job.settings).map(Arc::new), Ok);
        match job {
            Err(error) => {
                let reason = error.to_string();
                ledger.end_run(run.key, RunState::Failed, Some(&reason), now)?;
                round.outcomes.push(RunState::Failed);
                round.unreadable.push((run.job.name, reason));
            }
            Ok(job) => begin_run(ledger, run, job, now, places, round)?,
        }
    }
    Ok(())
}

fn begin_run(
    ledger: &JobLedger<'_>,
    run: DueRun,
    job: Arc<Job>,
    now: Timestamp,
    places: &mut Places,
    round: &mut Round,
) -> Result<(), StoreError> {
    let keepers = Keepers::of(run.job.id, &job);
    if let Some(full) = places.full(&keepers) {
        ledger.park(run.key, full)?;
        places.await_place(full);
        return Ok(());
    }
    let number = run.attempts.last().map_or(0, |attempt| attempt.number) + 1;
    ledger.begin_attempt(run.key, number, now)?;
    places.take(&keepers);
    round.starts.push(Start {
        run: run.key,
        number,
        name: run.job.name,
        job,
        due: run.due,
        trace: trace::begin(),
        keepers,
    });
    Ok(())
}
