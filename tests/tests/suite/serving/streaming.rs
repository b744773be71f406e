//! Bodies and trailers as they flow, both ways, and how they break off.

use http::{HeaderMap, HeaderValue};
use tests::{Host, Http2};

const MIB: usize = 1024 * 1024;

/// More than the host takes of a function before the client takes some.
const A_LOT: &str = "/?after=10000000";

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n";

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn an_echo_begins_before_the_request_has_ended() {
    let host = Host::serve("echoes").start();
    let mut wire = host.connect();
    wire.send(format!("{CHUNKED}\r\n"));
    for (n, piece) in ["first", "second", "third"].into_iter().enumerate() {
        wire.send_chunk(piece);
        if n == 0 {
            assert_eq!(wire.read_head().status, 200);
        }
        assert_eq!(wire.read_chunk().as_deref(), Some(piece.as_bytes()));
    }
    wire.send_chunk("");
    assert_eq!(wire.read_chunk(), None);
}

#[test]
fn an_echo_over_http2_begins_before_the_request_has_ended() {
    let host = Host::serve("echoes").start();
    let client = Http2::connect(host.addr());
    let mut stream = client.start("POST", "/");
    for (n, piece) in ["first", "second", "third"].into_iter().enumerate() {
        stream.send(piece);
        if n == 0 {
            assert_eq!(stream.read_head().status, 200);
        }
        assert_eq!(stream.read_data().as_deref(), Some(piece.as_bytes()));
    }
    assert_eq!(stream.finish().read_data(), None);
}

#[test]
fn a_large_body_comes_back_as_it_went() {
    let host = Host::serve("echoes").start();
    // Little enough to lie in the buffers between, so that sending need not wait for reading.
    let body = noise(48 * 1024);
    let client = Http2::connect(host.addr());
    let mut stream = client.start("POST", "/");
    let mut wire = host.connect();
    wire.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    for piece in body.chunks(32 * 1024) {
        wire.send(piece);
        stream.send(piece.to_vec());
    }
    assert!(wire.read_reply().body == body);
    assert!(stream.finish().read_reply().body == body);
}

#[test]
fn a_response_whose_end_is_known_has_its_length() {
    let host = Host::serve("hello").start();
    let reply = host.post("/", "{}");
    assert_eq!(reply.header("content-length"), Some("12"));
    assert_eq!(reply.header("transfer-encoding"), None);
}

#[test]
fn a_long_response_is_streamed_whole() {
    let host = Host::serve("streams")
        .arg("--max-response-body=unlimited")
        .start();
    assert_eq!(host.get("/?mib=40").body.len(), 40 * MIB);
    assert_eq!(
        Http2::connect(host.addr()).get("/?mib=40").body.len(),
        40 * MIB
    );
}

#[test]
fn trailers_of_the_request_come_back_as_trailers() {
    let host = Host::serve("echoes").start();
    let mut wire = host.connect();
    wire.send(format!(
        "{CHUNKED}TE: trailers\r\nTrailer: Checksum\r\n\r\n"
    ));
    wire.send_chunk("body");
    wire.send("0\r\nChecksum: 42\r\n\r\n");
    let reply = wire.read_reply();
    assert_eq!(reply.text(), "body");
    assert_eq!(reply.trailer("checksum"), Some("42"));
}

#[test]
fn trailers_of_an_http2_request_come_back_as_trailers() {
    let host = Host::serve("echoes").start();
    let client = Http2::connect(host.addr());
    let mut stream = client.start("POST", "/");
    stream.send("body");
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("42"));
    let reply = stream.finish_with(trailers).read_reply();
    assert_eq!(reply.text(), "body");
    assert_eq!(reply.trailer("checksum"), Some("42"));
}

#[test]
fn a_client_that_wants_no_trailers_gets_a_whole_body_all_the_same() {
    let host = Host::serve("echoes").start();
    let mut wire = host.connect();
    wire.send(format!("{CHUNKED}Trailer: Checksum\r\n\r\n"));
    wire.send_chunk("body");
    wire.send("0\r\nChecksum: 42\r\n\r\n");
    assert_eq!(wire.read_reply().text(), "body");
}

