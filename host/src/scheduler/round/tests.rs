//! The scheduler under a clock of our own.

mod clock;
mod crashes;
mod edits;
mod killed;
mod life;
mod shares;
mod year;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::scheduler::correction::{recover, resync, retract_waiting, shift};
use crate::scheduler::edit;
use crate::store::{CatchUp, JobId, JobRecord, JobSettings, Overlap, RunRecord, Trigger};

/// A store with jobs, a clock that stands until it is moved, and targets that do as they are told.
struct World {
    store: Store,
    now: Timestamp,
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

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl World {
    fn new(now: &str) -> Self {
        Self {
            store: Store::in_memory().expect("memory is there"),
            now: at(now),
            going: Vec::new(),
            outcomes: Vec::new(),
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
        let next = Job::read(&settings)
            .expect("it is a job")
            .schedule
            .next_after(self.now);
        self.store
            .create_job(&name(job), &settings, next)
            .expect("it can be created");
    }

    /// Sets the clock and plays a round, with what `ended`.
    fn round(&mut self, now: Timestamp, ended: &[Ended]) -> usize {
        self.now = now;
        let mut places = Places::new(usize::MAX);
        let round = play(&self.store, ended, now, &mut places).expect("memory does not fail");
        assert_eq!(round.unreadable, []);
        self.outcomes.extend(round.outcomes);
        let begun = round.starts.len();
        self.going.extend(round.starts);
        begun
    }

    /// Waits until something is to be done, and plays a round.
    fn next(&mut self) -> Option<usize> {
        let next = self.store.next_job_times().expect("memory does not fail");
        let next = next.first()?;
        Some(self.round(next.max(self.now), &[]))
    }

    /// Sets the clock by `step`, and puts right what that makes wrong.
    fn set_clock(&mut self, step: SignedDuration) {
        self.now += step;
        shift(&self.store, step).expect("memory does not fail");
        self.resync();
    }

    /// Works out all due times anew.
    fn resync(&self) {
        self.resync_from(self.now);
    }

    /// Works out anew what is due after `since`.
    fn resync_from(&self, since: Timestamp) {
        retract_waiting(&self.store, since, self.now).expect("memory does not fail");
        let mut last = Some(JobId::MIN);
        while let Some(before) = last {
            last = resync(&self.store, before, since, self.now).expect("memory does not fail");
        }
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

    fn change(&self, change: impl FnOnce(&mut JobRecord)) {
        let changed = self.store.change_job(&name("job"), |_, record| {
            change(record);
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
