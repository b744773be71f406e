//! HTTP/1.1, and what is left of HTTP/1.0.

use tests::{Host, Wire};

fn echoes() -> Host {
    Host::serve("echoes").start()
}

/// What the function saw of a request that is sent as it stands.
#[track_caller]
fn seen(wire: &mut Wire, request: &str) -> String {
    wire.send(request);
    let reply = wire.read_reply();
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.text().to_owned()
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let host = echoes();
    let mut wire = host.connect();
    for body in ["one", "two", "three"] {
        wire.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert_eq!(wire.read_reply().text(), body);
    }
}

#[test]
fn a_client_that_asks_for_it_gets_its_connection_closed() {
    let host = echoes();
    let mut wire = host.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(wire.read_reply().header("connection"), Some("close"));
    assert!(wire.is_closed());
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let host = echoes();
    let mut wire = host.connect();
    let requests: String = (0..20)
        .map(|n| format!("GET /headers?n={n} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .collect();
    wire.send(requests);
    for n in 0..20 {
        let reply = wire.read_reply();
        assert!(
            reply.text().contains(&format!("\"/headers?n={n}\"")),
            "{}",
            reply.text()
        );
    }
}

#[test]
fn a_length_beside_chunks_is_not_a_way_to_smuggle_a_request() {
    let host = echoes();
    let send = |length: &str| {
        let mut wire = host.connect();
        wire.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\n{length}Transfer-Encoding: chunked\r\n\r\n\
             0\r\n\r\nGET /headers HTTP/1.1\r\nHost: smuggled\r\nConnection: close\r\n\r\n",
        ));
        let first = wire.read_reply();
        assert_eq!((first.status, first.text()), (200, ""));
        wire.read_to_end()
    };
    // The end of the chunks is the end of the first request. Where that is all there is to it, the second is one too.
    let second = send("");
    let second = String::from_utf8_lossy(&second);
    assert!(
        second.starts_with("HTTP/1.1 200 ") && second.contains("smuggled"),
        "{second}"
    );
    // A proxy in front may have gone by the length: then what follows is of somebody else.
    assert_eq!(
        send("Content-Length: 4\r\n"),
        b"",
        "the connection is closed"
    );
    assert_eq!(
        send("Content-Length: 60\r\n"),
        b"",
        "the connection is closed"
    );
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let host = echoes();
    let mut wire = host.connect();
    for byte in b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" {
        wire.send([*byte]);
    }
    assert_eq!(wire.read_reply().text(), "body");
}

