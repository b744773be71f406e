//! Which function a request reaches, and what path that function sees.

use tests::{Host, Http2, Reply, State, guest};

/// Two functions: `a` is open, and `b` is private and answers 401. Whatever gets around the names shows.
#[track_caller]
fn a_and_b() -> (State, Host) {
    let state = State::new();
    state.deploy("a", "echoes", &[]);
    state.deploy("b", "echoes", &[]);
    state.update("b", &["--no-allow-unauthenticated"]);
    let host = state.serve().start();
    assert_eq!(host.get("/b").status, 401);
    (state, host)
}

/// GET with this target as it stands, on a connection of its own.
#[track_caller]
fn get(host: &Host, target: &str, name: &str) -> Reply {
    let mut wire = host.connect();
    wire.send(format!(
        "GET {target} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    ));
    wire.read_reply()
}

/// That `reply` is of the function `name`, which saw the target `seen`.
#[track_caller]
fn assert_reached(host: &Host, reply: &Reply, name: &str, seen: &str) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(host.entries_of(reply)[0].name, name, "{seen}");
    let line = format!("target: Some({seen:?})");
    assert!(
        reply.text().lines().any(|other| other == line),
        "{line}: {}",
        reply.text()
    );
}

#[test]
fn a_function_answers_at_its_name_and_below_and_sees_the_rest() {
    let (_state, host) = a_and_b();
    for (target, seen) in [
        ("/a?headers", "/?headers"),
        ("/a/?headers", "/?headers"),
        ("/a/headers", "/headers"),
        ("/a/below/and/further?headers", "/below/and/further?headers"),
        ("/a/a?headers", "/a?headers"),
        ("/a/b?headers", "/b?headers"),
        ("/a/below/?headers", "/below/?headers"),
    ] {
        assert_reached(&host, &host.get(target), "a", seen);
    }
}

#[test]
fn the_query_is_kept_as_it_was_sent() {
    let (_state, host) = a_and_b();
    for query in [
        "x=1&y=2",
        "",
        "x=%2Fb&y=/b",
        "/b/../b",
        "a?b=c",
        "%",
        "x=%00%ff",
    ] {
        let target = format!("/headers?{query}");
        let reply = host.get(&format!("/a{target}"));
        assert_reached(&host, &reply, "a", &target);
    }
}

#[test]
fn the_path_below_is_kept_as_it_was_sent() {
    let (_state, host) = a_and_b();
    for path in [
        "/../b",
        "/%2e%2e/b",
        "/%2E%2E%2Fb",
        "/..%2fb",
        "/..%5cb",
        "//b",
        "///",
        "/./x",
        "/.",
        "/..",
        "/%2f",
        "/%2F..%2Fb",
        "/%5c",
        "/%00",
        "/;b",
        "/%C3%A4",
    ] {
        let target = format!("{path}?headers");
        let reply = get(&host, &format!("/a{target}"), "localhost");
        assert_reached(&host, &reply, "a", &target);
    }
}

#[test]
fn a_path_that_begins_with_no_name_leads_nowhere() {
    let (_state, host) = a_and_b();
    for target in ["/", "//", "/?headers", "/c", "/ab", "/a-", "/favicon.ico"] {
        let reply = get(&host, target, "localhost");
        assert_eq!(reply.status, 404, "{target}: {reply:?}");
    }
    let options = host.request("OPTIONS *", "");
    assert_eq!(options.status, 404, "{options:?}");
    assert!(!host.log().iter().any(|line| line.contains("started")));
}

#[test]
fn a_name_has_one_spelling() {
    let (_state, host) = a_and_b();
    for name in ["a", "b"] {
        for target in [
            "//NAME",
            "///NAME",
            "/./NAME",
            "/../NAME",
            "/%2e/NAME",
            "/%2e%2e/NAME",
            "/x/../NAME",
            "/x/%2e%2e/NAME",
            "/%2fNAME",
            "/%2FNAME",
            "/%5cNAME",
            "/%5CNAME",
            "/NAME%2f",
            "/NAME%2Fx",
            "/NAME%5cx",
            "/NAME.",
            "/NAME%00",
            "/NAME%20",
            "/%20NAME",
            "/NAME;x",
            "/NAME%3fx",
            "/NAME%23x",
            "/.%2fNAME",
            "/..%2fNAME",
            "/%2e%2e%2fNAME",
            "//localhost/NAME",
            "/NAME\\x",
            "/\\NAME",
            "NAME",
            "NAME/x",
        ] {
            let target = target.replace("NAME", name);
            let reply = get(&host, &target, "localhost");
            assert!(matches!(reply.status, 400 | 404), "{target}: {reply:?}");
        }
    }
    for target in ["/A", "/B", "/%61", "/%62", "/%41", "/%42"] {
        assert_eq!(get(&host, target, "localhost").status, 404, "{target}");
    }
    assert!(!host.log().iter().any(|line| line.contains("started")));
}

/// RFC 9112, section 3.2.2: a server accepts a whole URI, whose authority stands above the Host header.
#[test]
fn a_whole_uri_leads_where_its_path_does() {
    let (_state, host) = a_and_b();
    let reply = get(&host, "http://localhost/a/x?headers", "localhost");
    assert_reached(&host, &reply, "a", "/x?headers");
    let reply = get(&host, "http://localhost/a/../b?headers", "localhost");
    assert_reached(&host, &reply, "a", "/../b?headers");
    for target in [
        "http://localhost",
        "http://localhost/",
        "http://localhost//a",
        "http://localhost/../a",
        "http://b",
        "http://a/",
        "http://localhost/%61",
        "http://a@localhost/",
        "http:///a",
        "http://localhost?/a",
    ] {
        let reply = get(&host, target, "localhost");
        assert!(matches!(reply.status, 400 | 404), "{target}: {reply:?}");
    }
    assert_eq!(get(&host, "http://localhost/b", "localhost").status, 401);
}

#[test]
fn http_2_leads_to_the_same_functions() {
    let (_state, host) = a_and_b();
    let client = Http2::connect(host.addr());
    assert_reached(&host, &client.get("/a/x?headers"), "a", "/x?headers");
    assert_reached(&host, &client.get("/a/../b?headers"), "a", "/../b?headers");
    assert_eq!(client.get("/b").status, 401);
    for path in ["/", "//a", "/%61", "/a%2fx", "/%2e%2e/a", "/A"] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_host_name_leads_to_its_function_with_the_whole_path() {
    let (state, host) = a_and_b();
    state.deploy("api", "echoes", &["--host=api.example.com", "--host=[::1]"]);
    for name in [
        "api.example.com",
        "api.example.com:8080",
        "API.Example.COM",
        "API.EXAMPLE.COM:1",
        "[::1]:8080",
    ] {
        for target in [
            "/?headers",
            "/a/x?headers",
            "/b?headers",
            "/api?headers",
            "//a?headers",
        ] {
            assert_reached(&host, &get(&host, target, name), "api", target);
        }
    }
    assert_reached(
        &host,
        &get(&host, "/api/x?headers", "localhost"),
        "api",
        "/x?headers",
    );
}

#[test]
fn another_host_name_does_not() {
    let (state, host) = a_and_b();
    state.deploy("api", "echoes", &["--host=api.example.com"]);
    for name in [
        "example.com",
        "x.api.example.com",
        "api.example.com.evil",
        "api-example.com",
        "localhost",
        "api.example.com.",
    ] {
        assert_eq!(get(&host, "/?headers", name).status, 404, "{name}");
        assert_reached(&host, &get(&host, "/a?headers", name), "a", "/?headers");
    }
    for name in [
        "api.example.com, a",
        "x@api.example.com",
        "api.example.com/a",
        "",
    ] {
        assert_eq!(get(&host, "/a", name).status, 400, "{name}");
    }
}

#[test]
fn the_authority_of_the_target_stands_above_the_host_header() {
    let (state, host) = a_and_b();
    state.deploy("api", "echoes", &["--host=api.example.com"]);
    let reply = get(&host, "http://api.example.com/a?headers", "localhost");
    assert_reached(&host, &reply, "api", "/a?headers");
    let reply = get(&host, "http://localhost/a?headers", "api.example.com");
    assert_reached(&host, &reply, "a", "/?headers");
    assert_eq!(
        get(&host, "http://localhost/x", "api.example.com").status,
        404
    );
    let client = Http2::connect(host.addr()).naming("API.example.com:81");
    assert_reached(&host, &client.get("/a?headers"), "api", "/a?headers");
}

#[test]
fn a_host_name_leads_to_one_function() {
    let (state, host) = a_and_b();
    state.deploy("api", "echoes", &["--host=api.example.com"]);
    let taken = state
        .functions(["deploy", "a", "--host=API.example.com"])
        .run();
    assert_eq!((taken.code, &*taken.stdout), (Some(1), ""), "{taken:?}");
    assert!(taken.stderr.contains("`api`"), "{}", taken.stderr);
    state.delete("api");
    state.update("a", &["--host=api.example.com"]);
    let reply = get(&host, "/x?headers", "api.example.com");
    assert_reached(&host, &reply, "a", "/x?headers");
    state.update("a", &["--clear-hosts"]);
    assert_eq!(get(&host, "/x?headers", "api.example.com").status, 404);
}

#[test]
fn a_component_on_the_command_line_answers_on_every_path() {
    let state = State::new();
    state.deploy("a", "echoes", &["--host=api.example.com"]);
    let host = state.serve().arg(guest("echoes")).start();
    for target in [
        "/?headers",
        "/a?headers",
        "/a/x?headers",
        "//a?headers",
        "/../a?headers",
    ] {
        for name in ["localhost", "api.example.com"] {
            assert_reached(&host, &get(&host, target, name), "echoes", target);
        }
    }
    assert_eq!(state.describe("a")["state"], "NOT SERVED");
}

#[test]
fn functions_of_the_store_answer_beside_it_only_if_asked() {
    let state = State::new();
    state.deploy("a", "echoes", &["--host=api.example.com"]);
    let host = state
        .serve()
        .arg("--with-functions")
        .arg(guest("echoes"))
        .start();
    assert_reached(&host, &host.get("/a/x?headers"), "a", "/x?headers");
    assert_reached(
        &host,
        &get(&host, "/x?headers", "api.example.com"),
        "a",
        "/x?headers",
    );
    for target in [
        "/?headers",
        "/ab?headers",
        "//a?headers",
        "/%61?headers",
        "/x/../a?headers",
    ] {
        assert_reached(&host, &get(&host, target, "localhost"), "echoes", target);
    }
    assert_eq!(state.describe("a")["state"], "ACTIVE");
    state.delete("a");
    tests::wait_until("the component answers there", || {
        host.get("/a?headers").text().contains("\"/a?headers\"")
    });
}
