//! How a host starts, and what it says when it cannot.

use std::net::TcpListener;

use tests::{Directory, FREE_PORTS, Host, Output, guest};

/// One line that begins with `error: ` and names `what`.
#[track_caller]
fn assert_refused(output: &Output, what: &str) {
    assert_eq!(output.code, Some(1), "{output:#?}");
    assert_eq!(output.stdout, "", "nothing but data goes to stdout");
    let lines: Vec<_> = output.stderr.lines().collect();
    let [line] = lines[..] else {
        panic!("one line was expected: {}", output.stderr);
    };
    assert!(line.starts_with("error: ") && line.contains(what), "{line}");
}

#[test]
fn port_0_prints_the_ports_that_it_got() {
    let host = Host::serve("hello").start();
    assert_ne!(host.addr().port(), 0);
    assert_ne!(host.admin_addr().port(), 0);
    assert_eq!(host.post("/", "{}").text(), "Hello World!");
}

#[test]
fn on_loopback_it_is_open_and_says_so() {
    let host = Host::serve("hello").start();
    assert!(host.stderr().contains("open"), "{}", host.stderr());
}

#[test]
fn the_port_is_taken_from_the_environment_where_no_flag_says_it() {
    let state = Directory::new();
    let host = Host::command(["serve", "--admin-addr=127.0.0.1:0"])
        .arg(guest("hello"))
        .env("HOST_STATE_DIR", state.path().join("state"))
        .env("PORT", "0")
        .start();
    assert!(host.addr().ip().is_loopback());
    assert_eq!(host.post("/", "{}").status, 200);
}

#[test]
fn a_port_in_the_environment_that_is_none_is_said() {
    let output = Host::command(["serve"])
        .arg(guest("hello"))
        .env("PORT", "http")
        .run();
    assert_refused(&output, "$PORT");
}

#[test]
fn a_port_that_is_in_use_is_said_with_the_flag_that_changes_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    for (flag, other) in [("--addr", "--admin-addr"), ("--admin-addr", "--addr")] {
        let output = Host::command(["serve"])
            .arg(guest("hello"))
            .arg(format!("{flag}={addr}"))
            .arg(format!("{other}=127.0.0.1:0"))
            .env("HOST_STATE_DIR", Directory::new().path())
            .run();
        assert_refused(&output, flag);
        assert!(output.stderr.contains(&addr), "{}", output.stderr);
    }
}

#[test]
fn a_port_that_another_host_serves_is_in_use() {
    let first = Host::serve("hello").start();
    let output = Host::command(["serve", "--admin-addr=127.0.0.1:0"])
        .arg(guest("hello"))
        .arg(format!("--addr={}", first.addr()))
        .env("HOST_STATE_DIR", Directory::new().path())
        .run();
    assert_refused(&output, "--addr");
    assert_eq!(first.post("/", "{}").status, 200);
}

#[test]
fn beyond_loopback_it_wants_to_be_told_who_may_call() {
    let refused = Host::command(["serve", "--addr=0.0.0.0:0"])
        .arg(guest("hello"))
        .run();
    assert_refused(&refused, "--allow-unauthenticated");
    assert!(refused.stderr.contains("--no-allow-unauthenticated"));
}

#[test]
fn beyond_loopback_it_serves_those_it_was_told_to() {
    for (flag, status) in [
        ("--allow-unauthenticated", 200),
        ("--no-allow-unauthenticated", 401),
    ] {
        let host = Host::command([
            "serve",
            "--addr=0.0.0.0:0",
            "--admin-addr=127.0.0.1:0",
            flag,
        ])
        .arg(guest("hello"))
        .env("HOST_STATE_DIR", Directory::new().path())
        .start();
        let local = ([127, 0, 0, 1], host.addr().port()).into();
        let mut wire = tests::Wire::connect(local);
        wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
        assert_eq!(wire.read_reply().status, status);
    }
}

#[test]
fn a_component_that_is_not_there_is_said() {
    let output = Host::command(["serve", "nowhere.wasm"])
        .args(FREE_PORTS)
        .run();
    assert_refused(&output, "nowhere.wasm");
}

#[test]
fn a_file_that_is_no_component_is_said() {
    let files = Directory::new();
    let path = files.path().join("text.wasm");
    std::fs::write(&path, "no component").unwrap();
    let output = Host::command(["serve"]).arg(path).args(FREE_PORTS).run();
    assert_refused(&output, "text.wasm");
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    for arguments in [
        &["serve", "--memory=1Gi"][..],
        &["serve", "--allow-unauthenticated"],
        &["serve", "a.wasm", "--no-such-flag"],
        &["serve", "a.wasm", "--addr=nowhere"],
        &["serve", "a.wasm", "--timeout=soon"],
        &["serve", "a.wasm", "--memory=much"],
        &["serve", "a.wasm", "--workers=0"],
        &[
            "serve",
            "a.wasm",
            "--allow-unauthenticated",
            "--no-allow-unauthenticated",
        ],
        &["no-such-command"],
    ] {
        let output = Host::command(arguments).run();
        assert_eq!(output.code, Some(2), "{arguments:?}: {output:#?}");
        assert_eq!(output.stdout, "", "nothing but data goes to stdout");
        assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    }
}
