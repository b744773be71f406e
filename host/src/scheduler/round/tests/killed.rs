//! A process that runs jobs by a fast clock is killed at any moment, again and again.
//!
//! The process is this one, started anew for one specification that does nothing unless it is told where.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::*;

/// How often it is killed.
const KILLS: u64 = 200;
/// After how many kills somebody looks, before history forgets.
const LOOK: u64 = 2;
/// After how many kills somebody gives commands.
const COMMAND: u64 = 5;
/// How long it may live, at most.
const LIFE: Duration = Duration::from_millis(60);
const JOBS: i64 = 6;
/// Seconds of the jobs' clock in a second.
const SPEED: u32 = 600;
const BEGIN: &str = "2026-11-24T10:00:00Z";
/// Where a process finds the store, and since when its clock goes.
const STORE: &str = "SCHEDULER_TESTS_STORE";
const SINCE: &str = "SCHEDULER_TESTS_SINCE";

/// Random enough, and the same in each run (Lehmer's generator).
fn roll(state: &mut u64, sides: u64) -> u64 {
    *state = *state * 48_271 % 0x7fff_ffff;
    *state % sides
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970")
}

/// What a clock shows that began at [`BEGIN`] at `since`.
fn fast(since: Duration) -> Timestamp {
    at(BEGIN) + (since_epoch() - since) * SPEED
}

/// Jobs that come every minute, and do all that jobs do.
fn create(store: &Store) {
    for number in 0..JOBS {
        let settings = JobSettings {
            schedule: "* * * * *".into(),
            uri: format!("http://127.0.0.1:9/{number}"),
            overlap: [Overlap::Skip, Overlap::Queue, Overlap::Allow][number as usize % 3],
            catch_up: [CatchUp::All, CatchUp::Last][number as usize % 2],
            max_retry_attempts: 2,
            min_backoff: 1_000,
            ..JobSettings::default()
        };
        let created = store.create_job(&name(&format!("job-{number}")), &settings, at(BEGIN));
        created.expect("it can be created");
    }
    let settings = JobSettings {
        schedule: "0 0 29 2 *".into(),
        uri: "http://127.0.0.1:9/".into(),
        ..JobSettings::default()
    };
    let created = store.create_job(&name(ASKED), &settings, at(BEGIN));
    created.expect("it can be created");
}

/// A job that commands are about: it is due only when somebody asks for a run.
const ASKED: &str = "asked";

/// Asks for a run, and pauses or resumes the job, while another process runs it or is being killed. Commands take effect
/// though nobody waits for that.
fn command(store: &Store, is_pause: bool, now: Timestamp) {
    let asked = store.request_run(&name(ASKED), now);
    asked.expect("it is there");
    let changed = match is_pause {
        true => edit::pause(store, &name(ASKED), now),
        false => edit::resume(store, &name(ASKED), now),
    };
    changed.expect("it was not so before");
}

