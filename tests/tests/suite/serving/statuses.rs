//! What a caller is told when no answer comes from the function, row by row of the table of statuses.

use std::time::Duration;

use tests::{Host, Reply};

/// A head line or field that no host accepts, and what makes it so.
const BROKEN_HEADS: [(&str, &str); 6] = [
    ("no version", "GET /\r\nHost: a\r\n\r\n"),
    (
        "a space within the target",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    (
        "a version from the future",
        "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    ),
    (
        "a space before the colon",
        "GET / HTTP/1.1\r\nHost: a\r\nName : b\r\n\r\n",
    ),
    (
        "a length that is no number",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
    ),
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ),
];

#[track_caller]
fn assert_one_line(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let text = reply.text();
    assert!(text.len() > 1 && text.ends_with('\n'), "{text:?}");
    assert_eq!(text.lines().count(), 1, "{text:?}");
}

#[track_caller]
fn assert_json(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let body = reply.json();
    assert_eq!(body["execution_id"], reply.execution_id());
    assert!(
        body["error"].as_str().is_some_and(|line| !line.is_empty()),
        "{body}"
    );
    assert_eq!(
        body.as_object().map(serde_json::Map::len),
        Some(2),
        "{body}"
    );
}

/// GET twice: for text, and for JSON.
#[track_caller]
fn assert_answers(host: &Host, path: &str, status: u16) {
    assert_one_line(&host.get(path), status);
    assert_json(
        &host.request(&format!("GET {path}\nAccept: application/json"), ""),
        status,
    );
}

#[test]
fn a_private_function_answers_401_and_names_the_scheme() {
    let host = Host::serve("hello")
        .arg("--no-allow-unauthenticated")
        .start();
    assert_answers(&host, "/", 401);
    let forged = host.request("GET /\nAuthorization: Bearer e30.e30.e30", "");
    assert_one_line(&forged, 401);
    for reply in [host.get("/"), forged] {
        let scheme = reply.header("www-authenticate").unwrap_or_default();
        assert!(scheme.starts_with("Bearer"), "{reply:?}");
    }
    assert!(
        !host.log().iter().any(|line| line.contains("started")),
        "nothing was executed"
    );
}

#[test]
fn the_reason_goes_to_the_log_and_not_to_the_caller() {
    let host = Host::serve("traps").start();
    let reply = host.get("/");
    assert!(!reply.text().contains("unreachable"));
    let line = host.wait_for_log(|line| line.contains("unreachable"));
    assert!(line.contains(reply.execution_id()), "{line}");
}

#[test]
fn a_request_that_names_no_host_is_400() {
    let host = Host::serve("hello").start();
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a%62\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: user@a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    ] {
        let mut wire = host.connect();
        wire.send(head);
        assert_one_line(&wire.read_reply(), 400);
    }
    let mut wire = host.connect();
    wire.send("GET / HTTP/1.1\r\nAccept: application/json\r\n\r\n");
    assert_json(&wire.read_reply(), 400);
}

#[test]
fn a_broken_head_is_400_and_ends_the_connection() {
    let host = Host::serve("hello").start();
    for (fault, head) in BROKEN_HEADS {
        let mut wire = host.connect();
        wire.send(head);
        assert_eq!(wire.read_reply().status, 400, "{fault}");
        assert!(wire.is_closed(), "{fault}");
    }
    assert_eq!(
        host.get("/").status,
        400,
        "the function's own word for an empty body"
    );
    assert!(host.wait_for_log(|line| line.contains("JSON")).len() > 1);
}

