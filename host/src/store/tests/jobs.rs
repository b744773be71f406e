use jiff::Timestamp;

use super::Scratch;
use crate::store::{
    DueBy, JobChange, JobDeclaration, JobName, JobRecord, JobSettings, NextTimes, RunKey, RunState,
    Store, StoreError, Trigger,
};

fn name(text: &str) -> JobName {
    text.parse().unwrap()
}

fn settings(schedule: &str) -> JobSettings {
    JobSettings {
        schedule: schedule.into(),
        uri: "http://127.0.0.1:8080/".into(),
        ..JobSettings::default()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn declaration(job: &str, schedule: &str) -> JobDeclaration {
    JobDeclaration {
        name: name(job),
        settings: settings(schedule),
        is_paused: false,
    }
}

/// Takes up the changes of the job `a`.
fn changes(store: &Store) -> Vec<JobChange> {
    let job = store.job(&name("a")).unwrap().id;
    store.write_jobs(|ledger| ledger.take_changes(job)).unwrap()
}

fn was_due_by(schedule: &str) -> Option<DueBy> {
    Some(DueBy {
        schedule: schedule.into(),
        time_zone: "Etc/UTC".into(),
    })
}

#[test]
fn a_job_is_named_once_and_found_by_a_name_alike() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let create = || store.create_job(&name("my-hourly-job"), &settings("@hourly"), at(1));
    create().unwrap();
    assert!(matches!(create(), Err(StoreError::JobExists(_))));
    let error = store.job(&name("my-hourly-jo")).unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no job `my-hourly-jo`; did you mean `my-hourly-job`?"
    );
}

#[test]
fn a_change_that_is_refused_is_none() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let before = store
        .create_job(&name("a"), &settings("@daily"), at(1))
        .unwrap();
    let refused = store.change_job(&name("a"), at(2), |record| {
        record.is_paused = true;
        Err(StoreError::Settings("no".into()))
    });
    assert_eq!(refused.unwrap_err().to_string(), "no");
    assert_eq!(store.job(&name("a")).unwrap(), before);
}

#[test]
fn each_change_says_what_the_job_was_due_by_until_it_is_taken_up() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let record = store.create_job(&name("a"), &settings("@daily"), at(1));
    assert_eq!(record.unwrap().changed, Some(at(1)));
    let pause = |is_paused| {
        move |record: &mut JobRecord| {
            record.is_paused = is_paused;
            Ok(())
        }
    };
    store.change_job(&name("a"), at(2), pause(true)).unwrap();
    store.change_job(&name("a"), at(3), pause(false)).unwrap();
    let record = store.change_job(&name("a"), at(4), |record| {
        record.settings.schedule = "@hourly".into();
        Ok(())
    });
    assert_eq!(store.job(&name("a")).unwrap(), record.unwrap());
    let change = |second, was_due_by, is_pause| JobChange {
        time: at(second),
        was_due_by,
        is_pause,
    };
    let expected = [
        change(1, None, false),
        change(2, was_due_by("@daily"), true),
        change(3, None, false),
        change(4, was_due_by("@daily"), false),
    ];
    assert_eq!(changes(&store), expected);
    assert_eq!(changes(&store), []);
    assert_eq!(store.job(&name("a")).unwrap().changed, None);
}

#[test]
fn a_file_declares_all_of_its_jobs_and_those_that_stay_the_same_are_not_changed() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let declare = |second, jobs: &[JobDeclaration]| {
        store.declare_jobs("host.toml", jobs, at(second)).unwrap();
    };
    declare(1, &[declaration("a", "@daily"), declaration("b", "@daily")]);
    declare(2, &[declaration("a", "@daily"), declaration("c", "@daily")]);
    let jobs = store.jobs().unwrap();
    let times: Vec<_> = jobs
        .iter()
        .map(|job| (job.name.as_str(), job.changed))
        .collect();
    assert_eq!(times, [("a", Some(at(1))), ("c", Some(at(2)))]);
    assert_eq!(changes(&store).len(), 1);
    declare(3, &[declaration("a", "@hourly")]);
    assert_eq!(changes(&store)[0].was_due_by, was_due_by("@daily"));
}

#[test]
fn commands_do_not_change_what_a_file_declares_nor_the_other_way_round() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .declare_jobs("host.toml", &[declaration("a", "@daily")], at(1))
        .unwrap();
    let deleted = store.delete_job(&name("a"));
    assert!(matches!(deleted, Err(StoreError::JobDeclared { .. })));
    let changed = store.change_job(&name("a"), at(2), |_| Ok(()));
    assert!(matches!(changed, Err(StoreError::JobDeclared { .. })));
    store
        .create_job(&name("b"), &settings("@daily"), at(1))
        .unwrap();
    let both = [declaration("b", "@daily")];
    for refused in [
        store.check_jobs(both.iter().map(|job| &job.name)),
        store.declare_jobs("host.toml", &both, at(2)),
    ] {
        assert!(matches!(refused, Err(StoreError::JobCreated(_))));
    }
    assert_eq!(store.jobs().unwrap().len(), 2);
}

#[test]
fn a_job_has_one_run_for_each_time_and_takes_them_with_it() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let job = store
        .create_job(&name("a"), &settings("@daily"), at(1))
        .unwrap();
    let run = RunKey {
        job: job.id,
        scheduled: at(1),
    };
    let add = || store.write_jobs(|ledger| ledger.add_run(run, Trigger::Schedule, Some(at(1))));
    assert_eq!((add().unwrap(), add().unwrap()), (true, false));
    let missed = store.write_jobs(|ledger| {
        let (state, now) = (RunState::Missed, run.scheduled);
        ledger.add_ended_run(run, Trigger::Schedule, state, "late", now)
    });
    assert!(!missed.unwrap());
    store.delete_job(&name("a")).unwrap();
    let again = store
        .create_job(&name("a"), &settings("@daily"), at(2))
        .unwrap();
    assert_ne!(again.id, job.id);
    assert_eq!(store.job_runs(&name("a"), 10).unwrap(), []);
    let next = store.next_job_times(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(next, NextTimes::default());
    assert_eq!(changes(&store).len(), 1);
}

#[test]
fn what_a_transaction_fails_at_is_not_done() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let job = store
        .create_job(&name("a"), &settings("@daily"), at(1))
        .unwrap();
    let failed = store.write_jobs(|ledger| {
        ledger.decide(job.id, at(8), Some(at(9)), Some(at(9)))?;
        Err::<(), _>(StoreError::Settings("no".into()))
    });
    assert!(failed.is_err());
    assert_eq!(store.job(&name("a")).unwrap(), job);
}
