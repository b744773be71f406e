//! HTTP/2: what it shares with HTTP/1.1, and how its own ways of doing harm are bounded.

use tests::{Host, Http2};

/// The client connection preface, with empty SETTINGS (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

// Frame types and flags (RFC 9113, section 6).
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const REFUSED_STREAM: u8 = 7;

/// `GET http://a/` in HPACK: three fields of the static table, and the authority as a literal.
const GET: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'a'];
/// `GET http:///`, that is without an authority.
const GET_NOWHERE: &[u8] = &[0x82, 0x86, 0x84];
/// `:status: 400` is the twelfth field of the static table (RFC 7541, appendix A).
const STATUS_400: u8 = 0x80 | 12;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [head.as_slice(), payload].concat()
}

fn request(stream: u32, fields: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, fields)
}

/// The type and payload of each whole frame in `bytes`.
fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let Some((payload, rest)) = rest.split_at_checked(length) else {
            break;
        };
        frames.push((head[3], payload));
        bytes = rest;
    }
    frames
}

fn has(said: &[u8], kind: u8) -> bool {
    frames(said).iter().any(|(frame, _)| *frame == kind)
}

/// Sends what no client should, which the host must answer by closing the connection, and returns all it said. That it
/// says why cannot be counted on: to close with bytes unread takes back what was said last.
#[track_caller]
fn flood(host: &Host, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut wire = host.connect();
    wire.send(PREFACE);
    for piece in pieces {
        if wire.try_send(piece).is_err() {
            break;
        }
    }
    wire.read_to_end()
}

/// Odd numbers, as a client's streams have.
fn streams() -> impl Iterator<Item = u32> {
    (0..).map(|n| 2 * n + 1)
}

#[track_caller]
fn assert_unharmed(host: &Host) {
    assert_eq!(host.get("/?ms=1").status, 200);
    assert_eq!(Http2::connect(host.addr()).get("/?ms=1").status, 200);
}

