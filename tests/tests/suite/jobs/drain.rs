//! Jobs while a host ends in good order: nothing that was begun is lost, and nothing is made twice that could finish.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::{Host, PATIENCE, Signal, State, Target, wait_until};

/// A schedule that does not come while a specification runs: jobs are run by hand.
const NEVER: &str = "0 0 29 2 *";
/// As long as functions may take, and a drain a little longer.
const DRAIN: Duration = Duration::from_secs(90);

/// The codes of the attempts of `run`.
fn codes(run: &Value) -> Vec<&str> {
    let attempts = run["attempts"].as_array().expect("there is a list");
    let attempts = attempts.iter();
    attempts
        .filter_map(|attempt| attempt["status"].as_str())
        .collect()
}

/// The time until the next minute begins.
fn to_minute() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("it is after 1970");
    Duration::from_millis(60_000 - (now.as_millis() % 60_000) as u64)
}

/// A host at the address that `before` had.
fn again(state: &State, before: &Host, config: &str) -> Host {
    let addr = format!("--addr={}", before.addr());
    let serve = ["serve", "--admin-addr=127.0.0.1:0", &addr, config];
    state.command(serve).start()
}

#[test]
fn an_attempt_that_takes_long_finishes_in_the_drain_and_is_made_once() {
    let state = State::new();
    let target = Target::start();
    let host = state.serve().start();
    state.deploy("sleeps", "sleeps", &[]);
    let function = format!("http://{}/sleeps?ms=8000", host.addr());
    state.create_job("own", NEVER, &function, &[]);
    state.create_job("other", NEVER, &target.url("/slow/8000"), &[]);
    for job in ["own", "other"] {
        state.run_job(job);
    }
    host.wait_for_log(|line| line.contains("Function execution started"));
    wait_until("the other is called", || {
        !target.received("/slow/8000").is_empty()
    });
    host.signal(Signal::Term);
    assert!(host.wait(DRAIN).success());
    for job in ["own", "other"] {
        let run = &state.job_runs(job)[0];
        assert_eq!(
            (&run["state"], codes(run)),
            (&"succeeded".into(), vec!["OK"])
        );
    }
}

#[test]
fn a_target_that_hangs_holds_up_the_end_for_half_a_minute_and_is_called_again() {
    let state = State::new();
    let target = Target::start();
    state.create_job("job", NEVER, &target.url("/hangs"), &[]);
    let host = state.serve().start();
    state.run_job("job");
    wait_until("the attempt is under way", || {
        !target.received("/hangs").is_empty()
    });
    let begun = Instant::now();
    host.signal(Signal::Term);
    assert!(host.wait(DRAIN).success());
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
    let run = &state.job_runs("job")[0];
    assert_eq!(
        (&run["state"], codes(run)),
        (&"running".into(), vec!["ABORTED"])
    );
    let finished =
        |line: &String| line.contains("AttemptFinished") && line.contains("status=ABORTED");
    assert!(host.log().iter().any(finished), "{:#?}", host.log());
    let _host = state.serve().start();
    wait_until("it is called again", || {
        target.received("/hangs").len() == 2
    });
}

#[test]
fn no_run_of_a_function_of_this_host_fails_because_the_host_ends() {
    const JOBS: usize = 300;
    let state = State::new();
    let host = state.serve().start();
    state.deploy("hello", "hello", &[]);
    host.signal(Signal::Term);
    assert!(host.wait(PATIENCE).success());
    let mut text = String::new();
    for job in 0..JOBS {
        text.push_str(&format!(
            "[jobs.job-{job}]\nschedule = \"* * * * *\"\nuri = \"http://{}/hello\"\nmessage-body = \"{{}}\"\n",
            host.addr()
        ));
    }
    let config = format!("--config={}", state.file("host.toml", text).display());
    let before = again(&state, &host, &config);
    thread::sleep(to_minute().saturating_sub(Duration::from_secs(2)));
    before.wait_for_log(|line| line.contains("AttemptStarted"));
    before.signal(Signal::Term);
    assert!(before.wait(DRAIN).success());
    let _after = again(&state, &host, &config);
    for job in 0..JOBS {
        let run = state.ended_run(&format!("job-{job}"));
        assert_eq!(run["state"], "succeeded", "{run}");
    }
}
