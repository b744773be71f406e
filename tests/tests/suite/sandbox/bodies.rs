//! Bounds on what goes in and comes out: bodies and log output.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tests::{Host, MIB, Reply};

const KIB: usize = 1024;

/// What the host answers to a head that declares a body of `length` bytes, none of which is sent.
#[track_caller]
fn declare(host: &Host, path: &str, length: usize) -> Reply {
    let mut wire = host.connect();
    wire.send(format!(
        "POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {length}\r\n\r\n"
    ));
    wire.read_reply()
}

#[test]
fn a_declared_body_over_the_limit_is_refused_before_an_execution_starts() {
    let host = Host::serve("echoes").arg("--max-request-body=1Ki").start();
    assert_eq!(host.post("/", vec![b'x'; KIB]).body.len(), KIB);
    let reply = declare(&host, "/", KIB + 1);
    assert_eq!(
        (reply.status, reply.text()),
        (413, "The request body is too large.\n")
    );
    let line = host.wait_for_log(|line| line.contains(reply.execution_id()));
    assert!(
        line.contains("larger than 1024 bytes; raise the limit with --max-request-body"),
        "{line}"
    );
    let about_it = host
        .log()
        .into_iter()
        .filter(|line| line.contains(reply.execution_id()));
    assert_eq!(about_it.count(), 1, "nothing was started");
}

#[test]
fn a_body_that_turns_out_over_the_limit_ends_the_execution() {
    let host = Host::serve("hello").arg("--max-request-body=1Ki").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.send_chunk([b' '; KIB]);
    wire.send_chunk(" ");
    let reply = wire.read_reply();
    assert_eq!(
        (reply.status, reply.text()),
        (413, "The request body is too large.\n")
    );
    assert_eq!(host.finish_of(&reply), "status: 'connection error'");
}

#[test]
fn without_a_word_a_request_body_may_have_10_mib() {
    let host = Host::serve("echoes").start();
    let largest = 10 * MIB as usize;
    assert_eq!(declare(&host, "/headers", largest).status, 200);
    assert_eq!(declare(&host, "/headers", largest + 1).status, 413);
}

#[test]
fn a_response_over_the_limit_is_a_502_if_its_head_is_not_out() {
    let host = Host::serve("streams")
        .arg("--max-response-body=1Ki")
        .start();
    assert_eq!(host.get("/?chunks=1&size=1024").body.len(), KIB);
    let reply = host.get("/?chunks=1&size=1025");
    assert_eq!(
        (reply.status, reply.text()),
        (502, "The function did not give a valid answer.\n")
    );
    assert_eq!(host.finish_of(&reply), "status: 'error'");
    let [(level, reason)] = host
        .printed_by(&reply)
        .try_into()
        .expect("the host says why");
    assert_eq!(level, "E");
    assert_eq!(
        reason,
        "its response body is larger than 1024 bytes; raise the limit with --max-response-body"
    );
}

#[test]
fn a_response_over_the_limit_is_cut_if_its_head_is_out() {
    let host = Host::serve("streams")
        .arg("--max-response-body=1Mi")
        .start();
    assert_eq!(host.get("/?mib=1").body.len() as u64, MIB);
    let mut wire = host.connect();
    wire.send("GET /?mib=2 HTTP/1.1\r\nHost: here\r\n\r\n");
    let reply = wire.read_cut_reply();
    assert_eq!(reply.status, 200);
    assert!(reply.body.len() as u64 <= MIB, "{}", reply.body.len());
    assert_eq!(host.finish_of(&reply), "status: 'error'");
}

#[test]
fn without_a_word_a_response_body_may_have_32_mib() {
    let host = Host::serve("streams").start();
    assert_eq!(host.get("/?mib=32").body.len() as u64, 32 * MIB);
    let mut wire = host.connect();
    wire.send("GET /?mib=33 HTTP/1.1\r\nHost: here\r\n\r\n");
    assert_eq!(wire.read_cut_reply().status, 200);
}

#[test]
fn time_that_is_up_within_a_body_cuts_it() {
    let host = Host::serve("streams").arg("--timeout=300ms").start();
    let mut wire = host.connect();
    wire.send("GET /?chunks=1000&delay_ms=20 HTTP/1.1\r\nHost: here\r\n\r\n");
    let reply = wire.read_cut_reply();
    assert_eq!(reply.status, 200);
    assert!(!reply.body.is_empty());
    assert_eq!(host.finish_of(&reply), "status: 'timeout'");
}