#[test]
fn a_head_that_is_too_large_is_431() {
    let host = Host::serve("hello").start();
    let long = format!("Long: {}\r\n", "x".repeat(128 * 1024));
    let many = "Field: x\r\n".repeat(200);
    for fields in [long, many] {
        let mut wire = host.connect();
        // The host need not read it to the end.
        let _ = wire.try_send(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        assert_eq!(wire.read_head().status, 431);
    }
}

#[test]
fn a_body_that_declares_to_be_too_large_is_413_before_it_is_sent() {
    let host = Host::serve("hello").arg("--max-request-body=1000").start();
    for (accept, check) in [
        ("*/*", assert_one_line as fn(&Reply, u16)),
        ("application/json", assert_json),
    ] {
        let mut wire = host.connect();
        wire.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\nContent-Length: 1001\r\n\r\n"
        ));
        check(&wire.read_reply(), 413);
    }
    assert!(
        !host.log().iter().any(|line| line.contains("started")),
        "nothing was executed"
    );
}

#[test]
fn a_client_that_sends_too_large_a_body_all_the_same_gets_to_read_413() {
    let host = Host::serve("hello").arg("--max-request-body=1000").start();
    for _ in 0..5 {
        assert_one_line(&host.post("/", vec![b' '; 8 * 1024 * 1024]), 413);
    }
}

#[test]
fn a_body_that_turns_out_too_large_is_413() {
    let host = Host::serve("hello").arg("--max-request-body=1000").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.send_chunk([b' '; 1000]);
    wire.send_chunk("x");
    assert_one_line(&wire.read_reply(), 413);
    host.wait_for_log(|line| line.contains("--max-request-body"));
}

#[test]
fn a_body_that_is_just_small_enough_is_taken() {
    let host = Host::serve("echoes").arg("--max-request-body=1000").start();
    assert_eq!(host.post("/", [b'x'; 1000]).body, [b'x'; 1000]);
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.send_chunk([b'x'; 1000]);
    wire.send_chunk("");
    assert_eq!(wire.read_reply().body, [b'x'; 1000]);
}

#[test]
fn a_body_that_comes_too_slowly_is_408() {
    let host = Host::serve("hello").arg("--body-timeout=300ms").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{\"na");
    assert_one_line(&wire.read_reply(), 408);
    assert!(wire.is_closed());
}

#[test]
fn a_body_that_breaks_the_rules_of_chunks_is_400() {
    let host = Host::serve("hello").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    assert_one_line(&wire.read_reply(), 400);
    assert!(wire.is_closed());
}

#[test]
fn a_function_that_traps_is_500() {
    assert_answers(&Host::serve("traps").start(), "/", 500);
}

#[test]
fn a_function_that_panics_is_500() {
    assert_answers(&Host::serve("panics").start(), "/", 500);
}

#[test]
fn a_function_that_answers_and_exits_well_has_answered() {
    let host = Host::serve("exits").start();
    let reply = host.get("/?answer=1&code=0");
    assert_eq!((reply.status, reply.text()), (200, "answered\n"));
    assert_answers(&host, "/?code=0", 500);
}

#[test]
fn a_function_that_exits_is_500() {
    assert_answers(&Host::serve("exits").start(), "/", 500);
}

#[test]
fn a_function_that_returns_without_a_response_is_500() {
    assert_answers(&Host::serve("never_answers").start(), "/", 500);
}

#[test]
fn a_function_that_answers_with_an_error_is_500() {
    assert_answers(&Host::serve("answers_error").start(), "/", 500);
}

#[test]
fn a_function_that_answers_twice_has_answered_once() {
    assert_eq!(Host::serve("answers_twice").start().get("/").status, 200);
}

#[test]
fn an_answer_that_is_not_valid_http_is_502() {
    let host = Host::serve("answers_badly").start();
    for path in [
        "/?status=100",
        "/?status=101",
        "/?status=199",
        "/?kind=short",
        "/?kind=long",
    ] {
        assert_answers(&host, path, 502);
    }
}

#[test]
fn a_length_that_makes_no_sense_never_reaches_the_caller() {
    let host = Host::serve("answers_badly").start();
    for path in ["/?kind=length", "/?kind=lengths"] {
        let reply = host.get(path);
        let refused = reply.status == 200 && reply.text() == "the host refused the header\n";
        assert!(refused || reply.status == 502, "{path}: {reply:?}");
    }
}

