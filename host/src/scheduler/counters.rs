//! What is counted of jobs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::{JobCounts, RunState};

/// Upper bounds of the buckets of lateness, in milliseconds; one more bucket has what is above.
pub(crate) const LATENESS: [u64; 12] = [
    1, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000, 300_000,
];

/// How a run can end, in the order in which runs are counted.
pub(crate) const OUTCOMES: [RunState; 4] = [
    RunState::Succeeded,
    RunState::Failed,
    RunState::Skipped,
    RunState::Missed,
];

/// What was counted since the process began, and what the store said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobFigures {
    /// Runs that ended, as [`OUTCOMES`] lists them.
    pub(crate) runs: [u64; OUTCOMES.len()],
    /// Attempts that went well, and such as did not.
    pub(crate) attempts: [u64; 2],
    /// Attempts under way.
    pub(crate) going: u64,
    /// How late attempts began, within each of [`LATENESS`] and not within the one before, and above all.
    pub(crate) lateness: [u64; LATENESS.len() + 1],
    /// All of that together.
    pub(crate) late: Duration,
    /// The jobs.
    pub(crate) jobs: JobCounts,
}

/// Counts. One thread writes, the console reads.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    figures: JobFigures,
    /// Runs that commands and files have ended, as the store tells: at first, and since.
    others: Option<[u64; OUTCOMES.len()]>,
    since: [u64; OUTCOMES.len()],
}

impl Counters {
    pub(super) fn read(&self) -> JobFigures {
        let counts = self.lock();
        let mut figures = counts.figures.clone();
        for (runs, others) in figures.runs.iter_mut().zip(counts.since) {
            *runs += others;
        }
        figures
    }

    pub(super) fn ended(&self, states: &[RunState]) {
        let mut counts = self.lock();
        for state in states {
            if let Some(index) = index(*state) {
                counts.figures.runs[index] += 1;
            }
        }
    }

    /// Takes up how many runs others have ended at all; what they had when this is called first is not counted.
    pub(super) fn ended_by_others(&self, outcomes: &[(RunState, u64)]) {
        let mut counts = self.lock();
        let mut all = [0; OUTCOMES.len()];
        for (state, runs) in outcomes {
            if let Some(index) = index(*state) {
                all[index] = *runs;
            }
        }
        let first = *counts.others.get_or_insert(all);
        for ((since, all), first) in counts.since.iter_mut().zip(all).zip(first) {
            *since = all.saturating_sub(first);
        }
    }

    pub(super) fn attempt_began(&self, late: Duration) {
        let figures = &mut self.lock().figures;
        let milliseconds = late.as_secs_f64() * 1_000.0;
        let bucket = LATENESS.partition_point(|bound| (*bound as f64) < milliseconds);
        figures.lateness[bucket] += 1;
        figures.late += late;
        figures.going += 1;
    }

    pub(super) fn attempt_ended(&self, is_success: bool) {
        let figures = &mut self.lock().figures;
        figures.attempts[usize::from(!is_success)] += 1;
        figures.going -= 1;
    }

    pub(super) fn jobs(&self, counts: JobCounts) {
        self.lock().figures.jobs = counts;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn index(state: RunState) -> Option<usize> {
    OUTCOMES.iter().position(|outcome| *outcome == state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_others_ended_are_counted_from_the_start_on() {
        let counters = Counters::default();
        counters.ended_by_others(&[(RunState::Missed, 3)]);
        counters.ended(&[RunState::Missed, RunState::Succeeded]);
        assert_eq!(counters.read().runs, [1, 0, 0, 1]);
        counters.ended_by_others(&[(RunState::Missed, 5), (RunState::Skipped, 1)]);
        assert_eq!(counters.read().runs, [1, 0, 1, 3]);
    }

    #[test]
    fn lateness_goes_to_the_first_bucket_that_takes_it() {
        let counters = Counters::default();
        for milliseconds in [0, 1, 2, 300_000, 300_001] {
            counters.attempt_began(Duration::from_millis(milliseconds));
        }
        let figures = counters.read();
        assert_eq!(figures.lateness[..2], [2, 1]);
        assert_eq!(figures.lateness[11..], [1, 1]);
        assert_eq!(figures.going, 5);
    }
}