#[test]
fn time_is_up_for_a_guest_whose_client_does_not_read_too() {
    let host = Host::serve("streams")
        .args(["--timeout=500ms", "--max-response-body=unlimited"])
        .start();
    let mut wire = host.connect();
    let start = Instant::now();
    wire.send("GET /?mib=1024 HTTP/1.1\r\nHost: here\r\n\r\n");
    let finish = host.wait_for_log(|line| line.contains("Function execution took"));
    let took = start.elapsed();
    assert!(
        finish.ends_with("finished with status: 'timeout'"),
        "{finish}"
    );
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// HTTP/1.0, so that the body is all that follows the head, and is counted rather than kept.
#[test]
fn by_permission_a_gibibyte_is_streamed_in_little_memory() {
    let host = Host::serve("streams")
        .arg("--max-response-body=unlimited")
        .start();
    let mut socket = TcpStream::connect(host.addr()).expect("the host listens");
    socket
        .write_all(b"GET /?mib=1024 HTTP/1.0\r\nHost: here\r\n\r\n")
        .expect("the host reads");
    let mut buffer = vec![0; 256 * KIB];
    let mut head = Vec::new();
    let body_start = loop {
        let count = socket.read(&mut buffer).expect("the host answers");
        assert_ne!(
            count,
            0,
            "no whole head came: {}",
            String::from_utf8_lossy(&head)
        );
        head.extend_from_slice(&buffer[..count]);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    assert!(
        head.starts_with(b"HTTP/1.0 200 OK\r\n"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    let mut received = (head.len() - body_start) as u64;
    let mut most_resident = 0;
    let mut reads = 0_u32;
    loop {
        match socket.read(&mut buffer).expect("the host goes on") {
            0 => break,
            count => received += count as u64,
        }
        reads += 1;
        if reads.is_multiple_of(100) {
            most_resident = most_resident.max(host.resident_memory());
        }
    }
    assert_eq!(received, 1024 * MIB);
    assert!(most_resident > 0, "the body came in {reads} reads");
    assert!(most_resident < 150 * MIB, "{} MiB", most_resident / MIB);
}

#[test]
fn a_flood_of_log_output_is_cut_off_and_one_line_says_how_much_was_dropped() {
    let host = Host::serve("floods_log").arg("--log-limit=1Ki").start();
    let reply = host.get("/?lines=100&width=127");
    assert_eq!((reply.status, reply.text()), (200, "printed\n"));
    let printed = host.printed_by(&reply);
    let (notes, lines): (Vec<_>, Vec<_>) = printed
        .into_iter()
        .partition(|(level, _)| level == "WARNING");
    let kept: usize = lines.iter().map(|(_, text)| text.len()).sum();
    assert!((KIB - 127..=KIB).contains(&kept), "{kept}");
    let dropped = 100 * 128 - KIB;
    let note = format!(
        "{dropped} bytes of log output were dropped: over the limit of an execution; raise it with --log-limit"
    );
    assert_eq!(notes, [("WARNING".to_owned(), note)]);
}

#[test]
fn both_streams_share_one_log_limit() {
    let host = Host::serve("floods_log").arg("--log-limit=1Ki").start();
    let reply = host.get("/?lines=100&width=127&stream=stderr");
    let errors = host
        .printed_by(&reply)
        .into_iter()
        .filter(|(level, _)| level == "E");
    let kept: usize = errors.map(|(_, text)| text.len()).sum();
    assert!((KIB - 127..=KIB).contains(&kept), "{kept}");
}

#[test]
fn without_a_word_an_execution_may_print_256_kib() {
    let host = Host::serve("floods_log").start();
    let reply = host.get("/?lines=2048&width=127");
    assert_eq!(host.printed_by(&reply).len(), 2048);
    let reply = host.get("/?lines=2100&width=127");
    let (level, note) = host.printed_by(&reply).pop().expect("something is printed");
    let dropped = 2100 * 128 - 256 * KIB;
    assert_eq!(level, "WARNING");
    assert!(note.starts_with(&format!("{dropped} bytes ")), "{note}");
}

/// Each line becomes an entry, with its time, its execution and more.
#[test]
fn lines_of_nothing_count_for_128_bytes_each() {
    let host = Host::serve("floods_log").start();
    let reply = host.get("/?lines=10000&width=0");
    let printed = host.printed_by(&reply);
    let (level, note) = printed.last().expect("something is printed");
    assert_eq!(level, "WARNING");
    assert!(note.contains("were dropped"), "{note}");
    assert_eq!(printed.len() - 1, 256 * KIB / 128);
}

#[test]
fn an_endless_flood_of_log_output_ends_with_the_guests_time() {
    let host = Host::serve("floods_log")
        .args(["--log-limit=1Ki", "--timeout=500ms"])
        .start();
    let reply = host.get("/");
    assert_eq!(reply.status, 504);
    assert_eq!(host.finish_of(&reply), "status: 'timeout'");
    assert!(host.entries_of(&reply).len() < 30);
}
