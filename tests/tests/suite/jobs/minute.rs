//! What only a real clock can show: a minute comes.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tests::{Certificate, Directory, Host, HostBuilder, State, Target, wait_until};

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

/// A host whose one trigger is `arguments`, over TLS with a certificate that is for another name and by nobody's authority.
fn with_tls(arguments: &[&str], files: &Directory) -> HostBuilder {
    let (chain, key) = Certificate::of(&["elsewhere.example"]).write_to(files.path());
    Host::serve("hello")
        .arg("--schedule=every 1 minutes")
        .arg("--tls-cert")
        .arg(chain)
        .arg("--tls-key")
        .arg(key)
        .args(arguments)
}

#[test]
fn when_the_minute_comes_each_job_is_called_once_and_at_once() {
    // So that all is there before it comes, and just one comes.
    if into_minute() > Duration::from_secs(25) {
        wait_for_minute(Duration::ZERO);
    }
    let state = State::new();
    let target = Target::start();
    let host = state.serve().start();
    let trigger = Host::serve("hello")
        .arg("--schedule=every 1 minutes")
        .arg(r#"--message-body={"name": "Trigger"}"#)
        .start();
    // What other jobs may call is nothing to the trigger.
    let files = Directory::new();
    let secured = [
        r#"--message-body={"name": "Secured"}"#,
        "--job-allow-outbound=https://elsewhere.example",
    ];
    let secured = with_tls(&secured, &files).start();
    state.create_job("with-host", EVERY_MINUTE, &target.url("/with-host"), &[]);
    let paused = state.create_job("paused", EVERY_MINUTE, &target.url("/paused"), &[]);
    assert_eq!(paused.code, Some(0));
    assert_eq!(state.jobs(["pause", "paused"]).run().code, Some(0));
    let settings = ["--max-retry-attempts=5", "--min-backoff=1h"];
    state.create_job("fails", EVERY_MINUTE, &target.url("/status/500"), &settings);
    // Another store, from which nobody serves when the minute comes.
    let asleep = State::new();
    asleep.create_job("last", EVERY_MINUTE, &target.url("/last"), &[]);
    asleep.create_job("changed", EVERY_MINUTE, &target.url("/changed"), &[]);
    asleep.create_job("stopped", EVERY_MINUTE, &target.url("/stopped"), &[]);
    wait_for_minute(Duration::from_secs(4));

    let received = target.received("/with-host");
    assert_eq!(received.len(), 1, "{received:?}");
    for request in &received {
        let late = request
            .time
            .duration_since(UNIX_EPOCH)
            .expect("it is after 1970");
        assert!(late.as_millis() % 60_000 < 1_000, "{request:?}");
        let scheduled = &request.fields["x-cloudscheduler-scheduletime"];
        assert!(scheduled.ends_with(":00Z"), "{scheduled}");
    }
    assert_eq!(state.job_runs("with-host").len(), 1);
    assert_eq!(target.received("/paused").len(), 0);
    trigger.wait_for_log(|line| line.contains("Hello Trigger!"));
    secured.wait_for_log(|line| line.contains("Hello Secured!"));
    // Its execution is known by the answer, which came from this host.
    secured.wait_for_log(|line| line.contains("status=OK execution="));

    // What waits for another attempt ends with a pause, and is counted.
    assert_eq!(state.jobs(["pause", "fails"]).run().code, Some(0));
    let mut failed = None;
    wait_until("it is over", || {
        let mut runs = state.job_runs("fails").into_iter();
        failed = runs.find(|run| run["state"] == "failed");
        failed.is_some()
    });
    let failed = failed.expect("it was looked for");
    let reason =
        "Original HTTP response code number = 500; not tried again, for the job was paused";
    assert_eq!(
        (&failed["state"], &failed["reason"]),
        (&"failed".into(), &reason.into())
    );
    wait_until("it is counted", || {
        host.metrics()
            .value("host_job_runs_total{outcome=\"failed\"}")
            == 1.0
    });

    // What nobody took up before a change or a pause ends with the reason, once a host serves.
    for command in [
        &["update", "http", "changed", "--description=x"][..],
        &["pause", "stopped"],
    ] {
        assert_eq!(asleep.jobs(command).run().code, Some(0));
    }
    assert_eq!(asleep.job("stopped")["state"], "PAUSED");
    assert!(asleep.job("changed")["scheduleTime"].is_string());
    for job in ["last", "changed", "stopped"] {
        assert_eq!(asleep.job_runs(job).len(), 0, "{job}");
        assert_eq!(target.received(&format!("/{job}")).len(), 0, "{job}");
    }
    let _woken = asleep.serve().start();
    let run = asleep.ended_run("last");
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(target.received("/last").len(), 1);
    assert_eq!(asleep.job_runs("last").len(), 1);
    let missed = asleep.ended_run("changed");
    assert_eq!(missed["state"], "missed", "{missed}");
    let reason = missed["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("the job was changed before"), "{missed}");
    let skipped = asleep.ended_run("stopped");
    assert_eq!(
        (&skipped["state"], &skipped["reason"]),
        (&"skipped".into(), &"the job was paused".into())
    );

    assert_eq!(target.received("/changed").len(), 0);
    assert_eq!(target.received("/stopped").len(), 0);
    drop(host);
}