#[test]
fn it_is_spoken_by_prior_knowledge() {
    let host = Host::serve("hello").start();
    let client = Http2::connect(host.addr());
    for _ in 0..3 {
        let reply = client.post("/", r#"{"name": "streams"}"#);
        assert_eq!((reply.status, reply.text()), (200, "Hello streams!"));
        assert_eq!(reply.execution_id().len(), 12);
    }
}

#[test]
fn the_preface_may_come_byte_by_byte() {
    let host = Host::serve("hello").start();
    let mut wire = host.connect();
    for byte in PREFACE {
        wire.send([*byte]);
    }
    let said = wire.read_until(|said| !frames(said).is_empty());
    assert_eq!(frames(&said)[0].0, SETTINGS);
}

#[test]
fn streams_of_one_connection_run_beside_each_other() {
    let host = Host::serve("echoes").start();
    let client = Http2::connect(host.addr());
    let open: Vec<_> = (0..50).map(|n| (n, client.start("POST", "/"))).collect();
    for (n, mut stream) in open.into_iter().rev() {
        stream.send(format!("body {n}"));
        assert_eq!(stream.finish().read_reply().text(), format!("body {n}"));
    }
}

#[test]
fn a_busy_stream_does_not_hold_up_its_neighbours() {
    let host = Host::serve("spins").arg("--timeout=60s").start();
    let client = Http2::connect(host.addr());
    let busy = client.start("GET", "/").finish();
    host.wait_for_log(|line| line.contains("started"));
    assert_eq!(client.get("/?rounds=1").status, 200);
    busy.reset();
}

#[test]
fn head_gets_the_head_alone() {
    let host = Host::serve("echoes").start();
    let client = Http2::connect(host.addr());
    let mut stream = client.start("HEAD", "/headers").finish();
    assert_eq!(stream.read_head().status, 200);
    assert_eq!(stream.read_data(), None);
}

#[test]
fn the_authority_reaches_the_function() {
    let host = Host::serve("echoes").start();
    let client = Http2::connect(host.addr());
    let reply = client.get("/headers?q");
    let authority = format!("authority: Some(\"{}\")", host.addr());
    assert!(reply.text().contains(&authority), "{}", reply.text());
    assert!(
        reply.text().contains("target: Some(\"/headers?q\")"),
        "{}",
        reply.text()
    );
}

#[test]
fn a_request_that_names_no_host_is_400() {
    let host = Host::serve("hello").start();
    let mut wire = host.connect();
    wire.send(PREFACE);
    wire.send(request(1, GET_NOWHERE));
    let said = wire.read_until(|said| has(said, HEADERS) || has(said, RST_STREAM));
    let frames = frames(&said);
    let answer = frames.iter().find(|(kind, _)| *kind == HEADERS);
    let status = answer.and_then(|(_, fields)| fields.first());
    assert_eq!(status, Some(&STATUS_400), "{frames:?}");
    host.wait_for_log(|line| line.contains("the request names no host"));
}

#[test]
fn a_head_that_is_too_large_is_431() {
    let host = Host::serve("hello").start();
    let client = Http2::connect(host.addr());
    let long = "x".repeat(8 * 1024);
    let fields: Vec<_> = (0..12).map(|_| ("long", long.as_str())).collect();
    let mut stream = client.start_with("GET", "/", &fields).finish();
    assert_eq!(stream.read_head().status, 431);
    assert_eq!(client.post("/", "{}").status, 200, "the connection goes on");
}

#[test]
fn a_body_that_declares_to_be_too_large_is_413_before_it_is_sent() {
    let host = Host::serve("hello").arg("--max-request-body=1000").start();
    let client = Http2::connect(host.addr());
    let mut stream = client.start_with("POST", "/", &[("content-length", "1001")]);
    assert_eq!(stream.read_head().status, 413);
}

#[test]
fn an_error_is_json_for_those_who_ask() {
    let host = Host::serve("traps").start();
    let client = Http2::connect(host.addr());
    let stream = client.start_with("GET", "/", &[("accept", "application/json")]);
    let reply = stream.finish().read_reply();
    assert_eq!(reply.status, 500);
    assert_eq!(reply.json()["execution_id"], reply.execution_id());
}

#[test]
fn streams_at_once_are_bounded_as_the_settings_say() {
    let host = Host::serve("spins")
        .args(["--max-streams=3", "--concurrency=10"])
        .start();
    let client = Http2::connect(host.addr());
    assert_eq!(client.get("/?rounds=1").status, 200);
    assert_eq!(client.max_streams(), 3);
}

#[test]
fn a_client_that_opens_more_streams_than_it_may_is_refused_them() {
    let host = Host::serve("spins").arg("--max-streams=3").start();
    let mut wire = host.connect();
    wire.send(PREFACE);
    for stream in streams().take(3) {
        wire.send(request(stream, GET));
    }
    host.wait_for_log(|line| line.contains("started"));
    wire.send(request(7, GET));
    let said = wire.read_until(|said| has(said, RST_STREAM));
    let frames = frames(&said);
    let reset = frames.iter().find(|(kind, _)| *kind == RST_STREAM);
    let reason = reset.and_then(|(_, payload)| payload.last());
    assert_eq!(reason, Some(&REFUSED_STREAM), "{frames:?}");
    let started = host
        .log()
        .iter()
        .filter(|line| line.contains("started"))
        .count();
    assert!(started <= 3, "{started} executions");
}

#[test]
fn a_flood_of_resets_ends_its_connection_and_harms_no_other() {
    let host = Host::serve("spins")
        .args(["--concurrency=4", "--queue-length=4"])
        .start();
    let resets = streams().take(20_000).map(|stream| {
        let reset = frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
        [request(stream, GET), reset].concat()
    });
    let burst = resets.collect::<Vec<_>>().concat();
    flood(&host, std::iter::once(burst));
    assert_unharmed(&host);
    let started = host
        .log()
        .iter()
        .filter(|line| line.contains("started"))
        .count();
    assert!(started < 1000, "{started} executions");
}

#[test]
fn a_flood_of_resets_that_the_host_is_made_to_send_ends_its_connection() {
    let host = Host::serve("spins")
        .args(["--concurrency=4", "--queue-length=4"])
        .start();
    let faults = streams().take(20_000).map(|stream| {
        // An update by nothing is an error of the stream (RFC 9113, section 6.9).
        let update = frame(WINDOW_UPDATE, 0, stream, &[0; 4]);
        [request(stream, GET), update].concat()
    });
    let said = flood(&host, faults);
    let resets = frames(&said)
        .iter()
        .filter(|(kind, _)| *kind == RST_STREAM)
        .count();
    assert!(resets < 5000, "{resets} resets");
    assert_unharmed(&host);
}

#[test]
fn a_head_without_end_ends_its_connection() {
    let host = Host::serve("spins").start();
    let first = frame(HEADERS, END_STREAM, 1, GET);
    let endless = (0..10_000).map(|_| frame(CONTINUATION, 0, 1, &[0x82; 8 * 1024]));
    let mut sent = 0;
    flood(
        &host,
        std::iter::once(first).chain(endless).inspect(|_| sent += 1),
    );
    assert!(sent < 10_000, "the host read {sent} frames");
    assert_unharmed(&host);
}

#[test]
fn what_is_not_http2_after_the_preface_ends_its_connection() {
    let host = Host::serve("spins").start();
    let said = flood(&host, std::iter::once(vec![0xff; 64 * 1024]));
    assert!(
        frames(&said).iter().any(|(kind, _)| *kind == GOAWAY),
        "{said:?}"
    );
    assert_unharmed(&host);
}
