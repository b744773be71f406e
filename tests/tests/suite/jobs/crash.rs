//! Jobs through crashes, restarts and full disks.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use tests::{PATIENCE, Signal, State, Target, wait_until};

/// A schedule that does not come while a specification runs: jobs are run by hand.
const NEVER: &str = "0 0 29 2 *";
/// How often the host is killed.
const ROUNDS: u64 = 200;

/// Moments that differ from round to round, up to `longest`, the same in each run.
fn moment(round: u64, longest: Duration) -> Duration {
    // A multiplicative generator (Lehmer's); any spread does.
    let spread = (round + 1).wrapping_mul(48_271) % 1_000;
    longest.mul_f64(spread as f64 / 1_000.0)
}

/// The scheduled times of all runs of `job`.
fn times(state: &State, job: &str) -> Vec<String> {
    let runs = state.job_runs(job).into_iter();
    runs.map(|run| run["scheduledTime"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_host_that_is_killed_again_and_again_runs_all_that_was_asked_for_and_nothing_twice() {
    let state = State::new();
    let target = Target::start();
    let jobs = ["a", "b", "c"];
    for job in jobs {
        state.create_job(job, NEVER, &target.url(&format!("/slow/5?{job}")), &[]);
    }
    let mut asked = 0;
    for round in 0..ROUNDS {
        let host = state.serve().start();
        let job = jobs[round as usize % jobs.len()];
        state.run_job(job);
        asked += 1;
        thread::sleep(moment(round, Duration::from_millis(20)));
        host.signal(Signal::Kill);
        host.wait(PATIENCE);
    }
    let host = state.serve().start();
    let mut known = 0;
    for job in jobs {
        wait_until("all runs are over", || {
            state
                .job_runs(job)
                .iter()
                .all(|run| run["state"] == "succeeded")
        });
        let times = times(&state, job);
        assert_eq!(times.iter().collect::<BTreeSet<_>>().len(), times.len());
        known += times.len();
    }
    assert_eq!(known, asked);
    assert!(host.stderr().contains("Control plane"), "{}", host.stderr());
}

#[test]
fn what_a_command_wanted_holds_after_a_kill_that_follows_at_once() {
    let state = State::new();
    let target = Target::start();
    state.create_job("job", NEVER, &target.url("/"), &[]);
    for round in 0..30 {
        let host = state.serve().start();
        let (verb, expected) = match round % 2 {
            0 => ("pause", "PAUSED"),
            _ => ("resume", "ENABLED"),
        };
        let output = state.jobs([verb, "job"]).run();
        assert_eq!(output.code, Some(0), "{output:?}");
        // A pause is nothing to a run that somebody asks for.
        state.run_job("job");
        thread::sleep(moment(round, Duration::from_millis(20)));
        host.signal(Signal::Kill);
        host.wait(PATIENCE);
        let job = state.job("job");
        assert_eq!(job["state"], expected, "{round}");
        let is_due = job["scheduleTime"].is_string();
        assert_eq!(is_due, expected == "ENABLED", "{round}");
    }
    let _host = state.serve().start();
    wait_until("all runs are over", || {
        let runs = state.job_runs("job");
        runs.len() == 30 && runs.iter().all(|run| run["state"] == "succeeded")
    });
}

#[test]
fn a_run_that_a_kill_cut_short_is_made_again_and_says_so() {
    let state = State::new();
    let target = Target::start();
    state.create_job("job", NEVER, &target.url("/slow/3000"), &[]);
    let host = state.serve().start();
    state.run_job("job");
    wait_until("the attempt is under way", || {
        !target.received("/slow/3000").is_empty()
    });
    host.signal(Signal::Kill);
    host.wait(PATIENCE);
    let host = state.serve().start();
    host.wait_for_stderr(|line| line.starts_with("1 attempt(s) of jobs were cut short"));
    let run = state.ended_run("job");
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["attempts"][0]["status"], "ABORTED");
    assert_eq!(
        run["attempts"][0]["reason"],
        "the host ended during the attempt"
    );
    assert_eq!(run["attempts"][1]["status"], "OK");
}

#[test]
fn a_disk_that_fills_up_mid_run_loses_nothing() {
    let state = State::new();
    let target = Target::start();
    state.create_job("job", NEVER, &target.url("/slow/1000"), &[]);
    let host = state.serve().start();
    state.run_job("job");
    wait_until("the attempt is under way", || {
        !target.received("/slow/1000").is_empty()
    });
    // From now on no file grows: its log of changes has no room for what came of the attempt.
    host.limit_files(Some(1));
    host.wait_for_stderr(|line| line.starts_with("error: jobs are not run: "));
    assert_eq!(host.control_plane("/readyz").status, 503);
    assert_eq!(state.job_runs("job")[0]["state"], "running");
    host.limit_files(None);
    let run = state.ended_run("job");
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["attempts"].as_array().map(Vec::len), Some(1));
    assert_eq!(target.received("/slow/1000").len(), 1);
    wait_until("it is ready again", || {
        host.control_plane("/readyz").status == 200
    });
}
