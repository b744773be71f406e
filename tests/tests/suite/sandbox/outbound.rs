//! Whom a function may call.

use std::fs;
use std::net::{IpAddr, TcpListener, ToSocketAddrs};
use std::path::Path;

use tests::{Certificate, Directory, Host, Origin, Reply};

/// Has the guest request `url`.
#[track_caller]
fn fetch(host: &Host, url: &str) -> Reply {
    host.get(&format!("/?url={url}"))
}

/// That a call to `url` was refused with the error `code`, and the log says so in one line with `advice`.
#[track_caller]
fn assert_refused(host: &Host, url: &str, code: &str, advice: &str) {
    let reply = fetch(host, url);
    assert_eq!(
        (reply.status, reply.text()),
        (502, &*format!("ErrorCode::{code}\n")),
        "{url}"
    );
    let printed = host.printed_by(&reply);
    let [(level, line)] = printed.as_slice() else {
        panic!("one line says what was refused: {printed:?}");
    };
    assert_eq!(level, "WARNING", "{url}");
    assert!(line.starts_with("outbound call "), "{url}: {line}");
    assert!(
        line.contains(" refused: ") && line.ends_with(advice),
        "{url}: {line}"
    );
}

#[test]
fn without_a_word_nobody_may_be_called() {
    let origin = Origin::start();
    let host = Host::serve("calls_out").start();
    for (url, rule) in [
        (
            format!("http://{}/path?query", origin.addr()),
            format!("http://{}", origin.addr()),
        ),
        (
            format!("http://localhost:{}/", origin.port()),
            format!("http://localhost:{}", origin.port()),
        ),
        (
            "https://example.com/".to_owned(),
            "https://example.com".to_owned(),
        ),
    ] {
        let advice = format!("allow it with --allow-outbound {rule}");
        assert_refused(&host, &url, "HttpRequestDenied", &advice);
    }
    assert_eq!(origin.connections(), 0);
}

#[test]
fn an_address_that_is_named_may_be_called() {
    let origin = Origin::start();
    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound=http://{}", origin.addr()))
        .start();
    let reply = fetch(&host, &format!("http://{}/path?query", origin.addr()));
    assert_eq!((reply.status, reply.text()), (200, "here\n"));
    let head = origin.heads().remove(0);
    assert!(head.starts_with("GET /path?query HTTP/1.1\r\n"), "{head}");
    let host_field = format!("\r\nhost: {}\r\n", origin.addr());
    assert!(head.to_lowercase().contains(&host_field), "{head}");
    assert_eq!(host.printed_by(&reply), []);
}

#[test]
fn another_port_scheme_or_spelling_of_the_host_is_refused() {
    let (origin, other) = (Origin::start(), Origin::start());
    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound=http://{}", origin.addr()))
        .start();
    for url in [
        format!("http://{}/", other.addr()),
        format!("https://{}/", origin.addr()),
        "http://127.0.0.1/".to_owned(),
        format!("http://127.0.0.2:{}/", origin.port()),
        format!("http://[::1]:{}/", origin.port()),
        format!("http://localhost:{}/", origin.port()),
        format!("http://127.0.0.1.example:{}/", origin.port()),
    ] {
        let reply = fetch(&host, &url);
        assert_eq!(
            (reply.status, reply.text()),
            (502, "ErrorCode::HttpRequestDenied\n"),
            "{url}"
        );
    }
    assert_eq!((origin.connections(), other.connections()), (0, 0));
}

#[test]
fn a_user_name_before_the_host_does_not_get_around_the_rules() {
    let (allowed, other) = (Origin::start(), Origin::start());
    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound=http://{}", allowed.addr()))
        .start();
    let reply = fetch(
        &host,
        &format!("http://{}@{}/", allowed.addr(), other.addr()),
    );
    assert_eq!(reply.status, 502);
    assert_eq!((allowed.connections(), other.connections()), (0, 0));
}

#[test]
fn localhost_may_be_allowed_by_its_name() {
    let origin = Origin::start();
    let host = Host::serve("calls_out")
        .arg(format!(
            "--allow-outbound=http://localhost:{}",
            origin.port()
        ))
        .start();
    let reply = fetch(&host, &format!("http://localhost:{}/", origin.port()));
    assert_eq!((reply.status, reply.text()), (200, "here\n"));
}

/// A name that leads to this machine and is not `localhost`, and the address that it leads to, which is not public.
#[track_caller]
fn own_name() -> (String, IpAddr) {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let table = read("/etc/hosts");
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let names = lines.flat_map(|line| line.split_whitespace().skip(1));
    let hostname = read("/proc/sys/kernel/hostname");
    std::iter::once(hostname.trim())
        .chain(names)
        .filter(|name| *name != "localhost")
        .find_map(|name| {
            let found = (name, 0).to_socket_addrs().ok()?.next()?.ip();
            let is_own = match found {
                IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
                IpAddr::V6(_) => false,
            };
            is_own.then(|| (name.to_owned(), found))
        })
        .expect("a name of this machine, beside `localhost`, leads to it")
}

