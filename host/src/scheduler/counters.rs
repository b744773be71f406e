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
pub(super) struct Counters(Mutex<JobFigures>);

impl JobFigures {
    /// Together with what another scheduler has counted.
    pub(crate) fn and(mut self, other: Self) -> Self {
        let pairs = [
            (&mut self.runs[..], &other.runs[..]),
            (&mut self.attempts, &other.attempts),
            (&mut self.lateness, &other.lateness),
        ];
        for (counts, others) in pairs {
            for (count, other) in counts.iter_mut().zip(others) {
                *count += other;
            }
        }
        self.going += other.going;
        self.late += other.late;
        let (jobs, others) = (&mut self.jobs, other.jobs);
        jobs.enabled += others.enabled;
        jobs.paused += others.paused;
        jobs.next_due = jobs.next_due.into_iter().chain(others.next_due).min();
        self
    }
}

impl Counters {
    pub(super) fn read(&self) -> JobFigures {
        self.lock().clone()
    }

    pub(super) fn ended(&self, states: &[RunState]) {
        let runs = &mut self.lock().runs;
        for state in states {
            if let Some(index) = OUTCOMES.iter().position(|outcome| outcome == state) {
                runs[index] += 1;
            }
        }
    }

    pub(super) fn attempt_began(&self, late: Duration) {
        let figures = &mut *self.lock();
        let milliseconds = late.as_secs_f64() * 1_000.0;
        let bucket = LATENESS.partition_point(|bound| (*bound as f64) < milliseconds);
        figures.lateness[bucket] += 1;
        figures.late += late;
        figures.going += 1;
    }

    pub(super) fn attempt_ended(&self, is_success: bool) {
        let figures = &mut *self.lock();
        figures.attempts[usize::from(!is_success)] += 1;
        figures.going -= 1;
    }

    pub(super) fn jobs(&self, counts: JobCounts) {
        self.lock().jobs = counts;
    }

    fn lock(&self) -> MutexGuard<'_, JobFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_schedulers_count_is_added_up() {
        let (one, other) = (Counters::default(), Counters::default());
        one.ended(&[RunState::Missed, RunState::Succeeded]);
        other.ended(&[RunState::Succeeded]);
        other.attempt_began(Duration::ZERO);
        let counts = |enabled, next_due| JobCounts {
            enabled,
            paused: 1,
            next_due,
        };
        one.jobs(counts(2, None));
        other.jobs(counts(3, Some(jiff::Timestamp::UNIX_EPOCH)));
        let figures = one.read().and(other.read());
        assert_eq!(figures.runs, [2, 0, 0, 1]);
        assert_eq!((figures.going, figures.lateness[0]), (1, 1));
        let expected = JobCounts {
            paused: 2,
            ..counts(5, Some(jiff::Timestamp::UNIX_EPOCH))
        };
        assert_eq!(figures.jobs, expected);
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
