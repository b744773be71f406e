use tests::*;
#[test]
fn smoke() {
    let host = Host::serve("echoes").arg("--timeout=1s").start();
    assert_eq!(host.post("/", "a body").text(), "a body");
    host.wait_for_log(|line| line.contains("200"));
    let h2 = Http2::connect(host.addr());
    assert_eq!(h2.post("/", "a body").text(), "a body");
    let c = Certificate::new();
    let d = Directory::new();
    let (cp, kp) = c.write_to(d.path());
    let host = Host::serve("echoes")
        .arg("--tls-cert")
        .arg(cp)
        .arg("--tls-key")
        .arg(kp)
        .start();
    let mut tls = c.connect(host.addr(), &["http/1.1"]);
    tls.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(tls.wire.read_reply().status, 200);
    assert_eq!(Http2::connect_tls(host.addr(), &c).get("/").status, 200);
    assert!(Certificate::new().try_connect(host.addr(), &[]).is_none());
    host.signal(Signal::Term);
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
}
