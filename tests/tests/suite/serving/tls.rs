//! TLS: which protocol is agreed on, how a certificate is replaced, and what a bad client cannot do.

use std::time::Duration;

use tests::{Certificate, Directory, Host, HostBuilder, Http2, Signal, TlsWire, Wire};

const TAKEN_UP: &str = "The TLS certificate was read again.";
const STAYS: &str = "the old TLS certificate stays in use";

struct Secured {
    host: Host,
    files: Directory,
    certificate: Certificate,
}

fn with_certificate(
    builder: HostBuilder,
    certificate: &Certificate,
    files: &Directory,
) -> HostBuilder {
    let (cert, key) = certificate.write_to(files.path());
    builder
        .arg("--tls-cert")
        .arg(cert)
        .arg("--tls-key")
        .arg(key)
}

fn secured(arguments: &[&str]) -> Secured {
    let (files, certificate) = (Directory::new(), Certificate::new());
    let builder = Host::serve("echoes").args(arguments);
    Secured {
        host: with_certificate(builder, &certificate, &files).start(),
        files,
        certificate,
    }
}

#[track_caller]
fn assert_served(client: &mut TlsWire) {
    client
        .wire
        .send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody");
    assert_eq!(client.wire.read_reply().text(), "body");
}

#[test]
fn http2_is_agreed_on_where_the_client_knows_it() {
    let tls = secured(&[]);
    let client = Http2::connect_tls(tls.host.addr(), &tls.certificate);
    assert_eq!(client.post("/", "body").text(), "body");
    let other = tls
        .certificate
        .connect(tls.host.addr(), &["http/1.1", "h2"]);
    assert_eq!(other.alpn.as_deref(), Some("h2"));
}

#[test]
fn http1_is_agreed_on_where_the_client_knows_no_other() {
    let tls = secured(&[]);
    let mut client = tls.certificate.connect(tls.host.addr(), &["http/1.1"]);
    assert_eq!(client.alpn.as_deref(), Some("http/1.1"));
    assert_served(&mut client);
    assert_served(&mut client);
}

#[test]
fn http1_is_spoken_with_a_client_that_asks_for_nothing() {
    let tls = secured(&[]);
    let mut client = tls.certificate.connect(tls.host.addr(), &[]);
    assert_eq!(client.alpn, None);
    assert_served(&mut client);
}

