//! Clients that dawdle: each is given its time and no more, and what it held is given back.

use std::thread;
use std::time::{Duration, Instant};

use tests::{Host, Http2, PATIENCE, Wire};

const SHORT: Duration = Duration::from_millis(500);

/// One instance, a response without end for a client that does not read, and little patience with it.
fn one_instance() -> Host {
    Host::serve("streams")
        .args([
            "--workers=1",
            "--concurrency=1",
            "--max-response-body=unlimited",
        ])
        .args(["--stall-timeout=500ms", "--queue-time=15s"])
        .start()
}

#[track_caller]
fn assert_the_instance_is_given_back(host: &Host) {
    assert_eq!(host.get("/?chunks=1").status, 200);
    host.wait_for_log(|line| line.contains("finished with status: 'connection error'"));
}

/// Sends `piece` again and again, and measures until the host has had enough.
#[track_caller]
fn drip(mut wire: Wire, head: &str, piece: &str) -> (Duration, Vec<u8>) {
    let begun = Instant::now();
    wire.send(head);
    while begun.elapsed() < PATIENCE {
        if !wire.is_silent_for(Duration::from_millis(50)) {
            return (begun.elapsed(), wire.read_to_end());
        }
        let _ = wire.try_send(piece);
    }
    panic!("the host waits for ever");
}

#[test]
fn a_head_that_stops_half_way_is_408() {
    let host = Host::serve("hello").arg("--header-timeout=500ms").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nCont");
    let reply = wire.read_reply();
    assert_eq!(reply.status, 408);
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(reply.text().lines().count(), 1);
    assert!(wire.is_closed());
}

