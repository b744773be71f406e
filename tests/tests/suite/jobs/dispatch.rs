//! What jobs call, with what, and what comes of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Certificate, State, Target, guest, wait_until};

/// A schedule that does not come while a specification runs: jobs are run by hand.
const NEVER: &str = "0 0 29 2 *";

/// The codes of the attempts of `run`.
fn codes(run: &Value) -> Vec<&str> {
    let attempts = run["attempts"].as_array().expect("there is a list");
    let codes = attempts.iter();
    codes
        .map(|attempt| attempt["status"].as_str().unwrap_or("none"))
        .collect()
}

/// That `run` ended so, after attempts with these codes.
#[track_caller]
fn assert_ended(run: &Value, state: &str, expected: &[&str]) {
    assert_eq!((&run["state"], &*codes(run)), (&json!(state), expected));
}

#[track_caller]
fn assert_reason(run: &Value, words: &str) {
    let reason = run["reason"].as_str();
    assert!(reason.is_some_and(|reason| reason.contains(words)), "{run}");
}

#[test]
fn the_tutorials_job_calls_a_private_function_with_a_token() {
    let state = State::new();
    let account = "myserviceaccount@host.internal";
    let made = state
        .command(["iam", "service-accounts", "create", "myserviceaccount"])
        .run();
    assert_eq!(made.code, Some(0), "{made:?}");
    let host = state.serve().start();
    let url = format!("http://{}/hello_world", host.addr());
    let deployed = state
        .functions(["deploy", "hello_world", "--source"])
        .arg(guest("hello"))
        .run();
    assert_eq!(deployed.code, Some(0), "{deployed:?}");
    state.create_job(
        "my-hourly-job",
        "0 * * * *",
        &url,
        &[
            "--time-zone=Australia/Sydney",
            "--http-method=POST",
            "--oidc-service-account-email",
            account,
            "--message-body",
            r#"{"name": "Scheduler"}"#,
        ],
    );
    state.run_job("my-hourly-job");
    let run = state.ended_run("my-hourly-job");
    assert_ended(&run, "failed", &["PERMISSION_DENIED"]);
    let output = state
        .functions(["add-iam-policy-binding", "hello_world"])
        .arg(format!("--member=serviceAccount:{account}"))
        .arg("--role=roles/cloudfunctions.invoker")
        .run();
    assert_eq!(output.code, Some(0), "{output:?}");
    wait_until("the account may call", || {
        state.run_job("my-hourly-job");
        state.ended_run("my-hourly-job")["state"] == "succeeded"
    });
    let run = state.ended_run("my-hourly-job");
    let attempt = &run["attempts"][0];
    assert_eq!(
        (&attempt["httpStatus"], &attempt["number"]),
        (&json!(200), &json!(1))
    );
    let id = attempt["executionId"].as_str().expect("it has one");
    let line = host.wait_for_log(|line| line.contains(id) && line.contains("Hello Scheduler!"));
    assert!(line.contains("hello_world"), "{line}");
    for word in ["AttemptStarted", "AttemptFinished"] {
        host.wait_for_log(|line| line.contains("my-hourly-job") && line.contains(word));
    }
    let finished = format!("status=OK execution={id}");
    host.wait_for_log(|line| line.contains(&finished));
    let job = state.job("my-hourly-job");
    assert_eq!(job["status"]["code"], "OK");
    // The job's entries, and in between those of the execution that it caused.
    wait_until("the attempt's end is kept", || {
        let texts = state.kept_texts("--job my-hourly-job --limit 5");
        texts[0].starts_with("AttemptStarted")
            && texts[1] == "Function execution started"
            && texts[2] == "Hello Scheduler!"
            && texts[3].starts_with("Function execution took")
            && texts[4].contains(&finished)
    });
    let entries = state.kept("--job my-hourly-job --limit 5");
    assert_eq!(
        entries[4]["labels"],
        json!({"execution_id": id, "job_id": "my-hourly-job"})
    );
    assert_eq!(state.kept("--job another").len(), 0);
}

