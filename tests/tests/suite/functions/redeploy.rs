//! A function is replaced and taken away while it serves, and no caller can tell but by the answers.

use std::fs;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tests::{Host, Http2, PATIENCE, Signal, State, Wire, guest, wait_until};

const REDEPLOYS: usize = 100;
const CONNECTIONS: usize = 4;
/// What a caller waits between two calls, so that the deployments get on.
const PAUSE: Duration = Duration::from_millis(1);

/// A request that is under way: the head of its answer has come, and its body is to be echoed.
struct UnderWay(Wire);

impl UnderWay {
    #[track_caller]
    fn begin(host: &Host, path: &str) -> Self {
        let mut wire = host.connect();
        wire.send(format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        ));
        wire.send_chunk("first");
        assert_eq!(wire.read_head().status, 200);
        Self(wire)
    }

    #[track_caller]
    fn assert_is_echoed_to_its_end(mut self) {
        self.0.send_chunk("second");
        self.0.send_chunk("");
        let chunks = std::iter::from_fn(|| self.0.read_chunk());
        assert_eq!(chunks.collect::<Vec<_>>().concat(), b"firstsecond");
    }
}

/// Deployments under load, each of which has a number.
#[derive(Default)]
struct Deployments {
    begun: AtomicUsize,
    done: AtomicUsize,
    are_over: AtomicBool,
}

impl Deployments {
    /// Even ones show their number in two variables; odd ones greet, whatever their variables are.
    fn make(&self, state: &State, number: usize) {
        let source = if number.is_multiple_of(2) {
            "tries_files"
        } else {
            "hello"
        };
        self.begun.store(number, Ordering::SeqCst);
        state.deploy(
            "f",
            source,
            &[&format!("--set-env-vars=A={number},B={number}")],
        );
        self.done.store(number, Ordering::SeqCst);
    }

    /// Calls on one connection until they are over, and says how often.
    fn call(&self, host: &Host) -> usize {
        let mut wire = host.connect();
        let mut calls = 0;
        while !self.are_over.load(Ordering::SeqCst) {
            let first = self.done.load(Ordering::SeqCst);
            wire.send(
                "POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\n{\"name\":\"Ada\"}",
            );
            let reply = wire.read_reply();
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_is_of(reply.text(), first..=self.begun.load(Ordering::SeqCst));
            calls += 1;
            thread::sleep(PAUSE);
        }
        calls
    }
}

/// That `answer` is the one of a single deployment among `numbers`.
#[track_caller]
fn assert_is_of(answer: &str, numbers: RangeInclusive<usize>) {
    if answer == "Hello Ada!" {
        let is_odd = numbers.clone().any(|number| number % 2 == 1);
        return assert!(is_odd, "{answer} in {numbers:?}");
    }
    let variable = |name: &str| {
        let prefix = format!("variable: {name}=");
        let value = answer.lines().find_map(|line| line.strip_prefix(&prefix));
        value.and_then(|value| value.parse::<usize>().ok())
    };
    let number = variable("A");
    assert_eq!(number, variable("B"), "{answer}");
    let is_of = |number: usize| number.is_multiple_of(2) && numbers.contains(&number);
    assert!(number.is_some_and(is_of), "{answer} in {numbers:?}");
}

#[test]
fn a_hundred_redeploys_under_load_fail_no_request_and_mix_no_answer() {
    let state = State::new();
    let deployments = Deployments::default();
    deployments.make(&state, 0);
    let host = state.serve().in_shell("", ">/dev/null").start();
    thread::scope(|scope| {
        let call = || deployments.call(&host);
        let callers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(call)).collect();
        for number in 1..=REDEPLOYS {
            deployments.make(&state, number);
            let failed = callers.iter().any(|caller| caller.is_finished());
            assert!(!failed, "a caller failed by deployment {number}");
        }
        deployments.are_over.store(true, Ordering::SeqCst);
        for caller in callers {
            let calls = caller.join().expect("no call fails");
            assert!(calls > REDEPLOYS, "{calls} calls are no load");
        }
    });
    assert_eq!(state.describe("f")["revision"], REDEPLOYS + 1);
    let reply = host.get("/f");
    assert_is_of(reply.text(), REDEPLOYS..=REDEPLOYS);
    let failed = r#"host_executions_total{function="f",outcome="crash"}"#;
    assert_eq!(host.metric(failed), 0.0);
}

#[test]
fn a_kept_connection_gets_the_new_function_with_its_next_request() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let host = state.serve().start();
    let client = Http2::connect(host.addr());
    let mut wire = host.connect();
    let mut post = || {
        wire.send("POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
        let reply = wire.read_reply();
        let other = client.post("/f", "{}");
        assert_eq!(other.text(), reply.text());
        reply.text().to_owned()
    };
    assert_eq!(post(), "Hello World!");
    state.deploy("f", "echoes", &[]);
    assert_eq!(post(), "{}");
    state.deploy("f", "hello", &[]);
    assert_eq!(post(), "Hello World!");
}