#[test]
fn an_allowed_name_leads_to_an_address_that_is_not_public_only_where_that_is_allowed_too() {
    let (name, ip) = own_name();
    let origin = Origin::at(ip);
    let rule = format!("http://{name}:{}", origin.port());
    let url = format!("{rule}/");
    let allow_name = format!("--allow-outbound={rule}");
    let host = Host::serve("calls_out").arg(&allow_name).start();
    let advice = format!("allow it with --allow-outbound {ip}");
    assert_refused(&host, &url, "DestinationIpProhibited", &advice);
    assert_eq!(origin.connections(), 0);

    let allow_address = format!("--allow-outbound={ip}");
    let host = Host::serve("calls_out")
        .args([allow_name, allow_address])
        .start();
    let reply = fetch(&host, &url);
    assert_eq!((reply.status, reply.text()), (200, "here\n"));
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_redirect_is_the_guests_to_follow_and_leads_nowhere_that_is_not_allowed() {
    let (allowed, other) = (Origin::start(), Origin::start());
    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound=http://{}", allowed.addr()))
        .start();
    let elsewhere = format!("http://{}/", other.addr());
    let reply = fetch(
        &host,
        &format!("http://{}/redirect?{elsewhere}", allowed.addr()),
    );
    assert_eq!(
        (reply.status, reply.header("location")),
        (302, Some(&*elsewhere))
    );
    let advice = format!("allow it with --allow-outbound http://{}", other.addr());
    assert_refused(&host, &elsewhere, "HttpRequestDenied", &advice);
    assert_eq!(other.connections(), 0);
}

#[test]
fn executions_share_connections() {
    let origin = Origin::start();
    let host = Host::serve("calls_out")
        .args([
            "--workers=1",
            &format!("--allow-outbound=http://{}", origin.addr()),
        ])
        .start();
    for _ in 0..5 {
        let reply = host.get(&format!("/?n=4&url=http://{}/", origin.addr()));
        assert_eq!(reply.text(), "here\n");
    }
    assert_eq!((origin.heads().len(), origin.connections()), (20, 1));
}

/// Another host is the server: it speaks HTTP/2 to whoever offers it by ALPN.
#[test]
fn a_private_authority_is_trusted_when_it_is_given() {
    let directory = Directory::new();
    let certificate = Certificate::new();
    let (chain, key) = certificate.write_to(directory.path());
    let server = Host::serve("echoes")
        .arg("--tls-cert")
        .arg(&chain)
        .arg("--tls-key")
        .arg(key)
        .start();
    let rule = format!("https://localhost:{}", server.addr().port());

    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound={rule}"))
        .start();
    let reply = fetch(&host, &format!("{rule}/headers"));
    assert_eq!(
        (reply.status, reply.text()),
        (502, "ErrorCode::TlsCertificateError\n")
    );

    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound={rule}"))
        .env("SSL_CERT_FILE", &chain)
        .start();
    let reply = fetch(&host, &format!("{rule}/headers"));
    assert_eq!(reply.status, 200, "the system trusts it: {}", reply.text());

    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound={rule}"))
        .arg("--outbound-ca")
        .arg(chain)
        .start();
    let reply = fetch(&host, &format!("{rule}/headers"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(
        reply.text().contains("scheme: Some(Scheme::Https)"),
        "{}",
        reply.text()
    );
}

/// What the log says of the execution that made `reply`.
fn told_by(host: &Host, reply: &Reply) -> String {
    let printed = host.printed_by(reply).into_iter();
    printed.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

/// The host with its own TLS is the server, and the log of the function that calls it says what is wrong.
#[test]
fn a_self_signed_certificate_is_trusted_when_it_is_given_and_others_are_told_of_in_words() {
    let directory = Directory::new();
    let certificate = Certificate::of_authority(&["localhost"]);
    let (chain, key) = certificate.write_to(directory.path());
    let serve = |guest: &str| {
        Host::serve(guest)
            .arg("--tls-cert")
            .arg(&chain)
            .arg("--tls-key")
            .arg(&key)
    };
    let server = serve("echoes").start();
    let port = server.addr().port();
    let call = |ca: Option<&Path>, host: &str| {
        let mut caller =
            Host::serve("calls_out").arg(format!("--allow-outbound=https://{host}:{port}"));
        if let Some(ca) = ca {
            caller = caller.arg("--outbound-ca").arg(ca);
        }
        let caller = caller.start();
        let reply = fetch(&caller, &format!("https://{host}:{port}/headers"));
        (reply.status, told_by(&caller, &reply))
    };
    assert_eq!(call(Some(&chain), "localhost"), (200, String::new()));
    for (ca, host, words) in [
        (None, "localhost", "CA:TRUE"),
        (
            Some(&*chain),
            "127.0.0.1",
            "not for 127.0.0.1: it is for localhost",
        ),
    ] {
        let (status, told) = call(ca, host);
        assert_eq!(status, 502, "{told}");
        assert!(
            told.contains(words) && told.contains("outbound call to https://"),
            "{told}"
        );
    }
    let plain = Host::serve("echoes").start();
    let port = plain.addr().port();
    let caller = Host::serve("calls_out")
        .arg(format!("--allow-outbound=https://localhost:{port}"))
        .start();
    let reply = fetch(&caller, &format!("https://localhost:{port}/"));
    let told = told_by(&caller, &reply);
    assert!(told.contains("does not speak TLS"), "{told}");
}

#[test]
fn where_nobody_listens_the_guest_is_told_so() {
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = gone.local_addr().expect("it is bound");
    drop(gone);
    let host = Host::serve("calls_out")
        .arg(format!("--allow-outbound=http://{addr}"))
        .start();
    let reply = fetch(&host, &format!("http://{addr}/"));
    assert_eq!(
        (reply.status, reply.text()),
        (502, "ErrorCode::ConnectionRefused\n")
    );
    assert_eq!(host.printed_by(&reply), []);
}

#[test]
fn a_guest_that_waits_for_a_call_is_ended_when_its_time_is_up() {
    // It accepts and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = silent.local_addr().expect("it is bound");
    let host = Host::serve("calls_out")
        .args([
            "--timeout=500ms",
            &format!("--allow-outbound=http://{addr}"),
        ])
        .start();
    let reply = fetch(&host, &format!("http://{addr}/"));
    assert_eq!(reply.status, 504);
    assert_eq!(host.finish_of(&reply), "status: 'timeout'");
}
