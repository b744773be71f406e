//! Databases of earlier versions are opened, and what is in them goes on.

use jiff::{SignedDuration, Timestamp};

use super::Scratch;
use crate::store::{
    AttemptEnd, AttemptRecord, BucketName, JobName, JobSettings, Quota, RunKey, RunState, schema,
};

fn name(text: &str) -> JobName {
    text.parse().unwrap()
}

fn settings() -> JobSettings {
    JobSettings {
        schedule: "@daily".into(),
        uri: "http://127.0.0.1:8080/".into(),
        ..JobSettings::default()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A database of the version `version`, with what `statements` write.
fn database(version: usize, statements: &str) -> Scratch {
    let scratch = Scratch::new();
    drop(scratch.store());
    // Emptied, so that it stays for its owner only.
    std::fs::write(scratch.file("host.db"), "").unwrap();
    let database = scratch.database();
    schema::create(&database, version).unwrap();
    database.execute_batch(statements).unwrap();
    scratch
}

/// Inserts jobs with these values of their columns, up to which all versions have them.
fn jobs(rows: &[(&str, bool, &str)]) -> String {
    let settings = serde_json::to_string(&settings()).unwrap();
    let row = |(name, is_paused, next_due): &(&str, bool, &str)| {
        format!(
            "INSERT INTO jobs (name, settings, is_paused, next_due, created, updated)
             VALUES ('{name}', '{settings}', {is_paused}, {next_due}, 'then', 'then');"
        )
    };
    rows.iter().map(row).collect()
}

#[test]
fn a_store_from_before_there_were_jobs_gets_them() {
    let store = database(1, "").store();
    let created = store.create_job(&name("a"), &settings(), at(1));
    assert_eq!(store.jobs().unwrap(), [created.unwrap()]);
}

#[test]
fn of_a_job_of_the_previous_version_what_was_due_before_its_next_time_is_decided() {
    let rows = [
        ("due", false, "60000000"),
        ("decided", false, "60000000"),
        ("paused", true, "NULL"),
        // To be looked at an hour after it was.
        ("disabled", false, "3660000001"),
    ];
    let decided = "UPDATE jobs SET decided = 90000000 WHERE name IN ('decided', 'paused');
                   INSERT INTO job_spans VALUES (2, 1, 2);
                   INSERT INTO job_outcomes VALUES ('missed', 1);";
    let store = database(5, &(jobs(&rows) + decided)).store();
    let found = |job| {
        let record = store.job(&name(job)).unwrap();
        (record.decided, record.next_due, record.changed)
    };
    let before = at(60) - SignedDuration::from_micros(1);
    assert_eq!(found("due"), (Some(before), Some(at(60)), None));
    assert_eq!(found("decided"), (Some(before), Some(at(60)), None));
    assert_eq!(found("paused"), (Some(at(90)), None, None));
    let looked = at(60) + SignedDuration::from_micros(1);
    assert_eq!(found("disabled"), (Some(looked), None, None));
    let due = store.write_jobs(|ledger| ledger.due_jobs(at(3_661), 10));
    let due: Vec<_> = due.unwrap().jobs.into_iter().map(|job| job.name).collect();
    assert_eq!(due, ["due", "decided", "disabled"].map(name));
}

#[test]
fn jobs_runs_and_attempts_of_all_earlier_versions_go_on() {
    let rows = "INSERT INTO job_runs (job, scheduled, trigger, state, next_attempt) VALUES
                (1, 10, 'schedule', 'running', NULL), (1, 20, 'manual', 'waiting', 0);
                INSERT INTO job_attempts (job, scheduled, number, started, ended) VALUES (1, 10, 1, 11, 12), (1, 10, 2, 13, NULL);";
    for version in 2..=5 {
        // What the others cannot tell comes from the first attempt.
        let since = match version {
            5 => {
                "UPDATE job_runs SET since = 11 WHERE scheduled = 10; UPDATE job_runs SET parked = 'job 1' WHERE scheduled = 20;"
            }
            _ => "",
        };
        let jobs = jobs(&[("a", false, "60000000"), ("b", false, "3660000001")]);
        let scratch = database(version, &(jobs + rows + since));
        let store = scratch.store();
        let decided = ["a", "b"].map(|job| store.job(&name(job)).unwrap().decided);
        let before = SignedDuration::from_micros(1);
        assert_eq!(decided, [Some(at(60) - before), Some(at(60) + before)]);
        let runs = store.job_runs(&name("a"), 10).unwrap();
        let states: Vec<_> = runs.iter().map(|run| run.state).collect();
        assert_eq!(states, [RunState::Waiting, RunState::Running]);
        let started = |attempt: &AttemptRecord| attempt.started.as_microsecond();
        let started: Vec<_> = runs[1].attempts.iter().map(started).collect();
        assert_eq!(started, [11, 13]);
        // What waited for a permit is to be tried.
        let pending = store.write_jobs(|ledger| ledger.pending_runs(at(1), None, 10));
        assert_eq!(pending.unwrap().len(), 1);
        let end = AttemptEnd {
            time: at(1),
            took: None,
            code: "OK".into(),
            status: None,
            reason: None,
            execution: None,
        };
        let run = RunKey {
            job: 1,
            scheduled: runs[1].scheduled,
        };
        let tried = store.write_jobs(|ledger| ledger.end_attempt(run, 2, &end));
        let since = tried.unwrap().unwrap().since;
        assert_eq!(since.as_microsecond(), 11, "of version {version}");
    }
}

#[test]
fn functions_from_before_there_were_buckets_get_theirs() {
    let function = "INSERT INTO components VALUES ('c', x'00');
                    INSERT INTO functions VALUES ('f', 1, 'c', '{}', NULL, 'then', 'then');";
    let store = database(6, function).store();
    let own = BucketName::Function("f".into());
    let entry = ("a".to_owned(), vec![1]);
    let set = store.write_keyvalue(|ledger| ledger.set(&own, &[entry], Quota::UNLIMITED));
    set.unwrap().unwrap();
}

#[test]
fn a_store_from_before_there_were_uploads_and_operations_gets_them() {
    let store = database(7, "").store();
    let id = store.begin_upload(at(1)).unwrap();
    store.put_upload(&id, b"wasm", at(2)).unwrap();
    assert_eq!(store.take_upload(&id, at(3)).unwrap(), &b"wasm"[..]);
    assert_eq!(store.operations(10, None).unwrap(), []);
}
