//! Guests that fail: each fails alone, the caller learns no more than a status, and the log says why.

use std::time::Duration;

use tests::{Host, Reply};

/// The one entry in which the host says why the execution failed.
#[track_caller]
fn reason(host: &Host, reply: &Reply) -> String {
    match host.printed_by(reply).pop() {
        Some((level, text)) if level == "E" => text,
        other => panic!("the host does not say why: {other:?}"),
    }
}

/// That the caller learned nothing but that the function failed.
#[track_caller]
fn assert_failed_silently(reply: &Reply) {
    assert_eq!(
        (reply.status, reply.text()),
        (500, "The function failed.\n")
    );
}

#[test]
fn a_trap_is_a_500_and_the_log_has_the_trap_and_where_it_happened() {
    let host = Host::serve("traps").start();
    let reply = host.get("/");
    assert_failed_silently(&reply);
    assert_eq!(host.finish_of(&reply), "status: 'crash'");
    let reason = reason(&host, &reply);
    assert!(
        reason.starts_with("wasm trap: wasm `unreachable` instruction executed\n"),
        "{reason}"
    );
    assert!(
        reason.contains("wasi:http/") && reason.contains("#handle"),
        "{reason}"
    );
}

#[test]
fn a_trap_within_the_first_bytes_of_a_body_is_still_a_500() {
    let host = Host::serve("traps").start();
    let reply = host.get("/?after=5");
    assert_failed_silently(&reply);
    assert_eq!(host.finish_of(&reply), "status: 'crash'");
}

#[test]
fn a_panic_is_a_crash_and_its_message_is_in_the_log() {
    let host = Host::serve("panics").start();
    let reply = host.get("/");
    assert_failed_silently(&reply);
    assert_eq!(host.finish_of(&reply), "status: 'crash'");
    let printed = host.printed_by(&reply);
    assert!(
        printed.contains(&("E".into(), "the guest gave up".into())),
        "{printed:?}"
    );
    let (_, reason) = printed.last().expect("something is printed");
    assert!(
        reason.contains("wasi:http/") && reason.contains("#handle"),
        "{reason}"
    );
}

#[test]
fn an_exit_before_the_answer_is_a_crash() {
    let host = Host::serve("exits").start();
    let reply = host.get("/");
    assert_failed_silently(&reply);
    assert_eq!(host.finish_of(&reply), "status: 'crash'");
    // WASI 0.2 knows success and failure, and no other codes.
    assert_eq!(reason(&host, &reply), "exited with code 1");
}

#[test]
fn a_guest_that_returns_without_an_answer_has_failed() {
    let host = Host::serve("never_answers").start();
    let reply = host.get("/");
    assert_failed_silently(&reply);
    assert_eq!(host.finish_of(&reply), "status: 'error'");
    assert_eq!(reason(&host, &reply), "returned without a response");
}

#[test]
fn an_error_code_for_an_answer_goes_to_the_log_alone() {
    let host = Host::serve("answers_error").start();
    let reply = host.get("/");
    assert_failed_silently(&reply);
    assert_eq!(host.finish_of(&reply), "status: 'error'");
    let reason = reason(&host, &reply);
    assert!(
        reason.contains("InternalError") && reason.contains("the guest has no answer"),
        "{reason}"
    );
}

#[test]
fn a_second_answer_is_a_crash_after_the_first() {
    let host = Host::serve("answers_twice").start();
    let reply = host.get("/");
    assert_eq!((reply.status, reply.text()), (200, "first\n"));
    assert_eq!(host.finish_of(&reply), "status: 'crash'");
}

#[test]
fn a_failed_execution_leaves_the_next_one_alone() {
    let host = Host::serve("traps")
        .args(["--workers=1", "--concurrency=1"])
        .start();
    let ids: Vec<String> = (0..20)
        .map(|_| {
            let reply = host.get("/");
            assert_failed_silently(&reply);
            reply.execution_id().to_owned()
        })
        .collect();
    let finished = host.entries_of_execution(&ids[19]);
    assert_eq!(finished[0].text, "Function execution started");
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(
        distinct.len(),
        ids.len(),
        "each execution has an id of its own"
    );
}

#[test]
fn a_guest_may_go_on_after_its_answer_until_its_time_is_up() {
    let host = Host::serve("lingers").arg("--timeout=500ms").start();
    let reply = host.get("/?ms=100");
    assert_eq!((reply.status, reply.text()), (200, "answered\n"));
    assert_eq!(host.printed_by(&reply), [("I".into(), "still here".into())]);
    assert_eq!(host.finish_of(&reply), "status code: 200");

    let reply = host.get("/?ms=600000");
    assert_eq!((reply.status, reply.text()), (200, "answered\n"));
    assert_eq!(host.finish_of(&reply), "status: 'timeout'");
}

#[test]
fn the_host_ends_well_after_guests_that_did_not() {
    let host = Host::serve("traps").start();
    for _ in 0..5 {
        assert_failed_silently(&host.get("/"));
    }
    host.signal(tests::Signal::Term);
    assert!(host.wait(Duration::from_secs(10)).success());
}
