//! What a function has answered reaches its caller: whatever the function does afterwards, in whatever order it makes its
//! answer, and whether or not its request was read.

use std::time::{Duration, Instant};

use tests::{Certificate, Directory, Host, Http2, MIB, Origin, Reply, Signal, Wire};

const UPLOAD: usize = 9 * MIB as usize;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn head(path: &str) -> String {
    format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// A host whose guest may take a second, and have 32 MiB.
fn writes_early() -> Host {
    Host::serve("writes_early")
        .args(["--timeout=1s", "--memory=32Mi"])
        .start()
}

/// What it may do when it has answered, and what the log says of that.
const ENDS: [(&str, &str); 3] = [
    ("trap", "status: 'crash'"),
    ("exit", "status: 'crash'"),
    ("allocate", "status: 'out of memory'"),
];

#[test]
fn what_a_function_has_finished_is_its_answer_whatever_it_does_then() {
    let host = writes_early();
    let mut wire = host.connect();
    let client = Http2::connect(host.addr());
    for (then, finish) in ENDS {
        for bytes in [0, 10, 100_000, 900_000] {
            for set in ["first", "last"] {
                let path = format!("/?bytes={bytes}&set={set}&then={then}");
                wire.send(get(&path));
                for reply in [wire.read_reply(), client.get(&path)] {
                    assert_eq!((reply.status, reply.body.len()), (200, bytes), "{path}");
                    assert_eq!(host.finish_of(&reply), finish, "{path}");
                }
            }
        }
    }
}

#[test]
fn what_a_function_has_finished_outlives_its_deadline() {
    let host = writes_early();
    let path = "/?bytes=900000&then=spin";
    for reply in [host.get(path), Http2::connect(host.addr()).get(path)] {
        assert_eq!((reply.status, reply.body.len()), (200, 900_000));
        assert_eq!(host.finish_of(&reply), "status: 'timeout'");
    }
}

#[test]
fn what_a_function_has_not_finished_is_no_answer_when_it_fails() {
    let host = writes_early();
    let mut wire = host.connect();
    for path in [
        "/?finish=0&then=trap",
        "/?finish=0&bytes=100000&then=trap",
        "/?finish=0&set=first&then=trap",
        "/?length=20&then=trap",
        "/?length=5&set=first&then=trap",
    ] {
        wire.send(get(path));
        let reply = wire.read_reply();
        assert_eq!(reply.status, 500, "{path}: {reply:?}");
        assert_eq!(host.finish_of(&reply), "status: 'crash'", "{path}");
    }
    wire.send(get("/?length=20"));
    assert_eq!(wire.read_reply().status, 502, "and too short is not valid");
}

#[test]
fn a_body_of_1_mib_may_be_written_before_the_response_is_set() {
    let host = writes_early();
    for piece in [64 * 1024, 4096, 1000, 100] {
        let reply = host.get(&format!("/?bytes={MIB}&piece={piece}"));
        assert_eq!(
            (reply.status, reply.body.len() as u64),
            (200, MIB),
            "{piece}"
        );
        assert!(reply.body.iter().all(|byte| *byte == b'x'));
    }
}

#[test]
fn a_body_of_1_mib_may_be_written_before_the_request_is_sent() {
    let origin = Host::serve("echoes").start();
    let host = Host::serve("writes_early")
        .arg(format!("--allow-outbound=http://{}", origin.addr()))
        .start();
    for piece in [64 * 1024, 1000] {
        let url = format!("http://{}", origin.addr());
        let reply = host.get(&format!("/?bytes={MIB}&piece={piece}&url={url}"));
        assert_eq!((reply.status, reply.text()), (200, "200\n"));
    }
}

#[test]
fn the_log_says_once_that_a_function_waits_for_a_body_that_nobody_reads() {
    let origin = Origin::start();
    let host = Host::serve("writes_early")
        .arg("--timeout=500ms")
        .arg(format!("--allow-outbound=http://{}", origin.addr()))
        .start();
    let url = format!("http://{}", origin.addr());
    for (path, call) in [
        ("/?bytes=3000000".to_owned(), "response-outparam.set"),
        (
            format!("/?bytes=3000000&url={url}"),
            "outgoing-handler.handle",
        ),
    ] {
        let reply = host.get(&path);
        assert_eq!(reply.status, 504, "{reply:?}");
        let printed = host.printed_by(&reply);
        let said: Vec<_> = printed
            .iter()
            .filter(|(_, text)| text.starts_with("waits: 1 MiB"))
            .collect();
        assert!(
            matches!(&said[..], [(level, text)] if level == "WARNING" && text.contains(call)),
            "{printed:?}"
        );
    }
    let reply = host.get("/?bytes=3000000&set=first");
    assert_eq!((reply.status, reply.body.len()), (200, 3_000_000));
    assert_eq!(
        host.printed_by(&reply),
        [],
        "a body that is read is waited for in silence"
    );
}

#[test]
fn bodies_that_nobody_reads_count_as_memory() {
    let host = writes_early();
    let path = |bodies| format!("/?bytes={MIB}&bodies={bodies}");
    assert_eq!(host.get(&path(20)).status, 200);
    let reply = host.get(&path(40));
    assert_eq!(reply.status, 500);
    assert_eq!(host.finish_of(&reply), "status: 'out of memory'");
    assert_eq!(host.metric("host_instances_memory_bytes"), 0.0);
}

/// RFC 9110, sections 8.6, 9.3.2 and 15.4.5.
#[test]
fn the_length_that_a_function_declares_goes_out_where_no_body_does() {
    let host = writes_early();
    let client = Http2::connect(host.addr());
    let mut wire = host.connect();
    for bytes in [0, 5, 200_000, 3_000_000] {
        let path = format!("/?set=first&length=5&bytes={bytes}");
        wire.send(head(&path));
        let mut stream = client.start("HEAD", &path).finish();
        for reply in [wire.read_head(), stream.read_head()] {
            assert_eq!(
                (reply.status, reply.header("content-length")),
                (200, Some("5")),
                "{path}"
            );
            assert_eq!(host.finish_of(&reply), "status code: 200", "{path}");
        }
        assert_eq!(stream.read_data(), None);

        let path = format!("{path}&status=304");
        wire.send(get(&path));
        let mut stream = client.start("GET", &path).finish();
        for reply in [wire.read_head(), stream.read_head()] {
            assert_eq!(
                (reply.status, reply.header("content-length")),
                (304, Some("5")),
                "{path}"
            );
            assert_eq!(host.finish_of(&reply), "status code: 304", "{path}");
        }
        assert_eq!(stream.read_data(), None);
    }
    let path = "/?length=5&bytes=0&status=204";
    wire.send(get(path));
    assert_eq!(wire.read_head().status, 204);
    let mut stream = client.start("GET", path).finish();
    let reply = stream.read_head();
    assert_eq!((reply.status, reply.header("content-length")), (204, None));
    assert_eq!(stream.read_data(), None);
    wire.send(get("/?bytes=3"));
    assert_eq!(wire.read_reply().text(), "xxx", "no body stood between");
}

#[test]
fn what_a_function_writes_to_nobody_counts_to_its_limit() {
    let host = Host::serve("writes_early")
        .arg("--max-response-body=1Mi")
        .start();
    let mut wire = host.connect();
    wire.send(head("/?set=first&bytes=5000000"));
    let reply = wire.read_head();
    assert_eq!(host.finish_of(&reply), "status: 'error'");
    wire.send(head("/?bytes=1000000"));
    assert_eq!(host.finish_of(&wire.read_head()), "status code: 200");
}

/// The length of the body that GET gets, and no body.
#[test]
fn what_the_host_itself_answers_to_head_has_no_body() {
    let private = Host::serve("hello")
        .arg("--no-allow-unauthenticated")
        .start();
    let failing = Host::serve("traps").start();
    let slow = Host::serve("sleeps").arg("--timeout=100ms").start();
    for (host, status) in [(private, 401), (failing, 500), (slow, 504)] {
        let expected = host.get("/");
        let length = expected.header("content-length");
        assert_eq!((expected.status, expected.body.is_empty()), (status, false));
        let client = Http2::connect(host.addr());
        let mut stream = client.start("HEAD", "/").finish();
        let mut wire = host.connect();
        for _ in 0..2 {
            wire.send(head("/"));
            let reply = wire.read_head();
            assert_eq!(
                (reply.status, reply.header("content-length")),
                (status, length)
            );
        }
        let reply = stream.read_head();
        assert_eq!(
            (reply.status, reply.header("content-length")),
            (status, length)
        );
        assert_eq!(stream.read_data(), None);
    }
}

/// Sends all of an upload before it looks at what comes, as many clients do.
#[track_caller]
fn upload(mut wire: Wire, request: &str, body: impl AsRef<[u8]>) -> Reply {
    wire.send(request);
    wire.send(body);
    let reply = wire.read_reply();
    assert_eq!(reply.header("connection"), Some("close"), "{reply:?}");
    assert!(wire.is_closed());
    reply
}

fn post(path: &str, length: usize) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

#[test]
fn an_answer_that_comes_before_an_upload_was_read_reaches_its_client() {
    let body = vec![b'x'; UPLOAD];
    let private = Host::serve("hello")
        .arg("--no-allow-unauthenticated")
        .start();
    assert_eq!(
        upload(private.connect(), &post("/", UPLOAD), &body).status,
        401
    );
    let host = Host::serve("writes_early")
        .arg("--max-request-body=8Mi")
        .start();
    assert_eq!(
        upload(host.connect(), &post("/", UPLOAD), &body).status,
        413
    );

    let host = writes_early();
    for path in ["/", "/?bytes=1000000", "/?then=trap"] {
        assert_eq!(
            upload(host.connect(), &post(path, UPLOAD), &body).status,
            200,
            "{path}"
        );
    }
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = [
        format!("{UPLOAD:x}\r\n").as_bytes(),
        &body,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    assert_eq!(upload(host.connect(), chunked, chunk).status, 200);
    let too_long = [b"X: ", &body[..], b"\r\n\r\n"].concat();
    let reply = upload(host.connect(), "GET / HTTP/1.1\r\nHost: a\r\n", too_long);
    assert_eq!(reply.status, 431);
}

#[test]
fn over_tls_it_reaches_its_client_too() {
    let certificate = Certificate::new();
    let host = Host::serve("hello").arg("--no-allow-unauthenticated");
    let directory = Directory::new();
    let (chain, key) = certificate.write_to(directory.path());
    let host = host
        .arg("--tls-cert")
        .arg(chain)
        .arg("--tls-key")
        .arg(key)
        .start();
    let wire = certificate.connect(host.addr(), &["http/1.1"]).wire;
    let reply = upload(wire, &post("/", UPLOAD), vec![b'x'; UPLOAD]);
    assert_eq!(reply.status, 401);
}

#[test]
fn a_small_upload_that_was_not_read_leaves_its_connection_as_it_is() {
    let host = writes_early();
    let mut wire = host.connect();
    for _ in 0..3 {
        wire.send(post("/", 10_000));
        wire.send([b'x'; 10_000]);
        let reply = wire.read_reply();
        assert_eq!((reply.status, reply.header("connection")), (200, None));
    }
}

#[test]
fn a_client_that_waits_for_a_word_gets_its_answer_instead() {
    let host = writes_early();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
    let reply = wire.read_head();
    assert_eq!(
        (reply.status, reply.header("connection")),
        (200, Some("close"))
    );
}

#[test]
fn a_client_that_goes_on_sending_does_not_hold_up_a_drain() {
    let host = writes_early();
    let mut wire = host.connect();
    wire.send(post("/", UPLOAD));
    assert_eq!(wire.read_reply().status, 200);
    let begun = Instant::now();
    host.signal(Signal::Term);
    assert!(host.wait(Duration::from_secs(10)).success());
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}
