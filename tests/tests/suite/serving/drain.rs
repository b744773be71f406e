//! How a host ends: nobody new comes in, whoever is inside finishes, and a second word is the last.

use std::thread;
use std::time::{Duration, Instant};

use tests::{Host, HostBuilder, Http2, PATIENCE, Signal, State, Wire};

const TERM: i32 = 128 + 15;
const INT: i32 = 128 + 2;

/// Asks the host to end, and returns when each of its workers has heard: they listen no more.
#[track_caller]
fn drain(host: &Host, signal: Signal) {
    host.signal(signal);
    host.wait_for_stderr(|line| line.starts_with("Draining"));
    let begun = Instant::now();
    while Wire::try_connect(host.addr()).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "the host listens for ever");
    }
}

#[track_caller]
fn assert_ends_in_good_order(host: &Host) {
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
}

/// Begins a request whose body is `{}`, of which the second half is still to be sent.
#[track_caller]
fn begin(host: &Host) -> Wire {
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
    host.wait_for_log(|line| line.contains("started"));
    wire
}

fn one_instance(guest: &str) -> HostBuilder {
    Host::serve(guest).args(["--workers=1", "--concurrency=1", "--queue-time=15s"])
}

#[test]
fn an_idle_host_ends_at_once() {
    for signal in [Signal::Term, Signal::Int] {
        let host = Host::serve("hello").start();
        host.signal(signal);
        assert_ends_in_good_order(&host);
    }
}

#[test]
fn a_request_under_way_is_finished_and_its_connection_closed() {
    for signal in [Signal::Term, Signal::Int] {
        let host = Host::serve("hello").start();
        let mut wire = begin(&host);
        drain(&host, signal);
        wire.send("}");
        let reply = wire.read_reply();
        assert_eq!((reply.status, reply.text()), (200, "Hello World!"));
        assert_eq!(reply.header("connection"), Some("close"));
        assert!(wire.is_closed());
        assert_ends_in_good_order(&host);
    }
}

