use jiff::Timestamp;

use super::Scratch;
use crate::store::{
    AttemptEnd, JobDeclaration, JobLedger, JobName, JobRecord, JobSettings, NextTimes, RunKey,
    RunState, Span, StoreError, Trigger,
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

fn at(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_second(second).unwrap())
}

fn declaration(job: &str, schedule: &str, next_due: i64) -> (JobDeclaration, Option<Timestamp>) {
    let declared = JobDeclaration {
        name: name(job),
        settings: settings(schedule),
        is_paused: false,
    };
    (declared, at(next_due))
}

/// Gives a job other settings, and has it be due at the third second.
fn change(
    _: &JobLedger<'_>,
    record: &mut JobRecord,
    declared: &JobDeclaration,
) -> Result<(), StoreError> {
    record.settings = declared.settings.clone();
    record.next_due = at(3);
    Ok(())
}

#[test]
fn a_store_from_before_there_were_jobs_gets_them() {
    let scratch = Scratch::new();
    drop(scratch.store());
    let database = scratch.database();
    database
        .execute_batch(
            "DROP TABLE job_attempts; DROP TABLE job_runs; DROP TABLE job_spans; DROP TABLE job_outcomes; DROP TABLE jobs;
             ALTER TABLE serving_host DROP COLUMN public_url;
             ALTER TABLE serving_host DROP COLUMN serves_functions;
             ALTER TABLE serving_host DROP COLUMN issuers;
             ALTER TABLE serving_host DROP COLUMN config;
             ALTER TABLE serving_host DROP COLUMN component;",
        )
        .unwrap();
    database.pragma_update(None, "user_version", 1).unwrap();
    let store = scratch.store();
    let created = store.create_job(&name("a"), &settings("@daily"), at(1));
    assert_eq!(store.jobs().unwrap(), [created.unwrap()]);
}

#[test]
fn a_store_from_before_spans_takes_what_was_due_for_decided() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let job = store
        .create_job(&name("a"), &settings("@daily"), at(60))
        .unwrap();
    let run = RunKey {
        job: job.id,
        scheduled: at(30).unwrap(),
    };
    let begun = store.write_jobs(|ledger| {
        ledger.add_run(run, Trigger::Schedule, at(30))?;
        ledger.begin_attempt(run, 1, run.scheduled)
    });
    begun.unwrap();
    drop(store);
    let database = scratch.database();
    database
        .execute_batch(
            "DROP TABLE job_spans; DROP TABLE job_outcomes;
             DROP INDEX job_runs_parked; DROP INDEX job_runs_next_attempt;
             ALTER TABLE jobs DROP COLUMN decided;
             ALTER TABLE job_runs DROP COLUMN since;
             ALTER TABLE job_runs DROP COLUMN parked;
             ALTER TABLE job_attempts DROP COLUMN took;
             CREATE INDEX job_runs_next_attempt ON job_runs (next_attempt) WHERE next_attempt IS NOT NULL;",
        )
        .unwrap();
    database.pragma_update(None, "user_version", 4).unwrap();
    drop(database);
    let store = scratch.store();
    let decided = at(60).unwrap() - jiff::SignedDuration::from_micros(1);
    assert_eq!(store.job(&name("a")).unwrap().decided, Some(decided));
    // What is under way counts from its first attempt.
    let end = AttemptEnd {
        time: at(31).unwrap(),
        took: None,
        code: "INTERNAL".into(),
        status: None,
        reason: None,
        execution: None,
    };
    let tried = store.write_jobs(|ledger| ledger.end_attempt(run, 1, &end));
    assert_eq!(tried.unwrap().unwrap().since, run.scheduled);
}

#[test]
fn of_too_many_spans_the_latest_are_kept() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let job = store
        .create_job(&name("a"), &settings("@daily"), at(1))
        .unwrap();
    let span = |second| Span {
        first: at(second).unwrap(),
        last: at(second).unwrap(),
    };
    let spans: Vec<_> = (0..300).map(|number| span(number * 60)).collect();
    let kept = store.write_jobs(|ledger| {
        ledger.set_passed_over(job.id, &spans)?;
        ledger.passed_over(job.id)
    });
    assert_eq!(kept.unwrap(), spans[44..]);
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
    let refused = store.change_job(&name("a"), |_, record| {
        record.is_paused = true;
        Err(StoreError::Settings("no".into()))
    });
    assert_eq!(refused.unwrap_err().to_string(), "no");
    assert_eq!(store.job(&name("a")).unwrap(), before);
}

#[test]
fn a_file_declares_all_of_its_jobs_and_what_stays_the_same_keeps_its_time() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let first = [declaration("a", "@daily", 1), declaration("b", "@daily", 1)];
    store.declare_jobs("host.toml", &first, change).unwrap();
    let second = [declaration("a", "@daily", 2), declaration("c", "@daily", 2)];
    store.declare_jobs("host.toml", &second, change).unwrap();
    let jobs = store.jobs().unwrap();
    let times: Vec<_> = jobs
        .iter()
        .map(|job| (job.name.as_str(), job.next_due))
        .collect();
    assert_eq!(times, [("a", at(1)), ("c", at(2))]);
    store
        .declare_jobs("host.toml", &[declaration("a", "@hourly", 3)], change)
        .unwrap();
    assert_eq!(store.job(&name("a")).unwrap().next_due, at(3));
}

#[test]
fn commands_do_not_change_what_a_file_declares_nor_the_other_way_round() {
    let scratch = Scratch::new();
    let store = scratch.store();
    store
        .declare_jobs("host.toml", &[declaration("a", "@daily", 1)], change)
        .unwrap();
    let deleted = store.delete_job(&name("a"));
    assert!(matches!(deleted, Err(StoreError::JobDeclared { .. })));
    let changed = store.change_job(&name("a"), |_, _| Ok(()));
    assert!(matches!(changed, Err(StoreError::JobDeclared { .. })));
    store
        .create_job(&name("b"), &settings("@daily"), at(1))
        .unwrap();
    let both = [declaration("b", "@daily", 1)];
    for refused in [
        store.check_jobs(both.iter().map(|(job, _)| &job.name)),
        store.declare_jobs("host.toml", &both, change),
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
        scheduled: at(1).unwrap(),
    };
    let add = || store.write_jobs(|ledger| ledger.add_run(run, Trigger::Schedule, at(1)));
    assert_eq!((add().unwrap(), add().unwrap()), (true, false));
    let missed = store.write_jobs(|ledger| {
        let (state, now) = (RunState::Missed, run.scheduled);
        ledger.add_ended_run(run, Trigger::Schedule, state, "late", now)
    });
    assert!(!missed.unwrap());
    store.delete_job(&name("a")).unwrap();
    let again = store
        .create_job(&name("a"), &settings("@daily"), None)
        .unwrap();
    assert_ne!(again.id, job.id);
    assert_eq!(store.job_runs(&name("a"), 10).unwrap(), []);
    assert_eq!(store.next_job_times().unwrap(), NextTimes::default());
}

#[test]
fn what_a_transaction_fails_at_is_not_done() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let job = store
        .create_job(&name("a"), &settings("@daily"), at(1))
        .unwrap();
    let failed = store.write_jobs(|ledger| {
        ledger.set_next_due(job.id, at(9))?;
        Err::<(), _>(StoreError::Settings("no".into()))
    });
    assert!(failed.is_err());
    assert_eq!(store.job(&name("a")).unwrap(), job);
}
