//! Instances that are kept for further requests: what stays, what does not, and when they are let go of.

use std::thread;
use std::time::Duration;

use tests::{Host, HostBuilder, Signal, State};

/// One worker, so that each request gets the instance that the last one left.
fn warm() -> HostBuilder {
    Host::serve("counts").args(["--warm", "--workers=1"])
}

#[track_caller]
fn assert_counts(host: &Host, path: &str, count: &str) {
    let reply = host.get(path);
    assert_eq!((reply.status, reply.text()), (200, count), "{path}");
}

fn retired(host: &Host, reason: &str) -> f64 {
    let series = format!("host_instances_retired_total{{function=\"counts\",reason=\"{reason}\"}}");
    host.metric(&series)
}

#[test]
fn instances_are_fresh_unless_the_function_is_warm() {
    let host = Host::serve("counts").arg("--workers=1").start();
    assert_counts(&host, "/", "1\n");
    assert_counts(&host, "/", "1\n");
}

#[test]
fn a_warm_instance_keeps_its_memory_and_each_request_has_its_own_log() {
    let host = warm().start();
    for count in 1..=5 {
        let reply = host.get("/");
        assert_eq!(reply.text(), format!("{count}\n"));
        // It still has the stream that it got with its first request.
        let printed = ("I".to_owned(), format!("request {count}"));
        assert_eq!(host.printed_by(&reply), [printed]);
    }
    assert_eq!(host.metric("host_instances_warm{function=\"counts\"}"), 1.0);
}

/// An instance that ends otherwise than by a whole answer, with nothing left open, answers nobody else.
#[test]
fn a_request_that_fails_or_leaves_something_open_costs_the_next_one_nothing_but_a_new_instance() {
    let host = warm().arg("--timeout=500ms").start();
    for (then, status, reason) in [
        ("trap", 500, "failed"),
        ("exit", 500, "failed"),
        ("spin", 504, "failed"),
        ("silent", 500, "no_response"),
        ("cut", 502, "body"),
        ("keep-fields", 200, "handles"),
        ("keep-request", 200, "handles"),
        ("keep-timer", 200, "handles"),
    ] {
        assert_counts(&host, "/", "1\n");
        let before = retired(&host, reason);
        assert_eq!(host.get(&format!("/?then={then}")).status, status, "{then}");
        assert_eq!(retired(&host, reason), before + 1.0, "{then}");
        assert_counts(&host, "/", "1\n");
        // The next turn begins with a new one.
        host.get("/?then=trap");
    }
}

#[test]
fn a_client_that_goes_away_takes_the_instance_with_it() {
    let host = warm().start();
    assert_counts(&host, "/", "1\n");
    let mut wire = host.connect();
    wire.send("GET /?for=60000 HTTP/1.1\r\nHost: a\r\n\r\n");
    host.wait_for_starts(2);
    drop(wire);
    tests::wait_until("the instance is gone", || retired(&host, "failed") == 1.0);
    assert_counts(&host, "/", "1\n");
}

#[test]
fn one_that_keeps_more_and_more_memory_is_let_go_of_before_it_fails() {
    let host = warm().arg("--memory=32Mi").start();
    for _ in 0..40 {
        assert_eq!(host.get("/?then=grow&mib=3").status, 200);
    }
    let retired = retired(&host, "memory");
    assert!((4.0..=6.0).contains(&retired), "{retired}");
}

#[test]
fn an_instance_has_one_request_at_a_time() {
    let host = warm().start();
    assert_counts(&host, "/", "1\n");
    thread::scope(|scope| {
        let together = (0..8).map(|_| scope.spawn(|| host.get("/?for=100").text().to_owned()));
        let answers: Vec<_> = together.collect();
        let answers = answers.into_iter().map(|answer| answer.join().unwrap());
        for answer in answers {
            assert_ne!(answer, "overlaps\n");
        }
    });
    assert_eq!(host.metric("host_instances_warm{function=\"counts\"}"), 8.0);
}

#[test]
fn functions_of_one_component_share_no_instance_and_a_new_revision_begins_anew() {
    let state = State::new();
    state.deploy("first", "counts", &["--warm"]);
    state.deploy("second", "counts", &["--warm"]);
    state.deploy("third", "counts", &[]);
    let host = state.serve().arg("--workers=1").start();
    for (path, before) in [
        ("/first?secret=a", "None\n"),
        ("/second?secret=b", "None\n"),
        ("/third?secret=c", "None\n"),
        ("/third?secret=c", "None\n"),
        ("/first?secret=d", "Some(\"a\")\n"),
        ("/second?secret=e", "Some(\"b\")\n"),
    ] {
        assert_counts(&host, path, before);
    }
    state.update("first", &["--set-env-vars=A=b"]);
    assert_counts(&host, "/first?secret=f", "None\n");
    assert_counts(&host, "/second?secret=g", "Some(\"e\")\n");
    state.update("second", &["--no-warm"]);
    assert_counts(&host, "/second?secret=h", "None\n");
    assert_counts(&host, "/second?secret=i", "None\n");
    assert_eq!(state.describe("first")["warm"], true);
}

/// Under load, no request meets an instance of an earlier revision after the switch.
#[test]
fn a_new_revision_is_warm_with_its_own_instances_alone() {
    let state = State::new();
    state.deploy("first", "counts", &["--warm", "--set-env-vars=REVISION=0"]);
    let host = state.serve().arg("--workers=2").start();
    thread::scope(|scope| {
        let load = scope.spawn(|| {
            (0..400)
                .filter(|_| host.get("/first").status != 200)
                .count()
        });
        for revision in 1..4 {
            state.update("first", &[&format!("--set-env-vars=REVISION={revision}")]);
            assert_counts(&host, &format!("/first?secret=r{revision}"), "None\n");
        }
        assert_eq!(load.join().unwrap(), 0);
    });
}