#[test]
fn a_reload_that_is_asked_for_in_a_drain_reads_nothing() {
    let state = State::new();
    let file = state.file("host.toml", "[host]\nmax-executions = 7\n");
    let host = state.serve().arg("--config").arg(file).start();
    state.deploy("hello", "hello", &[]);
    let mut wire = host.connect();
    wire.send("POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
    host.wait_for_log(|line| line.contains("started"));
    drain(&host, Signal::Term);
    host.signal(Signal::Hup);
    // It would have been read by then.
    thread::sleep(Duration::from_millis(500));
    wire.send("}");
    assert_eq!(wire.read_reply().status, 200);
    assert_ends_in_good_order(&host);
    assert!(!host.stderr().contains("read again"), "{}", host.stderr());
}

#[test]
fn what_was_under_way_is_in_the_log() {
    let host = Host::serve("hello").start();
    let mut wire = begin(&host);
    drain(&host, Signal::Term);
    wire.send("}");
    let reply = wire.read_reply();
    assert_ends_in_good_order(&host);
    let log = host.log();
    let last = log.last().expect("there is a log");
    assert!(
        last.contains(reply.execution_id()) && last.contains("status code: 200"),
        "{log:#?}"
    );
}

#[test]
fn a_response_under_way_is_streamed_to_its_end() {
    let host = Host::serve("echoes").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.send_chunk("first");
    wire.read_head();
    drain(&host, Signal::Term);
    wire.send_chunk("second");
    wire.send_chunk("");
    let mut body = Vec::new();
    while let Some(chunk) = wire.read_chunk() {
        body.extend(chunk);
    }
    assert_eq!(body, b"firstsecond");
    assert_ends_in_good_order(&host);
}

#[test]
fn a_stream_under_way_is_finished_and_no_new_one_begun() {
    let host = Host::serve("echoes").start();
    let client = Http2::connect(host.addr());
    let mut stream = client.start("POST", "/");
    stream.send("first");
    assert_eq!(stream.read_head().status, 200);
    assert_eq!(stream.read_data().as_deref(), Some(&b"first"[..]));
    drain(&host, Signal::Term);
    assert_goes_away(&client);
    stream.send("second");
    let mut stream = stream.finish();
    assert_eq!(stream.read_data().as_deref(), Some(&b"second"[..]));
    assert_eq!(stream.read_data(), None);
    drop(stream);
    assert!(
        client.ended().is_ok(),
        "the connection ends with GOAWAY and no error"
    );
    assert_ends_in_good_order(&host);
}

/// The word to go away may be under way still, so the client asks until it has heard.
#[track_caller]
fn assert_goes_away(client: &Http2) {
    let begun = Instant::now();
    let ask = || client.try_start("GET", "/headers", &[])?.finish().answer();
    while ask().is_ok() {
        assert!(
            begun.elapsed() < PATIENCE,
            "the connection takes new streams for ever"
        );
    }
}

#[test]
fn new_connections_are_refused_while_the_old_ones_finish() {
    let host = Host::serve("hello").start();
    let mut wire = begin(&host);
    drain(&host, Signal::Term);
    assert!(Wire::try_connect(host.addr()).is_err());
    wire.send("}");
    assert_eq!(wire.read_reply().status, 200);
    assert_ends_in_good_order(&host);
}

#[test]
fn an_idle_connection_does_not_hold_up_the_end() {
    let host = Host::serve("hello").start();
    let mut http1 = host.connect();
    http1.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(http1.read_reply().status, 200);
    let http2 = Http2::connect(host.addr());
    assert_eq!(http2.post("/", "{}").status, 200);
    drain(&host, Signal::Term);
    assert_eq!(host.wait(Duration::from_secs(5)).code(), Some(0));
    assert!(http1.is_closed());
}

#[test]
fn a_connection_that_never_spoke_does_not_hold_up_the_end() {
    let host = Host::serve("hello").start();
    let mut silent = host.connect();
    // Accepted in order, so the silent one is in by now.
    assert_eq!(host.post("/", "{}").status, 200);
    drain(&host, Signal::Term);
    assert_eq!(host.wait(Duration::from_secs(5)).code(), Some(0));
    assert!(silent.is_closed());
}

#[test]
fn an_http2_client_that_answers_nothing_does_not_hold_up_the_end() {
    let host = Host::serve("hello").start();
    let mut dead = host.connect();
    // The preface and empty settings (RFC 9113, section 3.4), and then never a word again.
    dead.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    assert_eq!(host.post("/", "{}").status, 200);
    drain(&host, Signal::Term);
    assert_eq!(host.wait(Duration::from_secs(10)).code(), Some(0));
}

#[test]
fn http2_answers_that_nobody_takes_do_not_hold_up_the_end() {
    // Nothing of the answer may leave, or a byte: then the rest waits in the connection.
    for window in [0, 1] {
        let host = Host::serve("traps").arg("--stall-timeout=500ms").start();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window);
        let client = Http2::connect_with(host.addr(), &builder);
        let mut stream = client.start("GET", "/").finish();
        assert_eq!(stream.read_head().status, 500);
        drain(&host, Signal::Term);
        assert_eq!(host.wait(Duration::from_secs(10)).code(), Some(0));
    }
}

#[test]
fn a_request_that_waits_for_an_instance_is_turned_away() {
    let host = one_instance("hello").start();
    let mut busy = begin(&host);
    let mut waiting = host.connect();
    waiting.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    assert!(waiting.is_silent_for(Duration::from_millis(200)));
    drain(&host, Signal::Term);
    let refused = waiting.read_reply();
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.header("connection"), Some("close"));
    busy.send("}");
    assert_eq!(busy.read_reply().status, 200);
    assert_ends_in_good_order(&host);
}

#[test]
fn what_a_function_does_after_its_answer_is_finished() {
    let host = Host::serve("lingers").start();
    assert_eq!(host.get("/?ms=500").text(), "answered\n");
    host.signal(Signal::Term);
    assert_ends_in_good_order(&host);
    let log = host.log();
    assert!(
        log.iter().any(|line| line.contains("still here")),
        "{log:#?}"
    );
}

#[test]
fn an_execution_without_end_meets_its_deadline() {
    let host = Host::serve("spins").arg("--timeout=1s").start();
    let mut wire = host.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    host.wait_for_log(|line| line.contains("started"));
    drain(&host, Signal::Term);
    assert_eq!(wire.read_reply().status, 504);
    assert_ends_in_good_order(&host);
}

#[test]
fn a_second_signal_ends_the_host_at_once() {
    for (first, second, code) in [
        (Signal::Term, Signal::Term, TERM),
        (Signal::Int, Signal::Int, INT),
        (Signal::Term, Signal::Int, INT),
    ] {
        let host = Host::serve("spins").start();
        let mut wire = host.connect();
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        host.wait_for_log(|line| line.contains("started"));
        drain(&host, first);
        host.signal(second);
        assert_eq!(host.wait(Duration::from_secs(5)).code(), Some(code));
    }
}
