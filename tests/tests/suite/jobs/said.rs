//! What a job says is what goes out, or it is refused.

use std::time::Duration;

use serde_json::json;
use tests::{Output, Signal, State, Target, guest, wait_until};

const NEVER: &str = "0 0 29 2 *";
const NOWHERE: &str = "http://127.0.0.1:1/";

#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    assert!(matches!(output.code, Some(1 | 2)), "{output:?}");
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
}

fn create(state: &State, settings: &[&str]) -> Output {
    let command = ["create", "http", "job", "--schedule", NEVER];
    state.jobs(command).args(settings).run()
}

#[test]
fn a_request_is_what_the_job_says() {
    let (state, target) = (State::new(), Target::start());
    let _host = state.serve().start();
    let headers = [
        "--headers=^;^Accept=text/html,application/json;X-One=1",
        "--headers=X-Two=2",
    ];
    state.create_job("said", NEVER, &target.url("/gr\u{fc}n?x=\u{fc}"), &headers);
    state.run_job("said");
    assert_eq!(state.ended_run("said")["state"], "succeeded");
    let received = &target.received("/gr%C3%BCn")[0];
    assert_eq!(received.line, "POST /gr%C3%BCn?x=%C3%BC");
    for (name, value) in [
        ("accept", "text/html,application/json"),
        ("x-one", "1"),
        ("x-two", "2"),
        // Without a body.
        ("content-length", "0"),
    ] {
        let found = received.fields.get(name).map(String::as_str);
        assert_eq!(found, Some(value), "{name}");
    }
}

#[test]
fn what_would_not_go_out_as_it_is_said_is_refused() {
    let state = State::new();
    for (settings, words) in [
        (
            &["--uri=http://127.0.0.1:65536/"][..],
            &["its port is `65536`"][..],
        ),
        (&["--uri=http://127.0.0.1:1/?a#b"], &["`#`", "%23"]),
        (
            &["--uri", NOWHERE, "--headers=traceparent=1"],
            &["`traceparent`"],
        ),
        (
            &["--uri", NOWHERE, "--headers=A=1,a=2"],
            &["`a` is given twice"],
        ),
        (
            &["--uri", NOWHERE, "--headers=A=1", "--headers=A=2"],
            &["`A` is given twice"],
        ),
        (&["--uri", NOWHERE, "--headers=A="], &["`a` has no value"]),
        (&["--uri", NOWHERE, "--headers=A=1,2"], &["^;^A=1,2;B=3"]),
        (
            &["--uri", NOWHERE, "--message-body="],
            &["the body is empty"],
        ),
        (&["--uri", NOWHERE, "--min-backoff=0s"], &["expected 100ms"]),
        (&["--uri", NOWHERE, "--time-zone="], &["is not a time zone"]),
        (
            &["--uri", NOWHERE, "--time-zone=Etc/Unknown"],
            &["is not a time zone"],
        ),
        (
            &[
                "--uri",
                NOWHERE,
                "--oidc-service-account-email=nobody@host.internal",
            ],
            &["nobody"],
        ),
        (
            &["--uri", NOWHERE, "--max-retry-duration=1h30"],
            &["`1h30` is not a duration"],
        ),
    ] {
        assert_refused(&create(&state, settings), words);
    }
}

#[test]
fn describe_prints_what_the_flags_take() {
    let state = State::new();
    let settings = [
        "--min-backoff=100ms",
        "--max-backoff=PT5M",
        "--attempt-deadline=1m30s",
    ];
    state.create_job("job", NEVER, NOWHERE, &settings);
    let job = state.job("job");
    let retry = &job["retryConfig"];
    assert_eq!(retry["minBackoffDuration"], "0.100s");
    assert_eq!(retry["maxBackoffDuration"], "300s");
    assert_eq!(job["attemptDeadline"], "90s");
    let flags = [
        ("--min-backoff", &retry["minBackoffDuration"]),
        ("--max-backoff", &retry["maxBackoffDuration"]),
        ("--max-retry-duration", &retry["maxRetryDuration"]),
        ("--attempt-deadline", &job["attemptDeadline"]),
    ];
    let flags = flags.map(|(flag, value)| format!("{flag}={}", value.as_str().unwrap_or_default()));
    let updated = state.jobs(["update", "http", "job"]).args(flags).run();
    assert_eq!(updated.code, Some(0), "{updated:?}");
    assert_eq!(state.job("job")["retryConfig"], *retry);
}

#[test]
fn a_target_may_say_when_it_is_tried_again() {
    let (state, target) = (State::new(), Target::start());
    let _host = state.serve().start();
    let once = ["--max-retry-attempts=1", "--min-backoff=100ms"];
    state.create_job("waits", NEVER, &target.url("/again/2"), &once);
    let bounded = [&once[..], &["--max-backoff=200ms"]].concat();
    state.create_job("bounded", NEVER, &target.url("/again/3600"), &bounded);
    for (job, path, least) in [
        ("waits", "/again/2", 2_000),
        ("bounded", "/again/3600", 200),
    ] {
        state.run_job(job);
        assert_eq!(state.ended_run(job)["state"], "succeeded", "{job}");
        let times: Vec<_> = target
            .received(path)
            .iter()
            .map(|request| request.time)
            .collect();
        let waited = times[1].duration_since(times[0]).expect("time goes on");
        assert!(waited >= Duration::from_millis(least), "{job}: {waited:?}");
    }
}

