//! `host scheduler`: what its verbs do, what they print where, and how they end.

use serde_json::{Value, json};
use tests::{Output, State};

const URI: &str = "http://127.0.0.1:8080/hello_world";

#[track_caller]
fn assert_failed(output: &Output, words: &[&str]) {
    assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
}

/// That the binary said `stderr` and nothing else, and succeeded.
#[track_caller]
fn assert_said(output: &Output, stderr: &str) {
    assert_eq!((output.code, &*output.stdout), (Some(0), ""), "{output:?}");
    assert_eq!(output.stderr, stderr);
}

#[test]
fn create_prints_the_job_under_gclouds_names() {
    let state = State::new();
    let settings = [
        "--time-zone=Australia/Sydney",
        "--message-body={}",
        "--description=Hourly",
    ];
    let output = state.create_job("my-hourly-job", "0 * * * *", URI, &settings);
    assert_eq!(output.stderr, "");
    for line in [
        "attemptDeadline: 180s",
        "description: Hourly",
        "  body: e30=",
        "  httpMethod: POST",
        "  uri: http://127.0.0.1:8080/hello_world",
        "name: my-hourly-job",
        "  maxBackoffDuration: 3600s",
        "  maxDoublings: 5",
        "  maxRetryDuration: 0s",
        "  minBackoffDuration: 5s",
        "  retryCount: 0",
        "schedule: 0 * * * *",
        "state: ENABLED",
        "timeZone: Australia/Sydney",
    ] {
        assert!(
            output.stdout.lines().any(|shown| shown == line),
            "{line}: {}",
            output.stdout
        );
    }
    let job = state.job("my-hourly-job");
    assert!(
        job["scheduleTime"]
            .as_str()
            .is_some_and(|time| time.ends_with(":00:00Z")),
        "{job}"
    );
    let again = state
        .jobs([
            "create",
            "http",
            "my-hourly-job",
            "--schedule=@daily",
            "--uri",
            URI,
        ])
        .run();
    assert_failed(
        &again,
        &["there is a job `my-hourly-job` already", "update http"],
    );
}

#[test]
fn list_has_gclouds_columns() {
    let state = State::with_store();
    assert_said(&state.jobs(["list"]).run(), "Listed 0 items.\n");
    state.create_job(
        "my-hourly-job",
        "0 * * * *",
        URI,
        &["--time-zone=Australia/Sydney"],
    );
    state.create_job("b", "every monday 09:00", URI, &[]);
    let output = state.jobs(["list"]).run();
    assert_eq!(
        output.stdout,
        "ID             LOCATION  SCHEDULE (TZ)                 TARGET_TYPE  STATE\n\
         b              local     every monday 09:00 (Etc/UTC)  HTTP         ENABLED\n\
         my-hourly-job  local     0 * * * * (Australia/Sydney)  HTTP         ENABLED\n"
    );
    let output = state.jobs(["list", "--format=json"]).run();
    let jobs: Vec<Value> = serde_json::from_str(&output.stdout).expect("it is JSON");
    let names: Vec<_> = jobs.iter().map(|job| &job["name"]).collect();
    assert_eq!(names, ["b", "my-hourly-job"]);
}

#[test]
fn a_job_is_paused_and_resumed_and_deleted() {
    let state = State::new();
    state.create_job("job", "0 * * * *", URI, &[]);
    assert_failed(
        &state.jobs(["resume", "job"]).run(),
        &["ENABLED; expected PAUSED"],
    );
    assert_said(
        &state.jobs(["pause", "job"]).run(),
        "Job has been paused.\n",
    );
    assert_eq!(state.job("job")["state"], "PAUSED");
    assert_eq!(state.job("job")["scheduleTime"], Value::Null);
    assert_failed(
        &state.jobs(["pause", "job"]).run(),
        &["PAUSED; expected ENABLED"],
    );
    assert_said(
        &state.jobs(["resume", "job"]).run(),
        "Job has been resumed.\n",
    );
    assert!(state.job("job")["scheduleTime"].is_string());
    assert_failed(
        &state.jobs(["run", "job"]).run(),
        &["no host serves", "host serve"],
    );
    assert_said(
        &state.jobs(["delete", "job", "--quiet"]).run(),
        "Deleted job [job].\n",
    );
    assert_failed(
        &state.jobs(["describe", "job"]).run(),
        &["there is no job `job`"],
    );
}