#[test]
fn a_head_that_drips_in_has_the_same_time_as_one_that_stops() {
    let host = Host::serve("hello").arg("--header-timeout=500ms").start();
    let (time, said) = drip(host.connect(), "GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n");
    assert!(time >= SHORT && time < 8 * SHORT, "{time:?}");
    assert!(
        said.starts_with(b"HTTP/1.1 408 "),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn a_connection_that_says_nothing_is_closed_without_a_word() {
    let host = Host::serve("hello").arg("--header-timeout=500ms").start();
    let mut wire = host.connect();
    assert!(wire.is_closed());
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let host = Host::serve("hello").arg("--header-timeout=500ms").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(wire.read_reply().status, 200);
    assert!(wire.is_closed());
}

#[test]
fn an_idle_http2_connection_is_told_to_go_away() {
    let host = Host::serve("hello").arg("--header-timeout=500ms").start();
    let client = Http2::connect(host.addr());
    assert_eq!(client.post("/", "{}").status, 200);
    assert!(client.ended().is_ok());
}

#[test]
fn half_an_http2_preface_is_not_waited_for_for_ever() {
    let host = Host::serve("hello").arg("--header-timeout=500ms").start();
    let mut wire = host.connect();
    wire.send("PRI * HTTP/2.0\r\n");
    wire.read_to_end();
}

#[test]
fn the_time_between_pieces_of_a_body_counts_and_not_the_whole() {
    let host = Host::serve("hello").arg("--body-timeout=500ms").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n");
    for byte in b"{    }  " {
        assert!(wire.is_silent_for(SHORT / 4));
        wire.send([*byte]);
    }
    assert_eq!(wire.read_reply().text(), "Hello World!");
}

#[test]
fn an_http2_body_that_stops_half_way_is_408() {
    let host = Host::serve("hello").arg("--body-timeout=500ms").start();
    let client = Http2::connect(host.addr());
    let mut stream = client.start("POST", "/");
    stream.send("{");
    assert_eq!(stream.read_head().status, 408);
    assert_eq!(client.post("/", "{}").status, 200, "the connection goes on");
}

#[test]
fn a_client_that_reads_nothing_loses_its_instance() {
    let host = one_instance();
    let mut wire = host.connect();
    wire.send("GET /?mib=100000 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(wire.read_head().status, 200);
    assert_the_instance_is_given_back(&host);
}

#[test]
fn an_http2_client_that_reads_nothing_loses_its_instance() {
    let host = one_instance();
    let client = Http2::connect(host.addr());
    let mut stream = client.start("GET", "/?mib=100000").finish();
    assert_eq!(stream.read_head().status, 200);
    assert_the_instance_is_given_back(&host);
}

#[test]
fn an_http2_client_that_leaves_no_room_at_all_loses_its_instance() {
    let host = one_instance();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let client = Http2::connect_with(host.addr(), &builder);
    let mut stream = client.start("GET", "/?mib=100000").finish();
    assert_eq!(stream.read_head().status, 200);
    assert_the_instance_is_given_back(&host);
}

#[test]
fn an_http2_client_that_leaves_no_room_for_a_short_answer_loses_its_instance() {
    let host = one_instance();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let client = Http2::connect_with(host.addr(), &builder);
    let mut stream = client.start("GET", "/?chunks=1&size=10").finish();
    assert_eq!(stream.read_head().status, 200);
    assert_eq!(host.get("/?chunks=1").status, 200);
}

#[test]
fn an_http2_client_that_leaves_no_room_for_the_hosts_own_answer_is_reset() {
    let host = Host::serve("traps").arg("--stall-timeout=500ms").start();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let client = Http2::connect_with(host.addr(), &builder);
    let open: Vec<_> = (0..20).map(|_| client.start("GET", "/").finish()).collect();
    for mut stream in open {
        assert_eq!(stream.read_head().status, 500);
        stream.read_cut_rest();
    }
}

/// All of the answer is handed over at once; flow control holds back most of it, long after its stream was served.
#[test]
fn an_http2_client_that_reads_the_end_of_an_answer_slowly_gets_all_of_it() {
    let host = Host::serve("streams")
        .args(["--header-timeout=300ms", "--stall-timeout=500ms"])
        .start();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1000);
    let client = Http2::connect_with(host.addr(), &builder);
    let mut stream = client.start("GET", "/?chunks=1&size=50000").finish();
    assert_eq!(stream.read_head().status, 200);
    let mut read = 0;
    while let Some(piece) = stream.read_data() {
        read += piece.len();
        // The slowness is what is specified.
        thread::sleep(SHORT / 8);
    }
    assert_eq!(read, 50_000);
}

#[test]
fn an_http2_client_that_never_reads_the_end_of_an_answer_loses_its_connection() {
    let host = Host::serve("streams")
        .args(["--header-timeout=300ms", "--stall-timeout=500ms"])
        .start();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1000);
    let client = Http2::connect_with(host.addr(), &builder);
    let mut stream = client.start("GET", "/?chunks=1&size=50000").finish();
    assert_eq!(stream.read_head().status, 200);
    // However it ends, that it does is what is specified.
    let _ = client.ended();
}

#[test]
fn a_stalled_stream_does_not_end_its_neighbours() {
    let host = Host::serve("streams")
        .args(["--stall-timeout=500ms", "--max-response-body=unlimited"])
        .start();
    let mut builder = h2::client::Builder::new();
    // The window of the connection is what all streams share.
    builder.initial_connection_window_size(1024 * 1024);
    let client = Http2::connect_with(host.addr(), &builder);
    let mut stalled = client.start("GET", "/?mib=100000").finish();
    assert_eq!(stalled.read_head().status, 200);
    let neighbour = client
        .start("GET", "/?chunks=10&size=10&delay_ms=100")
        .finish();
    assert_eq!(neighbour.read_reply().body.len(), 100);
    host.wait_for_log(|line| line.contains("finished with status: 'connection error'"));
    assert_eq!(client.get("/?chunks=1&size=10").body.len(), 10);
    stalled.read_cut_rest();
}

#[test]
fn a_client_that_reads_slowly_is_not_cut_off() {
    let host = one_instance();
    let mut wire = host.connect();
    wire.send("GET /?mib=2 HTTP/1.1\r\nHost: a\r\n\r\n");
    wire.read_head();
    let mut read = 0;
    while let Some(chunk) = wire.read_chunk() {
        read += chunk.len();
        // The slowness is what is specified.
        thread::sleep(SHORT / 10);
    }
    assert_eq!(read, 2 * 1024 * 1024);
}

#[test]
fn a_function_that_is_slow_is_not_taken_for_a_client_that_is() {
    let host = one_instance();
    let path = "/?chunks=2&size=10&delay_ms=1200";
    assert_eq!(host.get(path).body.len(), 20);
    assert_eq!(Http2::connect(host.addr()).get(path).body.len(), 20);
}