#[test]
fn a_dash_is_standard_input_for_one_flag() {
    let state = State::new();
    let body = state.file("body", "{\"a\":1}");
    let redirection = format!("< '{}'", body.display());
    let arguments = [
        "create",
        "http",
        "job",
        "--schedule",
        NEVER,
        "--uri",
        NOWHERE,
    ];
    let created = state
        .jobs(arguments)
        .arg("--message-body-from-file=-")
        .in_shell("", &redirection)
        .run();
    assert_eq!(created.code, Some(0), "{created:?}");
    assert_eq!(state.job("job")["httpTarget"]["body"], "eyJhIjoxfQ==");
    // It is applied to what the store has by then, with the same body.
    let updated = state
        .jobs(["update", "http", "job", "--message-body-from-file=-"])
        .in_shell("printf new |", "")
        .run();
    assert_eq!(updated.code, Some(0), "{updated:?}");
    assert_eq!(state.job("job")["httpTarget"]["body"], "bmV3");
    let twice = state
        .functions(["deploy", "f", "--source=-", "--env-vars-file=-"])
        .in_shell("", &redirection)
        .run();
    assert_refused(&twice, &["named twice", "--source", "--env-vars-file"]);
}

#[test]
fn variables_may_have_commas_by_gclouds_escape() {
    let state = State::new();
    let settings = ["--set-env-vars=^;^URL=db://a,b/c;B=2", "--set-env-vars=C=3"];
    state.deploy("f", "hello", &settings);
    let expected = json!({"URL": "db://a,b/c", "B": "2", "C": "3"});
    assert_eq!(state.describe("f")["environmentVariables"], expected);
}

#[test]
fn a_backup_may_be_a_stream() {
    let (state, other) = (State::new(), State::new());
    state.create_job("job", NEVER, NOWHERE, &[]);
    let file = state.beside().join("backup");
    let poured = state
        .command(["state", "backup", "-"])
        .in_shell("", &format!("> '{}'", file.display()))
        .run();
    assert_eq!(poured.code, Some(0), "{poured:?}");
    let restored = other
        .command(["state", "restore", "-"])
        .in_shell("", &format!("< '{}'", file.display()))
        .run();
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(other.job("job")["httpTarget"]["uri"], NOWHERE);
    let refused = State::new()
        .command(["state", "restore", "-"])
        .in_shell("printf nothing |", "")
        .run();
    assert_refused(&refused, &["standard input"]);
}

#[test]
fn a_file_declares_a_job_by_the_names_and_values_of_the_flags() {
    let state = State::new();
    state.file("body.json", "{}");
    let text = format!(
        "[jobs.job]\nschedule = \"{NEVER}\"\nuri = \"{NOWHERE}\"\npaused = true\nmax-retry-duration = \"0s\"\n\
         min-backoff = \"PT1.5S\"\nmessage-body-from-file = \"body.json\"\n"
    );
    let file = state.file("host.toml", text);
    let host = state.serve().arg("--config").arg(&file).start();
    let job = state.job("job");
    assert_eq!(job["state"], "PAUSED");
    assert_eq!(job["retryConfig"]["minBackoffDuration"], "1.500s");
    assert_eq!(job["httpTarget"]["body"], "e30=");
    state.file(
        "host.toml",
        format!("[jobs.job]\nschedule = \"{NEVER}\"\nuri = \"{NOWHERE}\"\n"),
    );
    host.signal(Signal::Hup);
    wait_until("the job is resumed", || {
        state.job("job")["state"] == "ENABLED"
    });
}

#[test]
fn an_account_that_is_not_there_is_an_error_where_a_file_names_it() {
    let state = State::new();
    state.create_job("other", NEVER, NOWHERE, &[]);
    let job = format!(
        "[jobs.job]\nschedule = \"{NEVER}\"\nuri = \"{NOWHERE}\"\noidc-service-account-email = \"nobody@host.internal\"\n"
    );
    let function = format!(
        "[functions.f]\nsource = {:?}\ninvokers = [\"serviceAccount:nobody@host.internal\"]\n",
        guest("echoes")
    );
    for (text, place) in [(job, "host.toml:4:30: "), (function, "host.toml:3:12: ")] {
        let file = state.file("host.toml", text);
        let file = file.display().to_string();
        let reasons = [place, "nobody@host.internal"];
        assert_refused(&state.command(["config", "check", &file]).run(), &reasons);
        let serve = state.serve().arg("--config").arg(&file).run();
        assert_refused(&serve, &reasons);
    }
}