#[test]
fn requests_under_way_finish_on_the_old_code() {
    let state = State::new();
    state.deploy("f", "echoes", &[]);
    let host = state.serve().start();
    let under_way = UnderWay::begin(&host, "/f");
    let client = Http2::connect(host.addr());
    let mut stream = client.start("POST", "/f");
    stream.send("first");
    assert_eq!(stream.read_head().status, 200);
    state.deploy("f", "hello", &["--concurrency=7"]);
    assert_eq!(host.post("/f", "{}").text(), "Hello World!");
    under_way.assert_is_echoed_to_its_end();
    stream.send("second");
    let mut stream = stream.finish();
    let body: Vec<_> = std::iter::from_fn(|| stream.read_data()).collect();
    assert_eq!(body.concat(), b"firstsecond");
}

#[test]
fn requests_under_way_finish_after_their_function_is_deleted() {
    let state = State::new();
    state.deploy("f", "echoes", &[]);
    let host = state.serve().start();
    let under_way = UnderWay::begin(&host, "/f");
    state.delete("f");
    wait_until("it is gone", || host.post("/f", "").status == 404);
    under_way.assert_is_echoed_to_its_end();
}

/// The time that a drain allows is theirs, not that of the functions which are served by now.
#[test]
fn requests_under_way_finish_in_a_drain_after_their_function_is_deleted() {
    let state = State::new();
    state.deploy("f", "sleeps", &[]);
    let host = state.serve().start();
    let mut wire = host.connect();
    wire.send("GET /f?ms=6000 HTTP/1.1\r\nHost: a\r\n\r\n");
    host.wait_for_starts(1);
    state.delete("f");
    wait_until("it is gone", || host.get("/f?ms=1").status == 404);
    host.signal(Signal::Term);
    assert_eq!(wire.read_reply().text(), "slept\n");
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
}

#[test]
fn a_request_that_waits_for_an_instance_is_served_after_a_redeploy() {
    let state = State::new();
    state.deploy("f", "sleeps", &["--concurrency=1"]);
    let host = state
        .serve()
        .args(["--workers=1", "--queue-time=15s"])
        .start();
    let mut begun: Vec<Wire> = Vec::new();
    for _ in 0..2 {
        let mut wire = host.connect();
        wire.send("GET /f?ms=700 HTTP/1.1\r\nHost: a\r\n\r\n");
        host.wait_for_starts(1);
        begun.push(wire);
    }
    wait_until("one waits", || {
        host.metric(r#"host_queue_length{function="f"}"#) == 1.0
    });
    state.deploy("f", "hello", &["--concurrency=2"]);
    assert_eq!(host.post("/f", "{}").text(), "Hello World!");
    for mut wire in begun {
        assert_eq!(wire.read_reply().text(), "slept\n");
    }
}

#[test]
fn what_cannot_be_served_leaves_the_old_function_serving() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let host = state.serve().start();
    let before = state.describe("f");
    let whole = fs::read(guest("echoes")).expect("it is a file");
    for (flags, file) in [
        (&[][..], state.file("cut.wasm", &whole[..whole.len() / 2])),
        (&[], state.file("core.wasm", b"\0asm\x01\0\0\0")),
        (&[], guest("imports_unknown")),
        (&["--memory=64Ki"], guest("echoes")),
    ] {
        let command = state.functions(["deploy", "f", "--source"]);
        let output = command.arg(&file).args(flags).run();
        assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
        assert!(output.stderr.contains("\nerror: "), "{}", output.stderr);
        assert_eq!(host.post("/f", "{}").text(), "Hello World!");
    }
    assert_eq!(state.describe("f"), before);
}

/// Else the host would go on only until it is started again.
#[test]
fn settings_that_cannot_be_served_are_refused_as_well() {
    let state = State::new();
    state.deploy("f", "echoes", &[]);
    let before = state.describe("f");
    let output = state.functions(["deploy", "f", "--memory=64Ki"]).run();
    assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
    assert!(output.stderr.contains("--memory"), "{}", output.stderr);
    assert_eq!(state.describe("f"), before);
}

#[test]
fn deploys_at_once_are_all_done_one_after_the_other() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let host = state.serve().start();
    thread::scope(|scope| {
        for number in 0..8 {
            let state = &state;
            scope.spawn(move || {
                state.update("f", &[&format!("--update-labels=n{number}=x")]);
                state.deploy(&format!("f{number}"), "hello", &[]);
            });
        }
    });
    assert_eq!(state.describe("f")["revision"], 9);
    assert_eq!(state.names().len(), 9);
    for number in 0..8 {
        assert_eq!(host.post(&format!("/f{number}"), "{}").status, 200);
    }
}