/// What lies idle gives way to who needs memory, and to who needs a place.
#[test]
fn idle_instances_make_nobody_wait() {
    let state = State::new();
    let names: Vec<_> = (0..8).map(|number| format!("f{number}")).collect();
    for name in &names {
        state.deploy(name, "counts", &["--warm", "--memory=64Mi"]);
    }
    let flags = ["--workers=1", "--max-executions=4", "--total-memory=100Mi"];
    let host = state.serve().args(flags).start();
    for name in &names {
        // The second of them, and each one after it, finds too little left.
        assert_eq!(host.get(&format!("/{name}?then=grow&mib=40")).status, 200);
    }
    for name in &names {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| assert_eq!(host.get(&format!("/{name}?for=100")).status, 200));
            }
        });
    }
    let evicted = names.iter().map(|name| {
        host.metric(&format!(
            "host_instances_retired_total{{function=\"{name}\",reason=\"evicted\"}}"
        ))
    });
    assert!(evicted.sum::<f64>() >= 6.0);
}

#[test]
fn an_error_code_in_place_of_an_answer_ends_the_instance() {
    let host = Host::serve("answers_error").arg("--warm").start();
    for times in 1..=2 {
        assert_eq!(host.get("/").status, 500);
        let reason =
            "host_instances_retired_total{function=\"answers_error\",reason=\"no_response\"}";
        assert_eq!(host.metric(reason), f64::from(times));
    }
}

#[test]
fn instances_are_made_ahead_of_need_and_again_when_one_is_let_go_of() {
    let host = warm().arg("--min-instances=2").start();
    let idle = || host.metric("host_instances_warm{function=\"counts\"}");
    tests::wait_until("two are made before any request", || idle() == 2.0);
    assert_counts(&host, "/", "1\n");
    host.get("/?then=trap");
    tests::wait_until("another one is made", || idle() == 2.0);
    assert_eq!(retired(&host, "failed"), 1.0);
}

#[test]
fn what_warm_instances_keep_to_is_set_per_function() {
    let state = State::new();
    let flags = ["--warm", "--warm-requests=2"];
    state.deploy("counts", "counts", &flags);
    let host = state.serve().arg("--workers=1").start();
    for count in ["1\n", "2\n", "1\n"] {
        assert_counts(&host, "/counts", count);
    }
    assert_eq!(retired(&host, "requests"), 1.0);
}

#[test]
fn instances_ahead_of_need_want_a_function_that_is_warm_and_may_have_so_many_idle() {
    let refused = |flags: &[&str]| Host::serve("counts").args(flags).run().errors();
    let line = refused(&["--min-instances=1"]);
    assert!(
        line.contains("(`--warm`, `warm = true`), or leave out `min-instances`"),
        "{line}"
    );
    let line = refused(&["--warm", "--min-instances=3", "--max-idle-instances=2"]);
    assert!(
        line.contains("`min-instances` is 3, but only 2 may lie idle"),
        "{line}"
    );
}

/// As components of componentize-js with `fetch-event` do.
#[test]
fn a_function_that_never_answers_a_second_request_is_served_fresh_after_the_first_such_hang() {
    let host = warm().arg("--timeout=500ms").start();
    assert_counts(&host, "/", "1\n");
    let hung = host.get("/?for=60000");
    assert_eq!(hung.status, 504);
    let printed = host.printed_by(&hung);
    let about = |(_, text): &(String, String)| text.contains("did not answer the second request");
    assert!(printed.iter().any(about), "{printed:?}");
    for _ in 0..3 {
        assert_counts(&host, "/", "1\n");
    }
    assert_eq!(retired(&host, "unfit"), 3.0);
}

#[test]
fn one_that_has_answered_a_second_request_stays_warm_whatever_times_out_later() {
    let host = warm().arg("--timeout=500ms").start();
    for path in ["/", "/?for=1"] {
        host.get(path);
    }
    assert_eq!(host.get("/?for=60000").status, 504);
    assert_counts(&host, "/", "1\n");
    assert_counts(&host, "/", "2\n");
    assert_eq!(retired(&host, "unfit"), 0.0);
}

/// It may have waited for its client.
#[test]
fn a_request_with_a_body_that_times_out_says_nothing_of_the_function() {
    let host = warm().arg("--timeout=500ms").start();
    assert_counts(&host, "/", "1\n");
    assert_eq!(host.post("/?for=60000", "a body").status, 504);
    assert_counts(&host, "/", "1\n");
    assert_counts(&host, "/", "2\n");
    assert_eq!(retired(&host, "unfit"), 0.0);
}

#[test]
fn that_an_instance_keeps_handles_is_said_once() {
    let host = warm().start();
    let told = |path: &str| {
        let printed = host.printed_by(&host.get(path));
        let about = |(_, text): &&(String, String)| text.contains("answers no further request");
        printed.iter().filter(about).count()
    };
    assert_eq!(told("/?then=keep-fields"), 1);
    assert_eq!(told("/?then=keep-fields"), 0);
}

#[test]
fn one_that_goes_on_after_its_answer_is_ended_and_answers_nobody_else() {
    let host = warm().arg("--timeout=500ms").start();
    assert_counts(&host, "/?then=linger", "1\n");
    assert_counts(&host, "/", "1\n");
    tests::wait_until("it is ended", || retired(&host, "failed") == 1.0);
    assert_counts(&host, "/", "2\n");
}

#[test]
fn idle_instances_do_not_keep_a_host_from_ending() {
    let host = warm().arg("--min-instances=2").start();
    assert_counts(&host, "/", "1\n");
    host.signal(Signal::Term);
    let status = host.wait(Duration::from_secs(5));
    assert!(status.success(), "{status}");
}