#[test]
fn an_answer_that_breaks_off_before_its_head_is_sent_is_502() {
    let host = Host::serve("cuts_body").start();
    for path in ["/", "/?length=0"] {
        assert_answers(&host, path, 502);
    }
}

#[test]
fn an_answer_that_is_never_finished_is_502() {
    let host = Host::serve("leaks_body").start();
    for path in ["/", "/?length=5", "/?length=10", "/?length=100"] {
        assert_answers(&host, path, 502);
    }
}

/// A response of another length than its head says shifts where the next one seems to begin.
#[test]
fn what_is_beyond_the_declared_length_never_becomes_the_next_response() {
    for (guest, path) in [
        ("answers_badly", "/?kind=long"),
        ("answers_badly", "/?kind=short"),
        ("answers_badly", "/?kind=none"),
        ("leaks_body", "/?length=100"),
        (
            "leaks_body",
            "/?length=5&text=whole%0D%0AHTTP/1.1%20200%20OK%0D%0Acontent-length:%206%0D%0A%0D%0Aforged",
        ),
    ] {
        let host = Host::serve(guest).start();
        let mut wire = host.connect();
        for _ in 0..2 {
            wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_one_line(&wire.read_reply(), 502);
        }
        assert!(wire.is_silent_for(Duration::from_millis(1)), "{path}");
    }
}

/// RFC 9110, section 8.6: it is the length that the answer to a GET would have.
#[test]
fn the_answer_to_head_may_declare_the_length_of_a_body_that_does_not_come() {
    let host = Host::serve("answers_badly").start();
    let mut wire = host.connect();
    for _ in 0..2 {
        wire.send("HEAD /?kind=none HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = wire.read_head();
        let length = head.header("content-length");
        assert_eq!((head.status, length), (200, Some("20")));
    }
}

#[test]
fn an_answer_that_is_too_large_is_502() {
    let host = Host::serve("streams")
        .arg("--max-response-body=1000")
        .start();
    assert_answers(&host, "/?chunks=1&size=1001", 502);
    assert_eq!(host.get("/?chunks=1&size=1000").body.len(), 1000);
}

#[test]
fn a_deadline_that_passes_before_the_head_is_504() {
    for guest in ["spins", "sleeps"] {
        let host = Host::serve(guest).arg("--timeout=300ms").start();
        assert_answers(&host, "/", 504);
        host.wait_for_log(|line| line.contains("finished with status: 'timeout'"));
    }
}

#[test]
fn every_execution_has_an_id_of_its_own() {
    let host = Host::serve("hello").start();
    let (first, second) = (host.post("/", "{}"), host.post("/", "{}"));
    for reply in [&first, &second] {
        let id = reply.execution_id();
        let alphabet = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(id.len() == 12 && id.bytes().all(alphabet), "{id:?}");
        host.wait_for_log(|line| line.contains(id));
    }
    assert_ne!(first.execution_id(), second.execution_id());
}

#[test]
fn the_function_cannot_forge_its_id() {
    let host = Host::serve("echoes").start();
    let reply = host.request("GET /\nFunction-Execution-Id: aaaaaaaaaaaa", "");
    assert_ne!(reply.execution_id(), "aaaaaaaaaaaa");
    let ids = reply
        .headers
        .iter()
        .filter(|(name, _)| name == "function-execution-id");
    assert_eq!(ids.count(), 1);
}

#[test]
fn the_next_request_is_served_after_a_failure_on_the_same_connection() {
    let host = Host::serve("spins").arg("--timeout=300ms").start();
    let mut wire = host.connect();
    for (path, status) in [("/", 504), ("/?rounds=1", 200)] {
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(wire.read_reply().status, status);
    }
    assert!(
        wire.is_silent_for(Duration::from_millis(1)),
        "nothing is left over"
    );
}
