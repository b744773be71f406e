//! Instances of WASI 0.3 that answer several requests at once.

use std::thread;
use std::time::{Duration, Instant};

use tests::{Host, HostBuilder, Reply, State, Target, wait_until};

/// One worker, and one instance for up to eight requests at once.
fn concurrent(guest: &str) -> HostBuilder {
    Host::serve(guest).args([
        "--warm",
        "--warm-concurrency=8",
        "--workers=1",
        "--timeout=5s",
    ])
}

fn retired(host: &Host, function: &str, reason: &str) -> f64 {
    let series =
        format!("host_instances_retired_total{{function=\"{function}\",reason=\"{reason}\"}}");
    host.metric(&series)
}

/// All at once, in their order.
fn all(host: &Host, paths: &[&str]) -> Vec<Reply> {
    thread::scope(|scope| {
        let replies: Vec<_> = paths
            .iter()
            .map(|path| scope.spawn(|| host.get(path)))
            .collect();
        let replies = replies.into_iter().map(|reply| reply.join());
        replies
            .map(|reply| reply.expect("it is answered"))
            .collect()
    })
}

#[test]
fn requests_that_wait_share_an_instance_and_each_has_its_own_log() {
    let host = concurrent("p3_counts").start();
    assert_eq!(host.get("/").text(), "1\n");
    let begun = Instant::now();
    let replies = all(&host, &["/?for=500"; 6]);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    for reply in &replies {
        assert_eq!(reply.status, 200);
        let printed = host.printed_by(reply);
        let [(_, first), (_, second)] = printed.as_slice() else {
            panic!("it prints twice: {printed:?}");
        };
        assert_eq!(second, &format!("{first} goes on"));
    }
    let counted = host.get("/").text().to_owned();
    assert_eq!(counted, "8\n", "all were in one instance");
}

#[test]
fn one_that_traps_fails_those_beside_it_and_no_other() {
    let host = concurrent("p3_counts").start();
    let beside = thread::scope(|scope| {
        let beside = scope.spawn(|| all(&host, &["/?for=2000", "/?for=2000"]));
        host.wait_for_starts(2);
        assert_eq!(host.get("/?then=trap").status, 500);
        beside.join().expect("they are answered")
    });
    for reply in &beside {
        assert_eq!(reply.status, 500, "its instance is gone");
        assert_eq!(host.finish_of(reply), "status: 'crash'");
    }
    assert_eq!(retired(&host, "p3_counts", "failed"), 1.0);
    assert_eq!(host.get("/").text(), "1\n", "a new instance");
}

#[test]
fn one_whose_time_is_up_leaves_those_beside_it_alone_and_its_instance_gets_no_more() {
    let host = concurrent("p3_sleeps").start();
    let mut late = host.connect();
    late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    thread::sleep(Duration::from_millis(4000));
    let beside = host.get("/?ms=2000");
    assert_eq!(beside.status, 200);
    assert_eq!(late.read_reply().status, 504);
    wait_until("the instance is let go of", || {
        retired(&host, "p3_sleeps", "failed") == 1.0
    });
    assert_eq!(host.get("/?ms=1").status, 200);
}

#[test]
fn a_body_that_nobody_waits_for_is_cut_alone() {
    let host = concurrent("p3_streams").start();
    let mut wire = host.connect();
    wire.send("GET /?chunks=1000&delay_ms=20 HTTP/1.1\r\nHost: a\r\n\r\n");
    host.wait_for_log(|line| line.contains("started"));
    let beside = thread::scope(|scope| {
        let beside = scope.spawn(|| host.get("/?chunks=20&delay_ms=20"));
        thread::sleep(Duration::from_millis(100));
        drop(wire);
        beside.join().expect("it is answered")
    });
    assert_eq!(beside.status, 200);
    host.wait_for_log(|line| line.contains("finished with status: 'connection error'"));
}

#[test]
fn what_is_printed_is_in_the_log_before_the_request_is_answered() {
    let host = concurrent("p3_counts").start();
    let mut wire = host.connect();
    wire.send("GET /?for=3000 HTTP/1.1\r\nHost: a\r\n\r\n");
    host.wait_for_log(|line| line.ends_with("request 1"));
    assert_eq!(wire.read_reply().status, 200);
}

#[test]
fn an_instance_ends_after_as_many_requests_as_it_may_answer() {
    let host = concurrent("p3_counts").arg("--warm-requests=3").start();
    for count in ["1\n", "2\n", "3\n", "1\n"] {
        assert_eq!(host.get("/").text(), count);
    }
    assert_eq!(retired(&host, "p3_counts", "requests"), 1.0);
}

#[test]
fn what_is_kept_open_ends_it_too() {
    let host = concurrent("p3_keeps").start();
    assert_eq!(host.get("/nothing").text(), "kept 1\n");
    assert_eq!(host.get("/stream").text(), "kept 2\n");
    wait_until("the instance is let go of", || {
        retired(&host, "p3_keeps", "handles") == 1.0
    });
    assert_eq!(host.get("/nothing").text(), "kept 1\n");
}

#[test]
fn idle_ones_are_let_go_of_in_time_and_give_way_to_others() {
    let host = concurrent("p3_counts")
        .arg("--warm-idle-time=200ms")
        .start();
    assert_eq!(host.get("/").text(), "1\n");
    wait_until("it was idle for too long", || {
        retired(&host, "p3_counts", "idle") == 1.0
    });
    assert_eq!(host.get("/").text(), "1\n");

    let state = State::new();
    let settings = ["--warm", "--warm-concurrency=8"];
    state.deploy("grows", "p3_allocates", &settings);
    state.deploy("other", "p3_allocates", &settings);
    let host = state
        .serve()
        .args(["--total-memory=64Mi", "--workers=1"])
        .start();
    assert_eq!(host.get("/grows?mib=40").text(), "40 MiB\n");
    assert_eq!(host.get("/other?mib=40").text(), "40 MiB\n");
    assert_eq!(retired(&host, "grows", "evicted"), 1.0);
}

#[test]
fn a_component_of_wasi_0_2_answers_one_at_a_time() {
    let host = concurrent("counts").start();
    for reply in all(&host, &["/?for=200"; 4]) {
        assert_eq!(reply.status, 200);
        assert!(!reply.text().contains("overlaps"), "{reply:?}");
    }
}

#[test]
fn calls_of_requests_in_one_instance_are_in_their_own_traces() {
    let target = Target::start();
    let host = concurrent("p3_calls_out")
        .args(["--allow-outbound", &target.url("")])
        .start();
    let traces: Vec<String> = (1..=6).map(|number| format!("{number:032x}")).collect();
    thread::scope(|scope| {
        for trace in &traces {
            let (host, url) = (&host, target.url(&format!("/{trace}")));
            scope.spawn(move || {
                let head = format!("GET /?url={url}\ntraceparent: 00-{trace}-b7ad6b7169203331-01");
                assert_eq!(host.request(&head, "").status, 200);
            });
        }
    });
    for trace in &traces {
        let calls = target.received(&format!("/{trace}"));
        let [call] = calls.as_slice() else {
            panic!("one call: {calls:?}");
        };
        let told = &call.fields["traceparent"];
        assert!(told.starts_with(&format!("00-{trace}-")), "{told}");
    }
}

#[test]
fn none_is_made_ahead_of_need() {
    let output = Host::serve("p3_counts")
        .args(["--warm", "--warm-concurrency=8", "--min-instances=2"])
        .run();
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.stderr.contains("not made ahead of need"),
        "{output:?}"
    );
}