#[test]
fn a_trap_after_the_head_cuts_the_body() {
    let host = Host::serve("traps").start();
    let mut wire = host.connect();
    wire.send(format!("GET {A_LOT} HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(wire.read_cut_reply().status, 200);
    host.wait_for_log(|line| line.contains("finished with status: 'crash'"));
}

#[test]
fn a_trap_after_the_head_resets_the_stream_and_no_other() {
    let host = Host::serve("traps").start();
    let client = Http2::connect(host.addr());
    let (reply, reason) = client.start("GET", A_LOT).finish().read_cut_reply();
    assert_eq!((reply.status, reason), (200, h2::Reason::INTERNAL_ERROR));
    assert_eq!(client.get("/").status, 500, "the connection goes on");
}

#[test]
fn a_body_that_is_never_finished_is_cut_after_the_head() {
    let host = Host::serve("leaks_body").start();
    for path in ["/?bytes=100000", "/?bytes=100000&length=200000"] {
        let mut wire = host.connect();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(wire.read_cut_reply().status, 200, "{path}");
    }
    let client = Http2::connect(host.addr());
    let stream = client.start("GET", "/?bytes=100000").finish();
    let (reply, reason) = stream.read_cut_reply();
    assert_eq!((reply.status, reason), (200, h2::Reason::INTERNAL_ERROR));
}

#[test]
fn a_body_that_grows_beyond_its_declared_length_is_cut_there() {
    let host = Host::serve("leaks_body").start();
    let mut wire = host.connect();
    wire.send("GET /?bytes=100000&length=70000 HTTP/1.1\r\nHost: a\r\n\r\n");
    let said = wire.read_to_end();
    assert!(said.starts_with(b"HTTP/1.1 200 ") && said.len() < 71_000);
    host.wait_for_log(|line| line.contains("longer than the 70000 bytes"));
}

#[test]
fn a_deadline_after_the_head_cuts_the_body() {
    let host = Host::serve("streams").arg("--timeout=500ms").start();
    let mut wire = host.connect();
    wire.send("GET /?chunks=2&delay_ms=60000 HTTP/1.1\r\nHost: a\r\n\r\n");
    let reply = wire.read_cut_reply();
    assert_eq!(reply.status, 200);
    let client = Http2::connect(host.addr());
    let (reply, _) = client
        .start("GET", "/?chunks=2&delay_ms=60000")
        .finish()
        .read_cut_reply();
    assert_eq!((reply.status, reply.body.len()), (200, 64 * 1024));
}

#[test]
fn a_body_that_grows_beyond_the_bound_is_cut() {
    let host = Host::serve("streams")
        .arg("--max-response-body=1Mi")
        .start();
    let mut wire = host.connect();
    wire.send("GET /?mib=2 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(wire.read_cut_reply().status, 200);
    let client = Http2::connect(host.addr());
    let (reply, _) = client.start("GET", "/?mib=2").finish().read_cut_reply();
    assert!(reply.status == 200 && reply.body.len() <= MIB);
    host.wait_for_log(|line| line.contains("--max-response-body"));
}

#[test]
fn a_request_that_breaks_off_cuts_the_echo() {
    let host = Host::serve("echoes").arg("--body-timeout=300ms").start();
    let mut wire = host.connect();
    wire.send(format!("{CHUNKED}\r\n"));
    wire.send_chunk("first");
    assert_eq!(wire.read_cut_reply().status, 200);
    host.wait_for_log(|line| line.contains("finished with status: 'connection error'"));
}

#[test]
fn a_client_that_goes_away_ends_the_execution() {
    for (guest, path) in [
        ("spins", "/"),
        ("sleeps", "/"),
        ("streams", "/?chunks=2&delay_ms=60000"),
    ] {
        let host = Host::serve(guest).start();
        let mut wire = host.connect();
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        host.wait_for_log(|line| line.contains("started"));
        drop(wire);
        host.wait_for_log(|line| line.contains("finished with status: 'connection error'"));
    }
}

#[test]
fn a_client_that_resets_its_stream_ends_the_execution() {
    for guest in ["spins", "sleeps"] {
        let host = Host::serve(guest).start();
        let client = Http2::connect(host.addr());
        let stream = client.start("GET", "/").finish();
        host.wait_for_log(|line| line.contains("started"));
        stream.reset();
        host.wait_for_log(|line| line.contains("finished with status: 'connection error'"));
    }
}
