//! Fifty executions that mean ill, and one that does not beside them.

use std::time::{Duration, Instant};

use tests::crowd::{
    FIFTY, alone, assert_healthy, assert_quick, assert_recovered, durations, fifty,
};
use tests::{Host, MIB};

#[test]
fn fifty_that_spin_hold_nobody_up() {
    let _alone = alone();
    let host = Host::serve("spins")
        .args(["--workers=2", "--concurrency=80", "--timeout=30s"])
        .start();
    let spinning = fifty(&host, "/");
    host.wait_for_starts(FIFTY);
    assert_quick(&host, "/?ms=1");
    assert_healthy(&host);
    let ended = host
        .log()
        .iter()
        .filter(|line| line.contains("finished with status: "))
        .count();
    assert_eq!(ended, 0, "all fifty spun all the while");
    drop(spinning);
}

#[test]
fn fifty_that_spin_are_ended_when_their_time_is_up() {
    let _alone = alone();
    let host = Host::serve("spins")
        .args(["--workers=2", "--concurrency=80", "--timeout=2s"])
        .start();
    let start = Instant::now();
    for mut wire in fifty(&host, "/") {
        assert_eq!(wire.read_reply().status, 504);
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(2), "{took:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_recovered(&host, "/?ms=1");
}

#[test]
fn fifty_that_sleep_hold_nobody_up() {
    let _alone = alone();
    let host = Host::serve("sleeps")
        .args(["--workers=2", "--concurrency=80", "--timeout=3s"])
        .start();
    let sleeping = fifty(&host, "/");
    host.wait_for_starts(FIFTY);
    assert_quick(&host, "/?ms=1");
    assert_healthy(&host);
    for mut wire in sleeping {
        assert_eq!(wire.read_reply().status, 504);
    }
    assert_recovered(&host, "/?ms=1");
}

#[test]
fn fifty_that_flood_the_log_hold_nobody_up_and_keep_to_their_share() {
    let _alone = alone();
    let host = Host::serve("floods_log")
        .args([
            "--workers=2",
            "--concurrency=80",
            "--timeout=3s",
            "--log-limit=16Ki",
        ])
        .start();
    let flooding = fifty(&host, "/");
    host.wait_for_starts(FIFTY);
    assert_quick(&host, "/?lines=1");
    assert_healthy(&host);
    let ids: Vec<String> = flooding
        .into_iter()
        .map(|mut wire| {
            let reply = wire.read_reply();
            assert_eq!(reply.status, 504);
            reply.execution_id().to_owned()
        })
        .collect();
    assert_recovered(&host, "/?lines=1");
    for id in ids {
        let entries = host.entries_of_execution(&id);
        let printed: usize = entries
            .iter()
            .filter(|row| row.level == "I")
            .map(|row| row.text.len())
            .sum();
        assert!((8 * 1024..=16 * 1024).contains(&printed), "{printed}");
        assert!(
            entries
                .iter()
                .any(|row| row.text.contains("bytes of log output were dropped"))
        );
    }
}

#[test]
fn fifty_that_take_memory_give_it_back() {
    let _alone = alone();
    let host = Host::serve("allocates")
        .args(["--workers=2", "--concurrency=80", "--memory=32Mi"])
        .start();
    for _ in 0..3 {
        for mut wire in fifty(&host, "/") {
            assert_eq!(wire.read_reply().status, 500);
        }
        assert_healthy(&host);
    }
    assert_recovered(&host, "/?mib=20");
}

#[test]
fn fifty_that_want_more_memory_than_there_is_for_all_get_none_of_the_hosts_own() {
    let _alone = alone();
    let host = Host::serve("allocates")
        .args([
            "--workers=2",
            "--concurrency=80",
            "--memory=64Mi",
            "--total-memory=256Mi",
        ])
        .start();
    for mut wire in fifty(&host, "/") {
        let status = wire.read_reply().status;
        assert!(matches!(status, 500 | 503), "{status}");
    }
    assert_recovered(&host, "/?mib=20");
}

#[test]
fn fifty_that_stream_to_nobody_keep_no_memory() {
    let _alone = alone();
    let host = Host::serve("streams")
        .args([
            "--workers=2",
            "--concurrency=80",
            "--max-response-body=unlimited",
        ])
        .start();
    let unread = fifty(&host, "/?mib=1024");
    host.wait_for_starts(FIFTY);
    assert_quick(&host, "/?chunks=1");
    let resident = host.resident_memory();
    assert!(resident < 300 * MIB, "{} MiB", resident / MIB);
    drop(unread);
    assert_recovered(&host, "/?chunks=1");
}

/// The guest works between its writes, so that it waits for its turn when nobody takes what it wrote.
#[test]
fn a_client_that_does_not_read_holds_no_other_execution_up() {
    let _alone = alone();
    let host = Host::serve("streams")
        .args(["--workers=1", "--max-response-body=unlimited"])
        .start();
    let mut unread = host.connect();
    unread.send("GET /?chunks=100000&burn_ms=3 HTTP/1.1\r\nHost: here\r\n\r\n");
    host.wait_for_starts(1);
    let took = durations(30, || {
        assert_eq!(host.get("/?chunks=5&burn_ms=5").status, 200);
    });
    let slowest = took.last().copied().unwrap_or_default();
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[test]
fn fifty_crashes_at_once_hold_nobody_up() {
    let _alone = alone();
    let host = Host::serve("recurses")
        .args(["--workers=2", "--concurrency=80"])
        .start();
    for mut wire in fifty(&host, "/") {
        assert_eq!(wire.read_reply().status, 500);
    }
    assert_healthy(&host);
    assert!(host.resident_memory() < 300 * MIB);
}

#[test]
fn a_log_that_cannot_be_written_does_not_stop_serving() {
    let _alone = alone();
    let host = Host::serve("hello").in_shell("", ">/dev/full").start();
    for _ in 0..100 {
        assert_eq!(host.post("/", r#"{"name": "Ada"}"#).text(), "Hello Ada!");
    }
    assert_healthy(&host);
    let told = |host: &Host| {
        host.stderr()
            .matches("log entries cannot be written")
            .count()
    };
    host.wait_for_stderr(|line| line.contains("log entries cannot be written"));
    assert_eq!(told(&host), 1, "{}", host.stderr());
}

#[test]
fn a_log_that_nobody_reads_any_more_does_not_stop_serving() {
    let _alone = alone();
    let reader = r#"mkfifo "$HOST_STATE_DIR.log"; head -n 1 <"$HOST_STATE_DIR.log" >/dev/null &"#;
    let host = Host::serve("hello")
        .in_shell(reader, r#">"$HOST_STATE_DIR.log""#)
        .start();
    for _ in 0..100 {
        assert_eq!(host.post("/", r#"{"name": "Ada"}"#).text(), "Hello Ada!");
    }
    host.wait_for_stderr(|line| line.contains("log entries cannot be written"));
    assert_healthy(&host);
}