#[test]
fn head_gets_the_head_alone() {
    let host = Host::serve("hello").start();
    let mut wire = host.connect();
    wire.send("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    let head = wire.read_head();
    assert_eq!(head.status, 200);
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(
        wire.read_reply().text(),
        "Hello World!",
        "no body stood between"
    );
}

#[test]
fn head_has_the_status_that_get_has() {
    let host = Host::serve("traps").start();
    let mut wire = host.connect();
    for _ in 0..2 {
        wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(wire.read_head().status, 500, "and no body stood between");
    }
}

#[test]
fn the_function_finishes_although_head_wants_no_body() {
    let host = Host::serve("streams").start();
    let mut wire = host.connect();
    wire.send("HEAD /?mib=2 HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = wire.read_head();
    let finished = host.wait_for_log(|line| line.contains("took"));
    assert!(
        finished.contains("finished with status code: 200"),
        "{finished}"
    );
    assert!(finished.contains(head.execution_id()), "{finished}");
}

#[test]
fn the_answer_does_not_wait_for_what_the_function_does_after_it() {
    let host = Host::serve("lingers").start();
    assert_eq!(host.get("/?ms=1000").text(), "answered\n");
    let is_late = |line: &str| line.contains("still here");
    assert!(
        !host.log().iter().any(|line| is_late(line)),
        "the answer came first"
    );
    host.wait_for_log(is_late);
    host.wait_for_log(|line| line.contains("finished with status code: 200"));
}

#[test]
fn a_function_goes_on_after_an_answer_that_has_no_body() {
    let host = Host::serve("lingers").start();
    assert_eq!(host.get("/?ms=200&status=204").status, 204);
    host.wait_for_log(|line| line.contains("still here"));
    host.wait_for_log(|line| line.contains("finished with status code: 204"));
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let host = echoes();
    let mut wire = host.connect();
    let text = seen(&mut wire, "GET /headers HTTP/1.0\r\nHost: a\r\n\r\n");
    assert!(text.contains("method: Method::Get"), "{text}");
    assert!(wire.is_closed());
}

#[test]
fn http_1_0_gets_no_chunks() {
    let host = Host::serve("streams").start();
    let mut wire = host.connect();
    wire.send("GET /?mib=1 HTTP/1.0\r\nHost: a\r\n\r\n");
    let reply = wire.read_reply();
    assert_eq!(reply.header("transfer-encoding"), None);
    assert_eq!(reply.body.len(), 1024 * 1024);
}

#[test]
fn http_1_0_stays_when_it_asks_to() {
    let host = echoes();
    let mut wire = host.connect();
    for _ in 0..2 {
        seen(
            &mut wire,
            "GET /headers HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        );
    }
}

#[test]
fn an_absolute_target_stands_above_the_host_header() {
    let host = echoes();
    let request = "GET http://b.example:81/headers?q HTTP/1.1\r\nHost: a\r\n\r\n";
    let text = seen(&mut host.connect(), request);
    assert!(text.contains("target: Some(\"/headers?q\")"), "{text}");
    assert!(text.contains("authority: Some(\"b.example:81\")"), "{text}");
}

#[test]
fn the_function_sees_the_host_that_was_asked_for() {
    let host = echoes();
    let request = "GET /headers HTTP/1.1\r\nHost: example.org:8080\r\n\r\n";
    let text = seen(&mut host.connect(), request);
    assert!(
        text.contains("authority: Some(\"example.org:8080\")"),
        "{text}"
    );
    assert!(text.contains("scheme: Some(Scheme::Http)"), "{text}");
}

#[test]
fn every_method_reaches_the_function() {
    let host = echoes();
    let mut wire = host.connect();
    for (method, name) in [
        ("PUT", "Method::Put"),
        ("DELETE", "Method::Delete"),
        ("OPTIONS", "Method::Options"),
        ("TRACE", "Method::Trace"),
        ("PATCH", "Method::Patch"),
        ("PROPFIND", "Method::Other(\"PROPFIND\")"),
        ("PRINT", "Method::Other(\"PRINT\")"),
        ("get", "Method::Other(\"get\")"),
        ("!#$%&'*+-.^_`|~", "Method::Other(\"!#$%&'*+-.^_`|~\")"),
    ] {
        let text = seen(
            &mut wire,
            &format!("{method} /headers HTTP/1.1\r\nHost: a\r\n\r\n"),
        );
        assert!(text.contains(&format!("method: {name}\n")), "{text}");
    }
}

#[test]
fn options_for_the_whole_server_reaches_the_function() {
    let host = echoes();
    let mut wire = host.connect();
    wire.send("OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    let reply = wire.read_reply();
    assert_eq!((reply.status, reply.text()), (200, "body"));
}

#[test]
fn connect_is_refused_and_opens_no_tunnel() {
    let host = echoes();
    let mut wire = host.connect();
    wire.send("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    assert_eq!(wire.read_reply().status, 400);
}

#[test]
fn an_upgrade_is_not_taken_up() {
    let host = echoes();
    let request =
        "GET /headers HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let text = seen(&mut host.connect(), request);
    assert!(text.contains("method: Method::Get"), "{text}");
}

#[test]
fn a_client_that_waits_is_told_to_go_on() {
    let host = Host::serve("hello").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(wire.read_head().status, 100);
    wire.send("{}");
    assert_eq!(wire.read_reply().text(), "Hello World!");
}

#[test]
fn a_client_that_waits_is_told_at_once_that_its_body_is_too_large() {
    let host = Host::serve("hello").arg("--max-request-body=1000").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
    assert_eq!(wire.read_head().status, 413, "with no 100 before it");
}

#[test]
fn a_client_that_waits_is_told_at_once_that_it_may_not_call() {
    let host = Host::serve("hello")
        .arg("--no-allow-unauthenticated")
        .start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(wire.read_head().status, 401, "with no 100 before it");
}

#[test]
fn a_client_that_expects_what_nobody_knows_is_served_all_the_same() {
    let host = echoes();
    let reply = host.request("POST /\nExpect: the-impossible", "body");
    assert!(reply.status == 417 || reply.text() == "body", "{reply:?}");
}
