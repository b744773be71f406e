//! What a function learns of its client and of the address that it was asked by, and that callers do not get to say it.

use http::{HeaderMap, HeaderValue};
use tests::{Host, HostBuilder, Http2, Reply, State, Wire};

const FORGED: &str = "X-Forwarded-For: 192.0.2.66\r\nX_Forwarded_For: 192.0.2.66\r\nX-Forwarded-Proto: ftp\r\n\
                      X-Forwarded-Host: forged.example\r\nX-Forwarded-Port: 66\r\nX-Forwarded-Prefix: /forged\r\n\
                      X-Forwarded-User: root\r\nX-Real-IP: 192.0.2.66\r\nForwarded: for=192.0.2.66;host=forged.example";

/// A function that answers at its name, and by a host name.
fn echoes(serve: impl FnOnce(&State) -> HostBuilder) -> (State, Host) {
    let state = State::new();
    state.deploy("f", "echoes", &["--host=api.example.com"]);
    let host = serve(&state).start();
    (state, host)
}

fn ask(host: &Host, head: &str) -> Reply {
    let mut wire = host.connect();
    wire.send(format!("{head}\r\nConnection: close\r\n\r\n"));
    wire.read_reply()
}

/// The fields that tell of the client, in the order of their names.
fn told(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let of_client = |line: &&str| line.contains("orwarded") || line.starts_with("x-real-ip");
    let mut lines: Vec<_> = reply
        .text()
        .lines()
        .filter(of_client)
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[test]
fn a_function_is_told_of_its_client_and_callers_do_not_say_it() {
    let (_state, host) = echoes(State::serve);
    let head = format!("GET /f/headers HTTP/1.1\r\nHost: Host.example:81\r\n{FORGED}");
    assert_eq!(
        told(&ask(&host, &head)),
        [
            "forwarded: for=127.0.0.1;host=\"Host.example:81\";proto=http",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: Host.example:81",
            "x-forwarded-prefix: /f",
            "x-forwarded-proto: http",
        ]
    );
    // By its host name it answers everywhere.
    let head = format!("GET /headers HTTP/1.1\r\nHost: api.example.com\r\n{FORGED}");
    assert_eq!(
        told(&ask(&host, &head)),
        [
            "forwarded: for=127.0.0.1;host=api.example.com;proto=http",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: api.example.com",
            "x-forwarded-proto: http",
        ]
    );
    let client = Http2::connect(host.addr()).naming("a.example");
    let forged = [
        ("x-forwarded-for", "192.0.2.66"),
        ("forwarded", "for=192.0.2.66"),
    ];
    let reply = client
        .start_with("GET", "/f/headers", &forged)
        .finish()
        .read_reply();
    assert_eq!(
        told(&reply)[..2],
        [
            "forwarded: for=127.0.0.1;host=a.example;proto=http",
            "x-forwarded-for: 127.0.0.1",
        ]
    );
}

#[test]
fn a_proxy_is_believed_that_is_trusted() {
    let (_state, host) = echoes(|state| state.serve().arg("--trusted-proxy=127.0.0.0/8"));
    let said = "X-Forwarded-For: 192.0.2.66, 198.51.100.1, 127.0.0.9\r\nX-Forwarded-Proto: https\r\n\
                X-Forwarded-Host: a.example\r\nX-Forwarded-Prefix: /outer\r\nX-Forwarded-User: ada\r\n\
                X_Forwarded_User: root";
    let head = format!("GET /f/headers HTTP/1.1\r\nHost: inner\r\n{said}");
    let reply = ask(&host, &head);
    assert_eq!(
        told(&reply),
        [
            "forwarded: for=198.51.100.1;host=a.example;proto=https",
            "x-forwarded-for: 198.51.100.1",
            "x-forwarded-host: a.example",
            "x-forwarded-prefix: /outer/f",
            "x-forwarded-proto: https",
            "x-forwarded-user: ada",
        ]
    );
    assert!(
        reply.text().contains("scheme: Some(Scheme::Https)"),
        "{}",
        reply.text()
    );
    // Who may call what goes by whom the request asks, whatever a proxy says of that.
    let head = "GET /headers HTTP/1.1\r\nHost: inner\r\nX-Forwarded-Host: api.example.com";
    assert_eq!(ask(&host, head).status, 404);
}

#[test]
fn another_proxy_is_not_believed_and_the_file_may_name_those_that_are() {
    let state = State::new();
    let head = format!("GET /f/headers HTTP/1.1\r\nHost: a\r\n{FORGED}");
    for (range, client) in [("10.0.0.0/8", "127.0.0.1"), ("127.0.0.1", "192.0.2.66")] {
        let text = format!(
            "[host]\ntrusted-proxies = [{range:?}]\n[functions.f]\nsource = {:?}\nallow-unauthenticated = true\n",
            tests::guest("echoes"),
        );
        let config = state.file("host.toml", text);
        let host = state.serve().arg("--config").arg(config).start();
        let told = told(&ask(&host, &head));
        assert!(
            told.contains(&format!("x-forwarded-for: {client}")),
            "{told:?}"
        );
    }
    let config = state.file("host.toml", "[host]\ntrusted-proxies = [\"10.0.0.1/8\"]\n");
    let refused = state.serve().arg("--config").arg(config).run();
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("write 10.0.0.0/8"), "{refused:?}");
}