#[test]
fn the_function_sees_that_it_was_called_by_https() {
    let tls = secured(&[]);
    let mut client = tls.certificate.connect(tls.host.addr(), &["http/1.1"]);
    client
        .wire
        .send("GET /headers HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let reply = client.wire.read_reply();
    assert!(
        reply.text().contains("scheme: Some(Scheme::Https)"),
        "{}",
        reply.text()
    );
    assert!(
        tls.host
            .stderr()
            .contains(&format!("https://{}/", tls.host.addr()))
    );
}

#[test]
fn a_new_certificate_is_taken_up_and_old_connections_go_on() {
    let tls = secured(&[]);
    let mut old = tls.certificate.connect(tls.host.addr(), &["http/1.1"]);
    assert_served(&mut old);
    let replacement = Certificate::new();
    replacement.write_to(tls.files.path());
    tls.host.wait_for_stderr(|line| line == TAKEN_UP);
    assert_served(&mut replacement.connect(tls.host.addr(), &["http/1.1"]));
    assert!(
        tls.certificate.try_connect(tls.host.addr(), &[]).is_none(),
        "the old one is gone"
    );
    assert_served(&mut old);
}

#[test]
fn a_bad_replacement_keeps_the_old_certificate() {
    let tls = secured(&[]);
    std::fs::write(tls.files.path().join("certificate.pem"), "no certificate").unwrap();
    let line = tls.host.wait_for_stderr(|line| line.contains(STAYS));
    assert!(line.contains("certificate.pem"), "{line}");
    assert_served(&mut tls.certificate.connect(tls.host.addr(), &[]));
    let replacement = Certificate::new();
    replacement.write_to(tls.files.path());
    tls.host.wait_for_stderr(|line| line == TAKEN_UP);
    assert_served(&mut replacement.connect(tls.host.addr(), &[]));
}

#[test]
fn a_key_that_belongs_to_another_certificate_keeps_the_old_one() {
    let tls = secured(&[]);
    let others = Directory::new();
    let (_, key) = Certificate::new().write_to(others.path());
    std::fs::rename(key, tls.files.path().join("key.pem")).unwrap();
    tls.host.wait_for_stderr(|line| line.contains(STAYS));
    assert_served(&mut tls.certificate.connect(tls.host.addr(), &[]));
}

#[test]
fn a_certificate_that_is_gone_keeps_the_old_one() {
    let tls = secured(&[]);
    std::fs::remove_file(tls.files.path().join("certificate.pem")).unwrap();
    tls.host.wait_for_stderr(|line| line.contains(STAYS));
    assert_served(&mut tls.certificate.connect(tls.host.addr(), &[]));
}

#[test]
fn stalled_handshakes_hold_nobody_up() {
    let tls = secured(&["--workers=1"]);
    let _silent: Vec<Wire> = (0..50).map(|_| tls.host.connect()).collect();
    let mut half = tls.host.connect();
    half.send([0x16, 3, 1, 2, 0]);
    assert_served(&mut tls.certificate.connect(tls.host.addr(), &["http/1.1"]));
}

#[test]
fn a_stalled_handshake_is_ended() {
    let tls = secured(&["--header-timeout=500ms"]);
    let mut half = tls.host.connect();
    half.send([0x16, 3, 1, 2, 0]);
    assert!(half.is_closed());
}

#[test]
fn a_stalled_handshake_does_not_hold_up_the_end() {
    let tls = secured(&[]);
    let mut half = tls.host.connect();
    half.send([0x16, 3, 1, 2, 0]);
    // Accepted in order, so the half one is in by now.
    assert_served(&mut tls.certificate.connect(tls.host.addr(), &[]));
    tls.host.signal(Signal::Term);
    assert_eq!(tls.host.wait(Duration::from_secs(5)).code(), Some(0));
}

#[test]
fn a_client_without_tls_is_not_served_and_harms_nobody() {
    let tls = secured(&[]);
    let mut wire = tls.host.connect();
    wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let said = wire.read_to_end();
    assert!(!said.starts_with(b"HTTP/1.1 200"), "{said:?}");
    assert_served(&mut tls.certificate.connect(tls.host.addr(), &[]));
}

#[test]
fn a_body_that_breaks_off_shows_through_tls() {
    let (files, certificate) = (Directory::new(), Certificate::new());
    let host = with_certificate(Host::serve("traps"), &certificate, &files).start();
    let mut client = certificate.connect(host.addr(), &["http/1.1"]);
    client
        .wire
        .send("GET /?after=10000000 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.wire.read_cut_reply().status, 200);
}

#[test]
fn a_client_that_reads_nothing_through_tls_loses_its_instance() {
    let (files, certificate) = (Directory::new(), Certificate::new());
    let builder = Host::serve("streams")
        .args([
            "--workers=1",
            "--concurrency=1",
            "--max-response-body=unlimited",
        ])
        .args(["--stall-timeout=500ms", "--queue-time=15s"]);
    let host = with_certificate(builder, &certificate, &files).start();
    let mut stalled = certificate.connect(host.addr(), &["http/1.1"]);
    stalled
        .wire
        .send("GET /?mib=100000 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(stalled.wire.read_head().status, 200);
    let mut next = certificate.connect(host.addr(), &["http/1.1"]);
    next.wire.send("GET /?chunks=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(next.wire.read_reply().status, 200);
}

#[test]
fn a_host_without_a_usable_certificate_does_not_start() {
    let (files, certificate) = (Directory::new(), Certificate::new());
    let (cert, key) = certificate.write_to(files.path());
    let (_, other_key) = Certificate::new().write_to(Directory::new().path());
    for (cert, key) in [
        (files.path().join("missing.pem"), key.clone()),
        (cert.clone(), files.path().join("missing.pem")),
        (key.clone(), key),
        (cert, other_key),
    ] {
        let output = Host::serve("hello")
            .arg("--tls-cert")
            .arg(cert)
            .arg("--tls-key")
            .arg(key)
            .run();
        assert_eq!(output.code, Some(1));
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    }
}

#[test]
fn a_certificate_without_a_key_is_wrong_usage() {
    let (files, certificate) = (Directory::new(), Certificate::new());
    let (cert, _) = certificate.write_to(files.path());
    let output = Host::serve("hello").arg("--tls-cert").arg(cert).run();
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("--tls-key"), "{}", output.stderr);
}