#[test]
fn a_name_that_is_not_there_is_answered_with_the_one_most_like_it() {
    let state = State::new();
    state.create_job("my-hourly-job", "0 * * * *", URI, &[]);
    for verb in ["describe", "pause", "resume", "run", "delete"] {
        let output = state.jobs([verb, "my-hourly-jbo"]).run();
        assert_failed(&output, &["did you mean `my-hourly-job`?"]);
    }
}

#[test]
fn update_changes_what_is_named_and_clears_what_is_cleared() {
    let state = State::new();
    let settings = [
        "--time-zone=Australia/Sydney",
        "--headers=A=1,B=2",
        "--message-body=old",
        "--attempt-deadline=60s",
        "--max-retry-attempts=3",
        "--max-retry-duration=10m",
        "--min-backoff=1s",
        "--max-backoff=60s",
        "--max-doublings=2",
        "--description=Old",
    ];
    state.create_job("job", "0 * * * *", URI, &settings);
    let before = state.job("job");
    let update = |arguments: &[&str]| {
        let output = state.jobs(["update", "http", "job"]).args(arguments).run();
        assert_eq!(output.code, Some(0), "{output:?}");
        state.job("job")
    };
    let after = update(&[
        "--schedule=@daily",
        "--update-headers=b=3,C=4",
        "--remove-headers=a",
    ]);
    assert_eq!(after["schedule"], "@daily");
    assert_eq!(after["httpTarget"]["headers"], json!({"b": "3", "C": "4"}));
    assert_eq!(after["retryConfig"], before["retryConfig"]);
    assert_eq!(after["httpTarget"]["body"], before["httpTarget"]["body"]);
    let cleared = update(&[
        "--clear-headers",
        "--clear-message-body",
        "--clear-time-zone",
        "--clear-description",
        "--clear-attempt-deadline",
        "--clear-max-retry-attempts",
        "--clear-max-retry-duration",
        "--clear-min-backoff",
        "--clear-max-backoff",
        "--clear-max-doublings",
    ]);
    state.create_job("plain", "@daily", URI, &[]);
    let plain = state.job("plain");
    for key in [
        "attemptDeadline",
        "httpTarget",
        "retryConfig",
        "timeZone",
        "description",
        "scheduleTime",
    ] {
        assert_eq!(cleared[key], plain[key], "{key}");
    }
}

#[test]
fn what_makes_no_job_is_refused_and_changes_nothing() {
    let state = State::new();
    state.create_job("job", "0 * * * *", URI, &[]);
    let before = state.job("job");
    for (argument, words) in [
        ("--schedule=0 24 * * *", &["the hour (field 2) is `24`"][..]),
        ("--schedule=0 0 30 2 *", &["it never comes"]),
        (
            "--schedule=0 0 30 2 */2",
            &[
                "it never comes",
                "(field 3)",
                "(field 4)",
                "(field 5) is `*/2`",
            ],
        ),
        (
            "--time-zone=Mars/Olympus",
            &["`Mars/Olympus` is not a time zone"],
        ),
        ("--uri=ftp://a/", &["neither http nor https"]),
        ("--http-method=brew", &["not a method of a job"]),
        (
            "--attempt-deadline=14s",
            &["the attempt deadline is 14s; expected 15s to 1800s"],
        ),
        ("--attempt-deadline=31m", &["expected 15s to 1800s"]),
        (
            "--max-retry-attempts=6",
            &["the number of retries is 6; expected 0 to 5"],
        ),
        ("--update-headers=Host=a", &["is set by the host"]),
        (
            "--oidc-service-account-email=a@b",
            &["there is no service account a@b"],
        ),
        ("--oidc-token-audience=a", &["--oidc-service-account-email"]),
    ] {
        let output = state.jobs(["update", "http", "job", argument]).run();
        assert_failed(&output, words);
    }
    assert_eq!(state.job("job"), before);
    let output = state
        .jobs(["create", "http", "a b", "--schedule=@daily", "--uri", URI])
        .run();
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(
        output.stderr.contains("is not a job name"),
        "{}",
        output.stderr
    );
}