/// Runs jobs until it is killed.
#[test]
#[ignore = "it is the process that is killed"]
fn a_process_that_is_killed() {
    let (Ok(store), Ok(since)) = (std::env::var(STORE), std::env::var(SINCE)) else {
        return;
    };
    let since = Duration::from_micros(since.parse().expect("it is a number"));
    let store = Store::open(Path::new(&store)).expect("it is a store");
    let mut dice = u64::from(std::process::id()) + 1;
    let mut limits = AttemptLimits::new(4_096);
    let mut going: Vec<(Timestamp, Start)> = Vec::new();
    recover(&store, fast(since)).expect("there is space");
    loop {
        let now = fast(since);
        let (over, rest): (Vec<_>, Vec<_>) = going.into_iter().partition(|(end, _)| *end <= now);
        going = rest;
        let codes = [OK, OK, "INTERNAL"];
        let end = |(_, start): &(_, Start)| ended(start, codes[roll(&mut dice, 3) as usize], now);
        let over: Vec<_> = over.iter().map(end).collect();
        over.iter().for_each(|ended| limits.release(&ended.permit));
        let round = play(&store, &over, right(now), &mut limits).expect("there is space");
        for start in round.starts {
            going.push((now + seconds(roll(&mut dice, 90) as i64), start));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A directory of its own, removed when dropped.
pub(super) struct Scratch(TempDir);

impl Scratch {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("there is space"))
    }

    /// The store in it.
    pub(super) fn store(&self) -> Store {
        Store::open(self.0.path()).expect("there is space")
    }

    /// Writes to the store's database behind its back.
    pub(super) fn write(&self, statements: &str) {
        let file = self.0.path().join("host.db");
        let database = rusqlite::Connection::open(file).expect("it is there");
        database
            .execute_batch(statements)
            .expect("it can be written");
    }
}

/// What is known of due times: how they ended, and how often an attempt went well. A run that was going
/// when it was seen last, and that history has forgotten since, counts as failed: only those that are over are forgotten.
#[derive(Default)]
struct Seen(BTreeMap<RunKey, (RunState, usize)>);

impl Seen {
    /// Takes runs of `job` for over that are not among those at `times` any more.
    fn forget(&mut self, job: i64, times: &BTreeSet<Timestamp>) {
        let is_going = |(state, _): &&mut (RunState, usize)| !state.is_final();
        let runs = self.0.iter_mut().filter(|(key, _)| key.job == job);
        let gone = runs.filter(|(key, _)| !times.contains(&key.scheduled));
        for run in gone.map(|(_, run)| run).filter(is_going) {
            *run = (RunState::Failed, 0);
        }
    }

    fn look(&mut self, store: &Store) {
        for number in 0..JOBS {
            let runs = store.job_runs(&name(&format!("job-{number}")), 1_000);
            let runs = runs.expect("it is there");
            let times: BTreeSet<_> = runs.iter().map(|run| run.scheduled).collect();
            assert_eq!(times.len(), runs.len(), "a run is recorded twice");
            self.forget(number, &times);
            for run in runs {
                let key = RunKey {
                    job: number,
                    scheduled: run.scheduled,
                };
                let ends = run.attempts.iter().flat_map(|attempt| &attempt.end);
                let good = ends.filter(|end| end.code == OK).count();
                if let Some((state, _)) = self.0.insert(key, (run.state, good))
                    && state.is_final()
                {
                    assert_eq!(state, run.state, "{key:?} ended twice");
                }
            }
        }
    }
}

/// Goes on after the last kill until all that was due by `last` is over.
fn come_to_an_end(store: &Store, last: Timestamp, seen: &mut Seen) {
    let (mut now, mut limits) = (last, AttemptLimits::new(4_096));
    recover(store, now).expect("there is space");
    let mut over = Vec::new();
    loop {
        let round = play(store, &over, right(now), &mut limits).expect("there is space");
        seen.look(store);
        let mut due = seen.0.iter().filter(|(key, _)| key.scheduled <= last);
        if round.starts.is_empty() && due.all(|(_, (state, _))| state.is_final()) {
            return;
        }
        assert!(now < last + seconds(3_600), "runs do not come to an end");
        over = round
            .starts
            .iter()
            .map(|start| ended(start, OK, now))
            .collect();
        now += seconds(1);
    }
}

#[test]
fn a_process_that_is_killed_two_hundred_times_loses_no_due_time_and_records_none_twice() {
    let scratch = Scratch::new();
    let store = scratch.store();
    create(&store);
    let since = since_epoch();
    let mut dice = 20_261_126;
    let mut seen = Seen::default();
    for kill in 0..KILLS {
        let mut process = Command::new(std::env::current_exe().expect("it has a path"))
            .args(["a_process_that_is_killed", "--ignored"])
            .env(STORE, scratch.0.path())
            .env(SINCE, since.as_micros().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        let life = LIFE.mul_f64(roll(&mut dice, 1_000) as f64 / 1_000.0);
        thread::sleep(life);
        if kill % COMMAND == 0 {
            command(&store, kill % (2 * COMMAND) == 0, fast(since));
        }
        assert_eq!(
            process.try_wait().expect("it is ours"),
            None,
            "it ended by itself"
        );
        process.kill().expect("it is ours");
        process.wait().expect("it is ours");
        if kill % LOOK == 0 {
            seen.look(&store);
        }
    }
    let last = fast(since);
    come_to_an_end(&store, last, &mut seen);
    let asked = store.job_runs(&name(ASKED), 1_000).expect("it is there");
    assert_eq!(asked.len() as u64, KILLS / COMMAND);
    assert!(asked.iter().all(|run| run.state.is_final()), "{asked:?}");
    let job = store.job(&name(ASKED)).expect("it is there");
    let is_decided = job.changed.is_none() && job.next_due.is_some();
    assert!(is_decided && !job.is_paused, "{job:?}");
    let minutes = last.duration_since(at(BEGIN)).as_secs() / 60;
    assert!(minutes > 60, "only {minutes} minutes");
    seen.0.retain(|key, _| key.scheduled <= last);
    for job in 0..JOBS {
        for minute in 1..=minutes {
            let scheduled = at(BEGIN) + seconds(minute * 60);
            let run = seen.0.get(&RunKey { job, scheduled });
            let (state, good) = run.unwrap_or_else(|| panic!("{scheduled} of job {job} is lost"));
            assert!(state.is_final(), "{scheduled} of job {job} is {state:?}");
            assert_eq!(*good, usize::from(*state == RunState::Succeeded));
        }
    }
    assert_eq!(seen.0.len() as i64, JOBS * minutes);
    let succeeded = |(state, _): &&(RunState, usize)| *state == RunState::Succeeded;
    let succeeded = seen.0.values().filter(succeeded).count();
    assert!(succeeded > 50, "only {succeeded} runs went well");
}