#[test]
fn a_request_carries_what_its_job_says_and_what_a_scheduler_adds() {
    let state = State::new();
    let target = Target::start();
    let _host = state.serve().start();
    let settings = [
        "--http-method=put",
        "--headers=Content-Type=application/json,X-Mine=1",
        "--message-body={}",
    ];
    state.create_job("job", NEVER, &target.url("/a?b=c"), &settings);
    state.run_job("job");
    let run = state.ended_run("job");
    assert_eq!(run["trigger"], "manual");
    let received = &target.received("/a")[0];
    assert_eq!(received.line, "PUT /a?b=c");
    assert_eq!(received.body, b"{}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-mine", "1"),
        ("user-agent", "Google-Cloud-Scheduler"),
        ("x-cloudscheduler", "true"),
        ("x-cloudscheduler-jobname", "job"),
    ] {
        assert_eq!(
            received.fields.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    let scheduled = received.fields.get("x-cloudscheduler-scheduletime");
    assert_eq!(scheduled.map(String::as_str), run["scheduledTime"].as_str());
    assert!(received.fields.contains_key("traceparent"));
    assert!(!received.fields.contains_key("authorization"));
}

#[test]
fn failures_are_tried_again_as_often_as_was_said() {
    let state = State::new();
    let target = Target::start();
    let _host = state.serve().start();
    let settings = ["--max-retry-attempts=2", "--min-backoff=100ms"];
    state.create_job("recovers", NEVER, &target.url("/recovers/2"), &settings);
    state.create_job("fails", NEVER, &target.url("/status/503"), &settings);
    state.create_job("refused", NEVER, "http://127.0.0.1:1/", &[]);
    for job in ["recovers", "fails", "refused"] {
        state.run_job(job);
    }
    let run = state.ended_run("recovers");
    assert_ended(&run, "succeeded", &["INTERNAL", "INTERNAL", "OK"]);
    let run = state.ended_run("fails");
    assert_ended(&run, "failed", &["INTERNAL"; 3]);
    assert_eq!(run["reason"], "Original HTTP response code number = 503");
    let times: Vec<_> = target
        .received("/status/503")
        .iter()
        .map(|request| request.time)
        .collect();
    for (pair, least) in times.windows(2).zip([100, 200]) {
        let waited = pair[1].duration_since(pair[0]).expect("time goes on");
        assert!(waited >= Duration::from_millis(least), "{waited:?}");
    }
    let run = state.ended_run("refused");
    assert_eq!(codes(&run), ["UNAVAILABLE"]);
    assert_reason(&run, "refused");
}

#[test]
fn only_a_function_of_this_host_says_which_execution_it_was() {
    let state = State::new();
    let target = Target::start();
    let other = State::new();
    let host = state.serve().start();
    let elsewhere = other.serve().start();
    for state in [&state, &other] {
        state.deploy("hello", "hello", &[]);
    }
    let own = |host: &str, port| format!("http://{host}:{port}/hello");
    let (here, there) = (host.addr().port(), elsewhere.addr().port());
    for (job, uri, is_own) in [
        ("own", own("127.0.0.1", here), true),
        ("own-by-name", own("localhost", here), true),
        ("another-host", own("127.0.0.1", there), false),
        ("outside", target.url("/claims/rndmid64qasr"), false),
    ] {
        state.create_job(job, NEVER, &uri, &["--message-body={}"]);
        state.run_job(job);
        let run = state.ended_run(job);
        assert_eq!(run["state"], "succeeded", "{job}: {run}");
        let id = &run["attempts"][0]["executionId"];
        assert_eq!(id.is_string(), is_own, "{job}: {run}");
    }
    let is_claim = |line: &String| line.contains("rndmid64qasr");
    assert!(!host.log().iter().any(is_claim), "{:#?}", host.log());
}

#[test]
fn redirects_are_not_followed() {
    let state = State::new();
    let target = Target::start();
    let _host = state.serve().start();
    let uri = target.url(&format!("/redirect?{}", target.url("/elsewhere")));
    state.create_job("job", NEVER, &uri, &[]);
    state.run_job("job");
    let run = state.ended_run("job");
    assert_ended(&run, "failed", &["UNKNOWN"]);
    assert_eq!(target.received("/elsewhere").len(), 0);
}

#[test]
fn a_hung_target_is_given_up_at_the_deadline_and_harms_no_other_job() {
    let state = State::new();
    let target = Target::start();
    let _host = state.serve().start();
    state.create_job(
        "hangs",
        NEVER,
        &target.url("/hangs"),
        &["--attempt-deadline=15s"],
    );
    state.create_job("other", NEVER, &target.url("/other"), &[]);
    for _ in 0..20 {
        state.run_job("hangs");
    }
    wait_until("all hang", || target.received("/hangs").len() == 20);
    let begun = Instant::now();
    state.run_job("other");
    assert_eq!(state.ended_run("other")["state"], "succeeded");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let run = state.ended_run("hangs");
    assert_eq!(codes(&run), ["DEADLINE_EXCEEDED"]);
    assert_eq!(run["reason"], "no complete answer within 15s");
}

#[test]
fn certificates_are_verified_and_an_authority_of_ones_own_can_be_given() {
    let state = State::new();
    // As `openssl req -x509` makes it.
    let certificate = Certificate::of_authority(&["localhost"]);
    let (chain, key) = certificate.write_to(state.beside());
    let target = State::new();
    let server = target
        .serve()
        .arg("--tls-cert")
        .arg(&chain)
        .arg("--tls-key")
        .arg(key)
        .start();
    target.deploy("echoes", "echoes", &[]);
    let url = format!("https://localhost:{}/echoes", server.addr().port());
    state.create_job("job", NEVER, &url, &[]);
    for (arguments, expected) in [
        (vec![], "UNAVAILABLE"),
        (vec!["--job-ca".into(), chain.into_os_string()], "OK"),
    ] {
        let _host = state.serve().args(arguments).start();
        state.run_job("job");
        let run = state.ended_run("job");
        assert_eq!(codes(&run), [expected]);
        let reason = run["reason"].as_str().unwrap_or_default();
        assert_eq!(reason.contains("CA:TRUE"), expected != "OK", "{run}");
    }
}

#[test]
fn where_jobs_may_call_can_be_restricted() {
    let state = State::new();
    let target = Target::start();
    let other = Target::start();
    let _host = state
        .serve()
        .arg(format!("--job-allow-outbound={}", target.url("")))
        .start();
    state.create_job("named", NEVER, &target.url("/"), &[]);
    state.create_job("other", NEVER, &other.url("/"), &[]);
    for job in ["named", "other"] {
        state.run_job(job);
    }
    assert_eq!(codes(&state.ended_run("named")), ["OK"]);
    let run = state.ended_run("other");
    assert_eq!(codes(&run), ["PERMISSION_DENIED"]);
    assert_reason(&run, "--job-allow-outbound");
    assert_eq!(other.received("/").len(), 0);
}

#[test]
fn what_becomes_of_jobs_is_counted() {
    let state = State::new();
    let target = Target::start();
    let host = state.serve().start();
    state.create_job("goes-well", NEVER, &target.url("/"), &[]);
    state.create_job("fails", NEVER, &target.url("/status/500"), &[]);
    for job in ["goes-well", "fails"] {
        state.run_job(job);
        state.ended_run(job);
    }
    assert_eq!(
        state.jobs(["pause", "fails"]).run().stderr,
        "Job has been paused.\n"
    );
    wait_until("jobs are counted", || {
        let metrics = host.metrics();
        let value = |series| metrics.value(series);
        value("host_jobs{state=\"paused\"}") == 1.0
            && value("host_jobs{state=\"enabled\"}") == 1.0
            && value("host_job_runs_total{outcome=\"succeeded\"}") == 1.0
            && value("host_job_runs_total{outcome=\"failed\"}") == 1.0
            && value("host_job_attempts_total{result=\"success\"}") == 1.0
            && value("host_job_lateness_seconds_count") == 2.0
            && value("host_jobs_next_due_seconds") > 1.7e9
    });
}

#[test]
fn the_trigger_is_counted_beside_the_jobs_of_the_store() {
    let state = State::new();
    state.create_job("job", NEVER, "http://127.0.0.1:1/", &[]);
    let host = state
        .serve()
        .arg(guest("hello"))
        .arg("--with-functions")
        .arg(format!("--schedule={NEVER}"))
        .start();
    wait_until("both are counted", || {
        host.metrics().value("host_jobs{state=\"enabled\"}") == 2.0
    });
}

#[test]
fn jobs_of_a_file_come_and_go_with_it_and_commands_leave_them_alone() {
    let state = State::new();
    let target = Target::start();
    let text = format!(
        "[jobs.declared]\nschedule = \"{NEVER}\"\nuri = \"{}\"\nmessage-body = \"hello\"\n",
        target.url("/declared")
    );
    let file = state.file("host.toml", text);
    {
        let _host = state.serve().arg("--config").arg(&file).start();
        state.run_job("declared");
        assert_eq!(state.ended_run("declared")["state"], "succeeded");
        assert_eq!(target.received("/declared")[0].body, b"hello");
        for verb in ["pause", "delete"] {
            let output = state.jobs([verb, "declared", "--quiet"]).run();
            assert_eq!(output.code, Some(1), "{output:?}");
            assert!(
                output.stderr.contains("is declared in"),
                "{}",
                output.stderr
            );
        }
        let output = state.command(["config", "check"]).arg(&file).run();
        assert_eq!(output.code, Some(0), "{output:?}");
    }
    let _host = state.serve().start();
    assert_eq!(state.jobs(["list"]).run().stderr, "Listed 0 items.\n");
}

#[test]
fn what_is_wrong_with_a_job_of_a_file_is_told_with_its_line() {
    let state = State::new();
    for (text, expected) in [
        (
            "[jobs.a]\nschedule = \"0 24 * * *\"\nuri = \"http://a/\"\n",
            "host.toml:2:12: the hour (field 2)",
        ),
        (
            "[jobs.a]\nschedule = \"0 0 30 2 */2\"\nuri = \"http://a/\"\n",
            "host.toml:2:12: it never comes",
        ),
        (
            "[jobs.a]\nschedule = \"@daily\"\nuri = \"a\"\n",
            "host.toml:3:7: `a` is not a target",
        ),
        (
            "[jobs.\"a b\"]\nschedule = \"@daily\"\nuri = \"a\"\n",
            "host.toml:1:7: `a b` is not a job name",
        ),
    ] {
        let file = state.file("host.toml", text);
        let output = state.command(["config", "check"]).arg(file).run();
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(expected), "{}", output.stderr);
    }
}
