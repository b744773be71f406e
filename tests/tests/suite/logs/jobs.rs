//! What a job has caused, found in the log: what its attempts say, and all entries of the executions that they lead to.

use std::time::{Duration, Instant};

use tests::{PATIENCE, Signal, State, Target, wait_until};

/// Never by itself: the runs are asked for.
const NEVER: &str = "0 0 1 1 *";

/// A state with the function `prints`, a host that serves it, and a job that calls it.
fn with_job(kind: &str) -> (State, tests::Host) {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("prints", "prints", &[]);
    let url = format!("http://{}/prints?kind={kind}", host.addr());
    state.create_job("nightly", NEVER, &url, &[]);
    (state, host)
}

fn run(state: &State, job: &str) {
    let before = state.job_runs(job).len();
    state.run_job(job);
    wait_until("the run has begun", || state.job_runs(job).len() > before);
    state.ended_run(job);
    wait_until("the end of the attempt is kept", || {
        let texts = state.kept_texts(&format!("{job} --job {job} --limit 1000"));
        let count = |word: &str| texts.iter().filter(|text| text.starts_with(word)).count();
        count("AttemptFinished") == before + 1
    });
}

#[test]
fn a_job_is_a_filter_among_others() {
    let (state, host) = with_job("interleaved");
    // Others call the same function.
    for _ in 0..3 {
        host.get("/prints?kind=interleaved");
    }
    for _ in 0..3 {
        run(&state, "nightly");
        state.kept_of(host.get("/prints?kind=interleaved").execution_id());
    }
    let texts = |arguments: &str| state.kept_texts(&format!("--job nightly {arguments}"));
    // Each run has two entries of its attempt and six of its execution.
    assert_eq!(texts("--limit 1000").len(), 24);
    assert_eq!(texts("prints --limit 1000").len(), 18);
    assert_eq!(texts("nightly --limit 1000").len(), 6);
    assert_eq!(texts("--contains out").len(), 6);
    assert_eq!(texts("--regex ^err.2$"), ["err 2"; 3]);
    assert_eq!(texts("--severity error --limit 2"), ["err 1", "err 2"]);
    assert_eq!(texts("--status 200").len(), 3);
    let last = texts("--limit 8");
    assert!(last[0].starts_with("AttemptStarted"), "{last:?}");
    assert_eq!(
        last[1..6],
        [
            "Function execution started",
            "out 1",
            "err 1",
            "out 2",
            "err 2"
        ]
    );
    let mut backwards = texts("--limit 8 --order desc");
    backwards.reverse();
    assert_eq!(backwards, last);
    let newest = state.kept("prints --job nightly --limit 1")[0].clone();
    let id = newest["labels"]["execution_id"].as_str().unwrap();
    let trace = newest["trace"].as_str().unwrap();
    assert_eq!(texts(&format!("prints --execution-id {id}")).len(), 6);
    assert_eq!(texts(&format!("--trace {trace}")).len(), 8);
    let time = newest["timestamp"].as_str().unwrap();
    assert_eq!(texts(&format!("prints --start-time {time}")).len(), 1);
    assert!(state.kept("--job night").is_empty());
}

#[test]
fn who_follows_a_job_sees_what_its_executions_print_while_they_run() {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("loud", "floods_log", &["--timeout=60s"]);
    let url = format!("http://{}/loud", host.addr());
    state.create_job("nightly", NEVER, &url, &[]);
    let following = state.follow_log("--job nightly --limit 5");
    // Another execution of the same function, which is not the job's.
    let mut other = host.connect();
    other.send("GET /loud HTTP/1.1\r\nHost: x\r\n\r\n");
    state.run_job("nightly");
    following.wait_for_log(|line| line.contains("AttemptStarted"));
    let begun = Instant::now();
    following.wait_for_log(|line| line.ends_with("xxx1"));
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    let lines = following.log();
    assert!(
        !lines.iter().any(|line| line.contains("AttemptFinished")),
        "it still runs"
    );
    let firsts = lines.iter().filter(|line| line.ends_with("xxx1")).count();
    assert_eq!(firsts, 1, "that of the job");
    following.signal(Signal::Int);
    assert_eq!(following.wait(PATIENCE).code(), Some(0));
}

#[test]
fn nobody_passes_for_a_job_by_what_it_prints_or_answers() {
    let (state, host) = with_job("line");
    let said = r#"{"message":"mine","logging.googleapis.com/labels":{"job_id":"nightly"},"labels":{"job_id":"nightly"},"job":"nightly"}"#;
    let forger = host.post("/prints?kind=body", format!("{said}\n"));
    let field = "GET /prints?kind=line\nX-CloudScheduler: true\nX-CloudScheduler-JobName: nightly";
    let caller = host.request(field, "");
    run(&state, "nightly");
    for reply in [&forger, &caller] {
        assert_eq!(state.kept_of(reply.execution_id()).len(), 3);
        let of = format!("--job nightly --execution-id {}", reply.execution_id());
        assert!(state.kept(&of).is_empty(), "{reply:?}");
    }
    // A target elsewhere answers with the id of an execution that it has nothing to do with.
    let target = Target::start();
    let id = caller.execution_id();
    state.create_job(
        "elsewhere",
        NEVER,
        &target.url(&format!("/claims/{id}")),
        &[],
    );
    run(&state, "elsewhere");
    assert_eq!(target.received(&format!("/claims/{id}")).len(), 1);
    let entries = state.kept("--job elsewhere --limit 1000");
    assert_eq!(entries.len(), 2, "what its attempt says: {entries:?}");
}