#[test]
fn next_shows_the_coming_times_with_a_word_where_clocks_change() {
    let state = State::new();
    let next = |arguments: &[&str]| {
        let output = state.command(["scheduler", "next"]).args(arguments).run();
        assert_eq!((output.code, &*output.stderr), (Some(0), ""), "{output:?}");
        output.stdout
    };
    let shown = next(&[
        "30 2 * * *",
        "--time-zone=Australia/Sydney",
        "--count=2",
        "--from=2026-10-02T20:00:00Z",
    ]);
    assert_eq!(
        shown,
        "TIME                       UTC                   NOTE\n\
         2026-10-04T03:00:00+11:00  2026-10-03T16:00:00Z  daylight saving: clocks skip 02:30\n\
         2026-10-05T02:30:00+11:00  2026-10-04T15:30:00Z\n"
    );
    let shown = next(&[
        "30 2 * * *",
        "--time-zone=Australia/Sydney",
        "--from=2026-04-04T12:00:00Z",
    ]);
    assert!(
        shown.contains("clocks show this time twice; only the first counts"),
        "{shown}"
    );
    let shown = next(&[
        "every 5 minutes",
        "--count=1",
        "--from=2026-11-24T10:01:00Z",
        "--format=json",
    ]);
    let times: Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!(times[0]["utc"], "2026-11-24T10:05:00Z");
    let output = state.command(["scheduler", "next", "* * * * 8"]).run();
    assert_failed(&output, &["the day of the week (field 5)"]);
    let output = state.command(["scheduler", "next", "0 0 31 4 */2"]).run();
    assert_failed(&output, &["it never comes", "(field 3)"]);
}

#[test]
fn a_job_that_never_ran_has_no_runs() {
    let state = State::new();
    state.create_job("job", "0 * * * *", URI, &[]);
    assert_said(
        &state.jobs(["runs", "list", "job"]).run(),
        "Listed 0 items.\n",
    );
    let output = state.jobs(["runs", "describe", "job"]).run();
    assert_failed(&output, &["has no such run"]);
}

#[test]
fn a_header_from_a_file_is_sent_and_shown_nowhere() {
    let state = State::new();
    let file = state.file("token", "Bearer tops3cret\n");
    let flag = format!("--header-from-file=Authorization={}", file.display());
    let flags = ["--headers=X-Plain=seen", &flag];
    let created = state.create_job("secret", "0 0 1 1 *", URI, &flags);
    let described = state.jobs(["describe", "secret"]).run();
    let listed = state.jobs(["list", "--format=json"]).run();
    let updated = state
        .jobs(["update", "http", "secret", "--description=other"])
        .run();
    for output in [created, described, listed, updated] {
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains("(hidden)"), "{output:?}");
        assert!(output.stdout.contains("seen"), "{output:?}");
        assert!(!format!("{output:?}").contains("tops3cret"), "{output:?}");
    }
    let missing = state
        .jobs([
            "update",
            "http",
            "secret",
            "--header-from-file=A=/no/such/file",
        ])
        .run();
    assert_failed(&missing, &["/no/such/file"]);
    let elsewhere = ["update", "http", "secret", "--uri=https://other.example/"];
    let refused = state.jobs(elsewhere).run();
    assert_failed(&refused, &["`Authorization`", "--header-from-file"]);
    let again = state.jobs(elsewhere).arg(&flag).run();
    assert_eq!(again.code, Some(0), "{again:?}");
}
