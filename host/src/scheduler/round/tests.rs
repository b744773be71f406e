//! The scheduler under a clock of our own.

mod clock;
mod crashes;
mod edits;
mod killed;
mod life;
mod limits;
mod year;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::scheduler::clock::{Change, Moment};
use crate::scheduler::edit;
use crate::scheduler::recovery::{recover, take_up};
use crate::store::{CatchUp, JobSettings, Overlap, RunRecord, Trigger};

/// A store with jobs, a clock that stands until it is moved, and targets that do as they are told.
struct World {
    store: Store,
    now: Timestamp,
    /// By how much the clock that people set is behind.
    behind: SignedDuration,
    going: Vec<Start>,
    outcomes: Vec<RunState>,
}

fn at(text: &str) -> Timestamp {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn name(text: &str) -> JobName {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// A moment at which the clock is right.
fn right(now: Timestamp) -> Moment {
    let behind = SignedDuration::ZERO;
    Moment { now, behind }
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl World {
    fn new(now: &str) -> Self {
        Self {
            store: Store::in_memory().expect("memory is there"),
            now: at(now),
            behind: SignedDuration::ZERO,
            going: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    /// With a store on disk.
    fn within(self, scratch: &killed::Scratch) -> Self {
        Self {
            store: scratch.store(),
            ..self
        }
    }

    /// With the job `job`, changed as told.
    fn with(self, schedule: &str, change: impl FnOnce(&mut JobSettings)) -> Self {
        self.create("job", schedule, "Etc/UTC", change);
        self
    }

    fn create(&self, job: &str, schedule: &str, zone: &str, change: impl FnOnce(&mut JobSettings)) {
        let mut settings = JobSettings {
            schedule: schedule.into(),
            time_zone: zone.into(),
            uri: "http://127.0.0.1:9/".into(),
            ..JobSettings::default()
        };
        change(&mut settings);
        Job::read(&settings).expect("it is a job");
        self.store
            .create_job(&name(job), &settings, self.now)
            .expect("it can be created");
    }

    /// Sets the clock and plays a round, with what `ended`.
    fn round(&mut self, now: Timestamp, ended: &[Ended]) -> usize {
        self.now = now;
        let mut limits = AttemptLimits::new(usize::MAX);
        let behind = self.behind;
        let round = play(&self.store, ended, Moment { now, behind }, &mut limits);
        let round = round.expect("memory does not fail");
        assert_eq!(round.unreadable, []);
        self.outcomes.extend(round.outcomes);
        let begun = round.starts.len();
        self.going.extend(round.starts);
        begun
    }

    /// Takes up what commands have changed, waits until something is to be done, and plays a round.
    fn next(&mut self) -> Option<usize> {
        self.round(self.now, &[]);
        self.next_due()
    }

    /// The same where nothing has been changed.
    fn next_due(&mut self) -> Option<usize> {
        let next = self.store.next_job_times(self.now);
        let next = next.expect("memory does not fail").first()?;
        Some(self.round(next, &[]))
    }

    /// Sets the clock by `step`, as one that has been believed.
    fn set_clock(&mut self, step: SignedDuration) {
        self.now += step;
        let lowers = step.is_negative();
        take_up(&self.store, Change { step, lowers }, self.now).expect("memory does not fail");
    }

    /// Ends without a word, and starts anew.
    fn restart(&mut self) {
        self.going.clear();
        let recovered = recover(&self.store, self.now).expect("memory does not fail");
        self.outcomes.extend(recovered.outcomes);
    }

    /// Ends all attempts that are going, with this code.
    fn end(&mut self, code: &str) {
        let going = std::mem::take(&mut self.going);
        let ended: Vec<_> = going
            .iter()
            .map(|start| ended(start, code, self.now))
            .collect();
        self.round(self.now, &ended);
    }

    /// The runs of `job`, oldest first.
    fn runs(&self) -> Vec<RunRecord> {
        let mut runs = self
            .store
            .job_runs(&name("job"), 1_000)
            .expect("it is there");
        runs.reverse();
        runs
    }

    /// What became of the runs of `job`, oldest first, by the time of day.
    fn ledger(&self) -> Vec<(String, RunState)> {
        let runs = self.runs().into_iter();
        runs.map(|run| (run.scheduled.strftime("%H:%M").to_string(), run.state))
            .collect()
    }

    /// Changes the settings of `job`, whether or not they make a job.
    fn change(&self, change: impl FnOnce(&mut JobSettings)) {
        let changed = self.store.change_job(&name("job"), self.now, |record| {
            change(&mut record.settings);
            Ok(())
        });
        changed.expect("it is there");
    }
}

fn ended(start: &Start, code: &str, now: Timestamp) -> Ended {
    start.ended(AttemptEnd {
        time: now,
        took: None,
        code: code.into(),
        status: None,
        reason: (code != OK).then(|| format!("it was {code}")),
        execution: None,
    })
}
