//! Components of WASI 0.3: what is theirs alone. All that they have in common with those of 0.2 is tested by the same tests,
//! which `.ci/wasi-0.3` runs once more with guests of 0.3.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tests::{Host, Http2, MIB, Reply, wait_until};

/// The one entry in which the host says why the execution failed.
#[track_caller]
fn reason(host: &Host, reply: &Reply) -> String {
    match host.printed_by(reply).pop() {
        Some((level, text)) if level == "E" => text,
        other => panic!("the host does not say why: {other:?}"),
    }
}

#[test]
fn of_two_handlers_the_one_of_0_3_is_called() {
    let host = Host::serve("p3_both").start();
    assert_eq!(host.get("/").text(), "0.3");
}

#[test]
fn the_greeting_greets() {
    let host = Host::serve("p3_greets").start();
    let reply = host.post("/", r#"{"name": "WASI 0.3"}"#);
    assert_eq!((reply.status, reply.text()), (200, "Hello WASI 0.3!"));
    assert_eq!(host.post("/", "no JSON").status, 400);
}

#[test]
fn an_answer_that_was_given_whole_is_sent_while_the_guest_is_busy_with_something_else() {
    let host = Host::serve("p3_spins_after").arg("--timeout=2s").start();
    let begun = Instant::now();
    let reply = host.get("/");
    let took = begun.elapsed();
    assert_eq!((reply.status, reply.text()), (200, "answered\n"));
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(host.finish_of(&reply), "status: 'timeout'");
}

#[test]
fn a_panic_in_the_middle_of_a_body_never_looks_like_its_end() {
    let host = Host::serve("p3_panics_in_body").start();
    let reply = host.get("/");
    assert_eq!(reply.status, 500, "its head is not out");
    let path = "/?bytes=100000";
    let mut wire = host.connect();
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(wire.read_cut_reply().status, 200);
    let client = Http2::connect(host.addr());
    let (reply, reset) = client.start("GET", path).finish().read_cut_reply();
    assert_eq!((reply.status, reset), (200, h2::Reason::INTERNAL_ERROR));
    host.wait_for_log(|line| line.contains("finished with status: 'crash'"));
}

#[test]
fn a_body_that_does_not_end_is_cut_when_time_is_up() {
    for guest in ["p3_never_ends_body", "p3_spins_in_body", "p3_leaks_body"] {
        let host = Host::serve(guest).arg("--timeout=500ms").start();
        let mut wire = host.connect();
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let reply = wire.read_cut_reply();
        assert_eq!(reply.status, 200, "{guest}");
        assert!(!reply.body.is_empty(), "{guest}");
        assert_eq!(host.finish_of(&reply), "status: 'timeout'", "{guest}");
    }
}

/// The head of an answer that fails: 502, or one whose body is cut, if it was being sent by then.
fn failed_head(host: &Host, path: &str) -> Reply {
    let mut wire = host.connect();
    wire.send(format!(
        "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    ));
    let head = wire.read_head();
    let is_whole = wire.read_to_end().ends_with(b"0\r\n\r\n");
    let is_cut = head.status == 200 && !is_whole;
    assert!(head.status == 502 || is_cut, "{path}: {head:?}");
    head
}

#[test]
fn a_body_that_the_guest_gives_up_is_a_502_or_cut_with_the_reason_in_the_log() {
    let host = Host::serve("p3_cuts_body").start();
    for (path, expected) in [
        ("/?length=0", "its body was given up: "),
        (
            "/?end=whole",
            "it ended after 10 bytes, before its content-length",
        ),
    ] {
        let reply = failed_head(&host, path);
        assert_eq!(host.finish_of(&reply), "status: 'error'", "{path}");
        let reason = reason(&host, &reply);
        assert!(reason.contains(expected), "{path}: {reason}");
    }
}

#[test]
fn a_body_that_is_handed_on_unread_is_bounded_and_cut_as_any_other() {
    let host = Host::serve("p3_forwards")
        .args(["--max-request-body=1Mi", "--body-timeout=300ms"])
        .start();
    let body = vec![b'x'; MIB as usize];
    assert_eq!(host.post("/", &body).body, body);
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.send_chunk(vec![b'x'; 100_000]);
    // Nothing more comes of it.
    assert_eq!(wire.read_cut_reply().status, 200);
    host.wait_for_log(|line| line.contains("finished with status: 'connection error'"));
}

#[test]
fn streams_futures_tasks_and_sets_of_them_are_handles() {
    let host = Host::serve("p3_floods_handles").start();
    for kind in [
        "streams",
        "futures",
        "fields",
        "requests",
        "responses",
        "options",
        "sets",
    ] {
        let reply = host.get(&format!("/{kind}?count=100"));
        assert_eq!((reply.status, reply.text()), (200, "made\n"), "{kind}");
        let reply = host.get(&format!("/{kind}"));
        assert_eq!(reply.status, 500, "{kind}");
        let reason = reason(&host, &reply);
        assert!(reason.contains("handle"), "{kind}: {reason}");
    }
    let host = Host::serve("p3_floods_tasks").arg("--timeout=5s").start();
    let reply = host.get("/?count=200&then=leave");
    assert_eq!(reply.status, 200);
    let reply = host.get("/");
    assert_eq!(host.finish_of(&reply), "status: 'crash'");
}

#[test]
fn one_that_yields_for_ever_holds_nobody_up_and_is_ended() {
    for how in ["", "?how=blocking", "?how=timers"] {
        let host = Host::serve("p3_yields")
            .args(["--timeout=2s", "--workers=1"])
            .start();
        let mut busy = host.connect();
        busy.send(format!("GET /{how} HTTP/1.1\r\nHost: a\r\n\r\n"));
        host.wait_for_log(|line| line.contains("started"));
        let begun = Instant::now();
        assert_eq!(host.get("/?ms=1").status, 200, "{how}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(1), "{how}: {took:?}");
        assert_eq!(busy.read_reply().status, 504, "{how}");
    }
}

#[test]
fn an_exit_code_of_0_3_is_told() {
    let host = Host::serve("p3_exits").start();
    let reply = host.get("/?wasi=0.3&code=7");
    assert_eq!(reply.status, 500);
    assert_eq!(reason(&host, &reply), "exited with code 7");
}

#[test]
fn what_is_printed_by_either_generation_is_in_the_log() {
    let host = Host::serve("p3_prints").start();
    let reply = host.get("/?kind=std");
    let printed = host.printed_by(&reply);
    assert!(printed.contains(&("I".into(), "out by std".into())));
    let reply = host.get("/?kind=line");
    assert_eq!(host.printed_by(&reply), [("I".into(), "a line".into())]);
}

/// Takes one request, and tells all that came of it, once it is cut or the answer is sent.
fn take_upload() -> (SocketAddr, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let addr = listener.local_addr().expect("it is bound");
    let taken = thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("the guest calls");
        let mut taken = Vec::new();
        let mut buffer = [0; 64 * 1024];
        while !taken.ends_with(b"\r\n0\r\n\r\n") {
            match socket.read(&mut buffer) {
                Ok(0) | Err(_) => return taken,
                Ok(length) => taken.extend_from_slice(&buffer[..length]),
            }
        }
        let answered = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\ntaken\n");
        answered.expect("the host reads");
        taken
    });
    (addr, taken)
}

fn uploads() -> (Host, SocketAddr, JoinHandle<Vec<u8>>) {
    let (addr, taken) = take_upload();
    let host = Host::serve("p3_calls_out")
        .arg(format!("--allow-outbound=http://{addr}"))
        .start();
    (host, addr, taken)
}

#[test]
fn an_upload_arrives_whole() {
    let (host, addr, taken) = uploads();
    let reply = host.get(&format!("/?url=http://{addr}/&upload=1000000"));
    assert_eq!((reply.status, reply.text()), (200, "taken\n"));
    let taken = taken.join().expect("it is taken");
    assert!(taken.len() > 1_000_000 && taken.ends_with(b"\r\n0\r\n\r\n"));
}

#[test]
fn an_upload_that_a_trap_ends_never_looks_whole() {
    let (host, addr, taken) = uploads();
    let reply = host.get(&format!("/?url=http://{addr}/&upload=1000000&trap"));
    assert_eq!(reply.status, 500);
    let taken = taken.join().expect("it is cut");
    assert!(!taken.is_empty() && !taken.ends_with(b"\r\n0\r\n\r\n"));
}

fn keeps() -> Host {
    Host::serve("p3_keeps")
        .args(["--warm", "--workers=1", "--timeout=5s"])
        .start()
}

fn retired(host: &Host, reason: &str) -> f64 {
    let series =
        format!("host_instances_retired_total{{function=\"p3_keeps\",reason=\"{reason}\"}}");
    host.metric(&series)
}

#[test]
fn an_instance_that_keeps_anything_of_0_3_answers_no_further_request() {
    let host = keeps();
    assert_eq!(host.get("/nothing").text(), "kept 1\n");
    assert_eq!(host.get("/nothing").text(), "kept 2\n", "it is warm");
    for (number, kind) in ["stream", "future", "fields", "request", "body", "subtask"]
        .into_iter()
        .enumerate()
    {
        let reply = host.get(&format!("/{kind}"));
        assert_eq!(reply.status, 200, "{kind}");
        wait_until("the instance is let go of", || {
            retired(&host, "handles") == (number + 1) as f64
        });
        assert_eq!(host.get("/nothing").text(), "kept 1\n", "after {kind}");
    }
}

#[test]
fn an_execution_ends_with_the_last_task_of_its_guest() {
    let host = keeps();
    let reply = host.get("/timer?ms=300");
    assert_eq!(reply.status, 200);
    let finish = host.wait_for_log(|line| line.contains("Function execution took"));
    let took: u64 = finish
        .split_whitespace()
        .skip_while(|word| *word != "took")
        .nth(1)
        .and_then(|word| word.parse().ok())
        .expect("it says how long");
    assert!(took >= 300, "{finish}");
    assert_eq!(host.get("/nothing").text(), "kept 2\n", "it has ended well");
}
