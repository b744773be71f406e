//! What only a real clock can show: a minute comes.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tests::{Host, State, Target};

const EVERY_MINUTE: &str = "* * * * *";

/// The time since the present minute began.
fn into_minute() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("it is after 1970");
    Duration::from_millis((now.as_millis() % 60_000) as u64)
}

/// Waits until `margin` after the next minute begins.
fn wait_for_minute(margin: Duration) {
    thread::sleep(Duration::from_secs(60) - into_minute() + margin);
}

#[test]
fn when_the_minute_comes_each_job_is_called_once_and_at_once() {
    let state = State::new();
    let target = Target::start();
    let host = state.serve().start();
    let trigger = Host::serve("hello")
        .arg("--schedule=every 1 minutes")
        .arg(r#"--message-body={"name": "Trigger"}"#)
        .start();
    state.create_job("with-host", EVERY_MINUTE, &target.url("/with-host"), &[]);
    let paused = state.create_job("paused", EVERY_MINUTE, &target.url("/paused"), &[]);
    assert_eq!(paused.code, Some(0));
    assert_eq!(state.jobs(["pause", "paused"]).run().code, Some(0));
    // Another store, from which nobody serves when the minute comes.
    let asleep = State::new();
    asleep.create_job("last", EVERY_MINUTE, &target.url("/last"), &[]);
    // Whoever is late in the minute has the next.
    let is_close = into_minute() > Duration::from_secs(57);
    wait_for_minute(Duration::from_secs(if is_close { 64 } else { 4 }));

    let due = if is_close { 2 } else { 1 };
    let received = target.received("/with-host");
    assert_eq!(received.len(), due, "{received:?}");
    for request in &received {
        let late = request
            .time
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        assert!(late.as_millis() % 60_000 < 1_000, "{request:?}");
        let scheduled = &request.fields["x-cloudscheduler-scheduletime"];
        assert!(scheduled.ends_with(":00Z"), "{scheduled}");
    }
    assert_eq!(state.job_runs("with-host").len(), due);
    assert_eq!(target.received("/paused").len(), 0);
    trigger.wait_for_log(|line| line.contains("Hello Trigger!"));

    assert_eq!(target.received("/last").len(), 0);
    let _woken = asleep.serve().start();
    let run = asleep.ended_run("last");
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(target.received("/last").len(), 1);
    assert_eq!(asleep.job_runs("last").len(), due);
    drop(host);
}
