//! What is sent on to a collector: entries and spans, late if they must be, and never in a request's way.

use std::fs;
use std::time::{Duration, Instant};

use tests::{Directory, Host, PATIENCE, Received, Signal, Target, wait_until};

/// How long the last entries may take to be sent when the process ends.
const LAST_ENTRIES: Duration = Duration::from_secs(5);

fn serve(guest: &str, endpoint: &str) -> Host {
    Host::serve(guest)
        .args(["--otlp-endpoint", endpoint])
        .start()
}

fn holds(request: &Received, text: &str) -> bool {
    let wanted = text.as_bytes();
    request
        .body
        .windows(wanted.len())
        .any(|part| part == wanted)
}

/// The requests for `path`, as soon as one of them holds `text`.
fn sent(collector: &Target, path: &str, text: &str) -> Vec<Received> {
    wait_until(text, || {
        let requests = collector.received(path);
        requests.iter().any(|request| holds(request, text))
    });
    collector.received(path)
}

/// How many records of this signal met this fate.
fn records(host: &Host, signal: &str, fate: &str) -> f64 {
    host.metric(&format!(
        "host_otlp_records_total{{fate=\"{fate}\",signal=\"{signal}\"}}"
    ))
}

#[test]
fn entries_and_spans_reach_the_collector_with_the_headers_of_a_file() {
    let collector = Target::start();
    let directory = Directory::new();
    let headers = directory.path().join("headers");
    fs::write(&headers, "authorization: Bearer s3cret\nx-team: a\n").unwrap();
    let host = Host::serve("hello")
        .args(["--otlp-endpoint", &collector.url("/otlp")])
        .args(["--otlp-headers".as_ref(), headers.as_os_str()])
        .start();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let reply = host.request(
        &format!("POST /\ntraceparent: 00-{trace}-b7ad6b7169203331-01"),
        r#"{"name": "Ada"}"#,
    );
    for (path, text) in [
        ("/otlp/v1/logs", "Hello Ada!"),
        ("/otlp/v1/logs", "finished with status code: 200"),
        ("/otlp/v1/logs", reply.execution_id()),
        ("/otlp/v1/traces", reply.execution_id()),
        ("/otlp/v1/traces", "faas.trigger"),
    ] {
        let requests = sent(&collector, path, text);
        let fields = &requests[0].fields;
        assert_eq!(fields["content-type"], "application/x-protobuf");
        assert_eq!(fields["authorization"], "Bearer s3cret");
        assert_eq!(fields["x-team"], "a");
    }
    let requests = collector.received("/otlp/v1/traces");
    let trace = u128::from_str_radix(trace, 16).unwrap().to_be_bytes();
    let has_trace = |request: &Received| request.body.windows(16).any(|part| part == trace);
    assert!(requests.iter().any(has_trace));
    assert_eq!(records(&host, "logs", "sent"), 3.0);
    wait_until("the span is sent", || {
        records(&host, "spans", "sent") == 1.0
    });
    assert!(!host.stderr().contains("s3cret"));
}

#[test]
fn a_collector_that_is_busy_gets_the_same_entries_later() {
    let collector = Target::start();
    let host = serve("hello", &collector.url("/busy/2"));
    host.post("/", r#"{"name": "Ada"}"#);
    let path = "/busy/2/v1/logs";
    wait_until("the third try", || collector.received(path).len() == 3);
    let requests = collector.received(path);
    assert!(requests.iter().all(|request| holds(request, "Hello Ada!")));
    host.wait_for_stderr(|line| line.contains("cannot be sent") && line.contains("503"));
    wait_until("all are sent", || records(&host, "logs", "sent") == 3.0);
}

#[test]
fn what_a_collector_refuses_is_lost_counted_and_told_once() {
    let collector = Target::start();
    let host = serve("hello", &collector.url("/status/400"));
    for round in [1.0, 2.0] {
        host.post("/", "{}");
        wait_until("the span is lost", || {
            records(&host, "spans", "lost") == round
        });
        assert_eq!(records(&host, "logs", "lost"), 3.0 * round);
    }
    let path = "/status/400/v1/logs";
    assert_eq!(collector.received(path).len(), 2, "none is tried again");
    let stderr = host.stderr();
    for what in ["log entries", "spans"] {
        let told = format!("error: {what} cannot be sent to ");
        assert_eq!(stderr.matches(&told).count(), 1, "{stderr}");
    }
}

#[test]
fn a_collector_may_reject_a_part() {
    let collector = Target::start();
    let host = serve("hello", &collector.url("/rejects"));
    host.post("/", "{}");
    wait_until("the answer is read", || {
        records(&host, "logs", "lost") == 1.0
    });
    assert_eq!(records(&host, "logs", "sent"), 2.0);
}

#[test]
fn a_collector_that_hangs_holds_nobody_up_and_what_waits_for_it_is_bounded() {
    let collector = Target::start();
    let host = serve("floods_log", &collector.url("/hangs"));
    // Each of them prints a quarter of a mebibyte; sixteen may wait.
    for _ in 0..100 {
        let begun = Instant::now();
        let reply = host.get("/?lines=256&width=1000");
        assert_eq!(reply.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
    wait_until("some are lost", || records(&host, "logs", "lost") > 0.0);
    let begun = Instant::now();
    host.signal(Signal::Term);
    assert!(host.wait(PATIENCE).success());
    assert!(begun.elapsed() < LAST_ENTRIES + Duration::from_secs(3));
    host.wait_for_stderr(|line| {
        line.starts_with("warning: the last log entries could not be sent")
    });
}

#[test]
fn what_was_printed_last_is_sent_before_the_process_ends() {
    let collector = Target::start();
    let host = serve("hello", &collector.url(""));
    host.post("/", r#"{"name": "last"}"#);
    host.signal(Signal::Term);
    assert!(host.wait(PATIENCE).success());
    let requests = collector.received("/v1/logs");
    assert!(requests.iter().any(|request| holds(request, "Hello last!")));
    assert_eq!(collector.received("/v1/traces").len(), 1);
}

#[test]
fn a_collector_that_cannot_be_one_is_refused_in_a_line() {
    let directory = Directory::new();
    let missing = directory.path().join("missing");
    let missing = missing.to_str().unwrap();
    for (arguments, words) in [
        (
            vec!["--otlp-endpoint", "localhost:4318"],
            "no address of a collector",
        ),
        (vec!["--otlp-headers", missing], "--otlp-endpoint"),
        (
            vec![
                "--otlp-endpoint",
                "http://a.example",
                "--otlp-headers",
                missing,
            ],
            "No such file",
        ),
        (
            vec!["--otlp-endpoint", "https://a.example", "--otlp-ca", missing],
            "No such file",
        ),
    ] {
        let output = Host::serve("hello").args(&arguments).run();
        assert_eq!(output.code, Some(1), "{output:?}");
        let stderr = output.stderr;
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(
            stderr.starts_with("error: ") && stderr.contains(words),
            "{stderr}"
        );
    }
}
