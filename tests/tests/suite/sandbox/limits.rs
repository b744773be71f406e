//! What one execution may use: each bound is met by a guest that stays within it and one that does not.

use std::time::{Duration, Instant};

use tests::{Host, Reply};

/// The one entry in which the host says why the execution failed.
#[track_caller]
fn reason(host: &Host, reply: &Reply) -> String {
    match host.printed_by(reply).pop() {
        Some((level, text)) if level == "E" => text,
        other => panic!("the host does not say why: {other:?}"),
    }
}

/// That the execution behind `reply` was ended by a trap.
#[track_caller]
fn assert_crashed(host: &Host, reply: &Reply) {
    assert_eq!(
        (reply.status, reply.text()),
        (500, "The function failed.\n")
    );
    assert_eq!(host.finish_of(reply), "status: 'crash'");
}

/// That the execution behind `reply` was refused memory and died of it.
#[track_caller]
fn assert_ran_out_of_memory(host: &Host, reply: &Reply) {
    assert_eq!(
        (reply.status, reply.text()),
        (500, "The function failed.\n")
    );
    assert_eq!(host.finish_of(reply), "status: 'out of memory'");
}

#[test]
fn memory_over_the_limit_ends_the_guest_and_the_log_says_how_to_raise_it() {
    let host = Host::serve("allocates").arg("--memory=32Mi").start();
    assert_eq!(host.get("/?mib=20").text(), "20 MiB\n");
    let reply = host.get("/");
    assert_ran_out_of_memory(&host, &reply);
    let reason = reason(&host, &reply);
    let first = "wanted more memory than its limit of 32 MiB; raise it with --memory\n";
    assert!(reason.starts_with(first), "{reason}");
    assert_eq!(host.get("/?mib=20").text(), "20 MiB\n");
}

#[test]
fn without_a_word_the_limit_is_256_mib() {
    let host = Host::serve("allocates").start();
    assert_eq!(host.get("/?mib=250").text(), "250 MiB\n");
    let reply = host.get("/?mib=256");
    assert_ran_out_of_memory(&host, &reply);
}

/// The guest grows its four memories in turn. Were each bounded for itself, the first would always be the one that is
/// refused.
#[test]
fn the_memories_of_a_guest_are_bounded_by_their_sum() {
    let refused = |limit: &str| {
        let host = Host::serve("grows_memories")
            .arg(format!("--memory={limit}"))
            .start();
        let reply = host.get("/");
        assert_ran_out_of_memory(&host, &reply);
        let reason = reason(&host, &reply);
        reason.lines().last().map(str::to_owned)
    };
    assert_ne!(refused("2Mi"), refused("3Mi"));
    assert_eq!(refused("2Mi"), refused("6Mi"));
}

#[test]
fn memory_over_what_all_executions_may_have_ends_the_guest_and_the_log_says_how_to_raise_it() {
    let host = Host::serve("allocates").arg("--total-memory=32Mi").start();
    let reply = host.get("/?mib=40");
    assert_ran_out_of_memory(&host, &reply);
    let reason = reason(&host, &reply);
    let first = reason.lines().next().unwrap_or_default();
    assert!(first.contains("--total-memory"), "{reason}");
}

#[test]
fn memory_is_given_back_when_an_execution_ends_well_or_badly() {
    let host = Host::serve("allocates").arg("--total-memory=32Mi").start();
    for _ in 0..5 {
        assert_eq!(host.get("/?mib=20").text(), "20 MiB\n");
        assert_eq!(host.get("/?mib=40").status, 500);
    }
}

/// Serves `guest` with a limit of half a second and returns what came of a call that does not end by itself.
#[track_caller]
fn time_out(guest: &str) {
    let host = Host::serve(guest).arg("--timeout=500ms").start();
    assert_eq!(host.get("/?ms=10").status, 200);
    let start = Instant::now();
    let reply = host.get("/");
    let took = start.elapsed();
    assert_eq!(
        (reply.status, reply.text()),
        (504, "The function took too long.\n")
    );
    assert!(took >= Duration::from_millis(500), "{took:?}");
    assert!(took < Duration::from_millis(1500), "{took:?}");
    assert_eq!(host.finish_of(&reply), "status: 'timeout'");
    assert_eq!(
        reason(&host, &reply),
        "ran longer than its limit of 500ms; raise it with --timeout"
    );
    assert_eq!(host.get("/?ms=10").status, 200);
}

#[test]
fn a_busy_guest_is_ended_when_its_time_is_up() {
    time_out("spins");
}

#[test]
fn a_guest_stuck_in_a_host_call_is_ended_when_its_time_is_up() {
    time_out("sleeps");
}

#[test]
fn recursion_without_end_is_a_crash_and_the_log_shows_the_function() {
    let host = Host::serve("recurses").start();
    let reply = host.get("/");
    assert_crashed(&host, &reply);
    let reason = reason(&host, &reply);
    assert!(
        reason.starts_with("wasm trap: call stack exhausted\n"),
        "{reason}"
    );
    assert!(reason.contains("recurses::descend"), "{reason}");
    assert!(
        reason.lines().count() < 100,
        "the backtrace is bounded: {reason}"
    );
}

/// The guest traps in another way when it is refused earlier or later than that.
#[test]
fn the_tables_of_a_guest_may_have_64_000_elements_in_sum() {
    let host = Host::serve("grows_tables").start();
    let reply = host.get("/");
    assert_crashed(&host, &reply);
    let reason = reason(&host, &reply);
    assert!(
        reason.starts_with("wasm trap: wasm `unreachable` instruction executed\n"),
        "{reason}"
    );
}

#[test]
fn a_guest_may_hold_1024_handles() {
    let host = Host::serve("floods_handles").start();
    assert_eq!(host.get("/?count=1000").text(), "made\n");
    let reply = host.get("/?count=1100");
    assert_crashed(&host, &reply);
    assert_crashed(&host, &host.get("/"));
}

#[test]
fn the_method_and_the_authority_of_a_request_to_the_outside_are_bounded() {
    let host = Host::serve("floods_heads").start();
    for (part, bound) in [("method", 128), ("authority", 1024)] {
        for (size, word) in [(bound, "taken\n"), (bound + 1, "refused\n")] {
            let reply = host.get(&format!("/?part={part}&size={size}"));
            assert_eq!(reply.text(), word, "{part} of {size} bytes");
        }
    }
}

#[test]
fn one_call_gets_a_mebibyte_of_random_bytes_at_most() {
    let host = Host::serve("floods_random").start();
    assert_eq!(host.get("/?len=1048576").text(), "1048576\n");
    assert_crashed(&host, &host.get("/?len=1048577"));
    assert_crashed(&host, &host.get("/"));
}

#[test]
fn the_fields_of_a_response_are_bounded() {
    let host = Host::serve("floods_fields").start();
    let reply = host.get("/?count=100&size=1024");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-field-100").map(str::len), Some(1024));
    for query in ["", "?count=1&size=140000", "?count=200&size=1024"] {
        assert_crashed(&host, &host.get(&format!("/{query}")));
    }
}

#[test]
fn one_call_may_make_the_host_copy_256_kib_at_most() {
    let host = Host::serve("floods_fields").start();
    let reply = host.get("/?count=1&size=300000");
    assert_crashed(&host, &reply);
    let reason = reason(&host, &reply);
    assert!(
        reason.starts_with("too much data is being copied"),
        "{reason}"
    );
}
