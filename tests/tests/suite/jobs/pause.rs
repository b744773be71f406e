//! Jobs are paused while a host runs them.

use tests::{State, Target, wait_until};

/// A schedule that does not come while a specification runs: jobs are run by hand.
const NEVER: &str = "0 0 29 2 *";

fn say(state: &State, arguments: &[&str]) -> String {
    let output = state.jobs(arguments).run();
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stderr
}

#[test]
fn an_attempt_under_way_finishes_though_its_job_is_paused() {
    let state = State::new();
    let target = Target::start();
    let _host = state.serve().start();
    state.create_job("job", NEVER, &target.url("/slow/1500"), &[]);
    state.run_job("job");
    wait_until("the attempt is under way", || {
        !target.received("/slow/1500").is_empty()
    });
    assert_eq!(say(&state, &["pause", "job"]), "Job has been paused.\n");
    assert_eq!(state.ended_run("job")["state"], "succeeded");
    // A pause is nothing to a run that somebody asks for.
    state.run_job("job");
    wait_until("it runs again", || target.received("/slow/1500").len() == 2);
    assert_eq!(state.ended_run("job")["state"], "succeeded");
    assert_eq!(say(&state, &["resume", "job"]), "Job has been resumed.\n");
}

#[test]
fn a_job_whose_target_hangs_has_its_share_and_all_others_begin_at_once() {
    let state = State::new();
    let target = Target::start();
    let _host = state.serve().start();
    state.create_job("hangs", NEVER, &target.url("/hangs"), &[]);
    for _ in 0..300 {
        state.run_job("hangs");
    }
    for number in 0..50 {
        let name = format!("other-{number}");
        state.create_job(&name, NEVER, &target.url("/other"), &[]);
    }
    for number in 0..50 {
        state.run_job(&format!("other-{number}"));
    }
    wait_until("all others are called", || {
        target.received("/other").len() == 50
    });
    wait_until("the share is taken", || {
        target.received("/hangs").len() == 256
    });
    let waiting = |run: &&serde_json::Value| run["state"] == "waiting";
    let runs = state.job_runs("hangs");
    assert_eq!(runs.iter().filter(waiting).count(), 44);
}