#[test]
fn http_1_0_may_name_no_host_and_asks_the_address_that_it_came_to() {
    let (_state, host) = echoes(State::serve);
    for head in [
        "GET /f/headers HTTP/1.0",
        "GET /f/headers HTTP/1.0\r\nHost:",
    ] {
        let reply = ask(&host, head);
        let authority = format!("authority: Some(\"{}\")", host.addr());
        assert!(reply.text().contains(&authority), "{reply:?}");
        let told = told(&reply);
        assert!(
            told.contains(&format!("x-forwarded-host: {}", host.addr())),
            "{told:?}"
        );
    }
    assert_eq!(ask(&host, "GET /headers HTTP/1.0").status, 404);
    let named = ask(&host, "GET /headers HTTP/1.0\r\nHost: api.example.com");
    assert_eq!(named.status, 200);
}

#[test]
fn http_2_names_one_host() {
    let (_state, host) = echoes(State::serve);
    let client = Http2::connect(host.addr()).naming("a.example:80");
    let status = |named: &str| {
        let mut stream = client
            .start_with("GET", "/f/headers", &[("host", named)])
            .finish();
        stream.read_head().status
    };
    for named in ["a.example", "A.EXAMPLE:80"] {
        assert_eq!(status(named), 200, "{named}");
    }
    for named in ["b.example", "a.example:81", "user@a.example", ""] {
        let expected = if named.is_empty() { 200 } else { 400 };
        assert_eq!(status(named), expected, "{named}");
    }
}

#[test]
fn cookies_come_as_one_field() {
    let (_state, host) = echoes(State::serve);
    let client = Http2::connect(host.addr());
    let cookies = [
        ("cookie", "sid=abc"),
        ("cookie", "theme=dark"),
        ("cookie", "a=1; b=2"),
    ];
    let reply = client
        .start_with("GET", "/f/headers", &cookies)
        .finish()
        .read_reply();
    let joined = "cookie: sid=abc; theme=dark; a=1; b=2\n";
    assert!(reply.text().contains(joined), "{}", reply.text());
    assert_eq!(reply.text().matches("cookie").count(), 1);
}

/// What no trailer brings, and two that all may.
const TRAILERS: [(&str, &str); 12] = [
    ("x-host-caller-email", "root@host.internal"),
    ("x_host_caller-email", "root@host.internal"),
    ("authorization", "Bearer a"),
    ("x-serverless-authorization", "Bearer a"),
    ("cookie", "a=1"),
    ("host", "forged.example"),
    ("content-length", "66"),
    ("x-forwarded-for", "192.0.2.66"),
    ("forwarded", "for=192.0.2.66"),
    ("traceparent", "forged"),
    ("x-checksum", "1"),
    ("content-digest", "sha-256=:a:"),
];

#[track_caller]
fn assert_only_harmless_trailers(reply: &Reply) {
    assert_eq!((reply.status, reply.text()), (200, "body"));
    for (name, value) in TRAILERS {
        let is_harmless = matches!(name, "x-checksum" | "content-digest");
        let expected = is_harmless.then_some(value);
        assert_eq!(reply.trailer(name), expected, "{name}");
    }
}

#[test]
fn trailers_are_held_to_what_heads_are() {
    let (_state, host) = echoes(State::serve);
    let names: Vec<_> = TRAILERS.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    let mut wire: Wire = host.connect();
    wire.send(format!(
        "POST /f HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: {names}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ));
    wire.send_chunk("body");
    let trailers: String = TRAILERS
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    wire.send(format!("0\r\n{trailers}\r\n"));
    assert_only_harmless_trailers(&wire.read_reply());

    let client = Http2::connect(host.addr());
    let mut stream = client.start_with("POST", "/f", &[("trailer", &names)]);
    stream.send("body");
    let mut trailers = HeaderMap::new();
    for (name, value) in TRAILERS {
        trailers.append(name, HeaderValue::from_static(value));
    }
    assert_only_harmless_trailers(&stream.finish_with(trailers).read_reply());
}

/// The fields that the guest sends back.
const BROWSERS_GO_BY: &str = "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nAlt-Svc: clear\r\n\
                              Clear-Site-Data: \"*\"\r\nService-Worker-Allowed: /";

#[test]
fn below_its_name_a_function_speaks_for_its_path_and_by_its_host_name_for_all() {
    let (_state, host) = echoes(State::serve);
    let cookies = |reply: &Reply| -> Vec<String> {
        let cookies = reply
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        cookies.map(|(_, value)| value.clone()).collect()
    };
    let below = ask(
        &host,
        &format!("GET /f HTTP/1.1\r\nHost: a\r\n{BROWSERS_GO_BY}"),
    );
    assert_eq!(cookies(&below), ["a=1; Path=/f", "b=2; Path=/f"]);
    let alone = format!("GET /f HTTP/1.1\r\nHost: api.example.com\r\n{BROWSERS_GO_BY}");
    let alone = ask(&host, &alone);
    assert_eq!(cookies(&alone), ["a=1; Path=/", "b=2"]);
    for name in ["alt-svc", "clear-site-data", "service-worker-allowed"] {
        assert_eq!(below.header(name), None);
        assert!(alone.header(name).is_some(), "{name}");
    }
}
