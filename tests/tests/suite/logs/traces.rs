//! Traces: from whoever calls to the function, to its entries, and to whoever it calls.

use serde_json::json;
use tests::{Reply, State, Target};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

#[test]
fn a_trace_goes_from_the_caller_to_the_guest_and_the_log() {
    let state = State::new();
    let host = state.serve_component("echoes").start();
    let reply = host.request(
        &format!("GET /headers\ntraceparent: 00-{TRACE}-{CALLER}-01"),
        "",
    );
    let seen = reply.text();
    let told = seen
        .lines()
        .find_map(|line| line.strip_prefix("traceparent: "));
    let told = told.unwrap_or_else(|| panic!("{seen}"));
    assert!(
        told.starts_with(&format!("00-{TRACE}-")) && told.ends_with("-01"),
        "{told}"
    );
    let span = &told[36..52];
    assert_ne!(span, CALLER, "the execution is a span of its own");
    for entry in state.kept_of(reply.execution_id()) {
        assert_eq!(
            (&entry["trace"], &entry["spanId"]),
            (&json!(TRACE), &json!(span))
        );
    }
    let other = host.get("/headers");
    assert!(other.text().contains("traceparent: 00-"), "one is made");
    assert!(!other.text().contains(TRACE));
}

/// The trace and the span that a call of the guest behind `reply` named, with their flags.
#[track_caller]
fn called(target: &Target, path: &str) -> (String, String, String) {
    let calls = target.received(path);
    let [call] = calls.as_slice() else {
        panic!("one call: {calls:?}");
    };
    let parts: Vec<_> = call.fields["traceparent"].split('-').collect();
    let [version, trace, span, flags] = parts[..] else {
        panic!("it has four parts: {parts:?}");
    };
    assert_eq!((version, trace.len(), span.len()), ("00", 32, 16));
    (trace.into(), span.into(), flags.into())
}

#[test]
fn a_call_of_the_guest_is_in_the_trace_of_its_request_and_a_child_of_its_execution() {
    let state = State::new();
    let target = Target::start();
    let host = state
        .serve_component("calls_out")
        .args(["--allow-outbound", &target.url("")])
        .start();
    let own = |reply: &Reply| {
        let entries = state.kept_of(reply.execution_id());
        let text = |key: &str| entries[0][key].as_str().unwrap().to_owned();
        (text("trace"), text("spanId"))
    };
    let reply = host.request(
        &format!(
            "GET /?url={}\ntraceparent: 00-{TRACE}-{CALLER}-01",
            target.url("/traced")
        ),
        "",
    );
    assert_eq!(reply.status, 200, "{reply:?}");
    let (trace, span, flags) = called(&target, "/traced");
    assert_eq!((trace.as_str(), flags.as_str()), (TRACE, "01"));
    assert_eq!((trace, span), own(&reply));

    let reply = host.get(&format!("/?url={}", target.url("/untraced")));
    let (trace, span, flags) = called(&target, "/untraced");
    assert_ne!(trace, TRACE);
    assert_eq!(flags, "00", "nobody asked for it to be sampled");
    assert_eq!((trace, span), own(&reply), "one is made");
}
