//! What becomes of a host whose stderr, file sizes, descriptors or terminal fail it: what it was asked to do goes on, and
//! what cannot go on ends in words.

use std::fs;
use std::time::Duration;

use tests::{Directory, Host, HostBuilder, PATIENCE, Signal, State, Terminal, Wire, wait_until};

/// Runs it with a stderr whose reader goes away once the host has said where it listens.
fn with_a_reader_that_goes(host: HostBuilder, directory: &Directory) -> HostBuilder {
    let pipe = directory.path().join("stderr");
    let pipe = pipe.display();
    let reader = format!("mkfifo '{pipe}'; head -n 2 <'{pipe}' >&2 &");
    host.in_shell(&reader, &format!("2>'{pipe}'"))
}

#[test]
fn a_command_with_a_full_stderr_does_what_it_was_asked_to() {
    let state = State::new();
    let deploy = state.functions(["deploy", "a", "--allow-unauthenticated", "--source"]);
    let deployed = deploy
        .arg(tests::guest("hello"))
        .in_shell("", "2>/dev/full")
        .run();
    assert_eq!(deployed.code, Some(0), "{deployed:?}");
    assert_eq!(state.names(), ["a"]);
}

#[test]
fn a_host_without_a_reader_of_stderr_drains() {
    let directory = Directory::new();
    let host = with_a_reader_that_goes(Host::serve("hello"), &directory).start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
    host.wait_for_log(|line| line.contains("started"));
    host.signal(Signal::Term);
    wait_until("the host listens no more", || {
        Wire::try_connect(host.addr()).is_err()
    });
    wire.send("}");
    assert_eq!(wire.read_reply().status, 200);
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
}

#[test]
fn a_host_without_a_reader_of_stderr_takes_up_changes_after_a_failure() {
    let (state, directory) = (State::new(), Directory::new());
    let secret = state.file("secret", "s3cr3t");
    let setting = format!("--set-secrets=KEY={}", secret.display());
    state.deploy("a", "hello", &[&setting]);
    let host = with_a_reader_that_goes(state.serve(), &directory).start();
    fs::remove_file(&secret).expect("the secret is there");
    host.signal(Signal::Hup);
    wait_until("the failure is noticed", || {
        host.control_plane("/readyz").status == 503
    });
    state.file("secret", "s3cr3t");
    host.signal(Signal::Hup);
    wait_until("the host is ready again", || {
        host.control_plane("/readyz").status == 200
    });
    state.deploy("b", "hello", &[]);
    assert_eq!(host.post("/b", "{}").status, 200);
}

/// A host that is held up before it serves: its certificate is a pipe that nobody writes to.
fn held_up(directory: &Directory) -> Host {
    let pipe = directory.path().join("certificate");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|made| made.success()));
    let host = Host::serve("hello")
        .arg("--tls-cert")
        .arg(&pipe)
        .arg("--tls-key")
        .arg(&pipe)
        .start_unannounced();
    let status = format!("/proc/{}/status", host.pid());
    wait_until("the host listens to SIGTERM", || {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        caught.is_some_and(|mask| mask >> 14 & 1 == 1)
    });
    host
}

#[test]
fn a_host_that_is_told_to_end_before_it_serves_ends_at_once() {
    for signal in [Signal::Term, Signal::Int] {
        let directory = Directory::new();
        let host = held_up(&directory);
        host.signal(signal);
        assert_eq!(host.wait(PATIENCE).code(), Some(0));
        assert!(host.stderr().contains("Told to end before it served."));
    }
}

#[test]
fn a_host_ends_with_its_terminal() {
    let terminal = Terminal::open();
    let host = Host::serve("hello").in_session_on(&terminal, "").start();
    // While the terminal is there, the signal asks for the files to be read again.
    host.signal(Signal::Hup);
    assert_eq!(host.post("/", "{}").status, 200);
    assert!(!host.stderr().contains("Draining"), "{}", host.stderr());
    drop(terminal);
    host.wait_for_stderr(|line| line.starts_with("Draining"));
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
}

#[test]
fn a_terminal_that_is_closed_during_a_drain_cuts_nothing_off() {
    let terminal = Terminal::open();
    let host = Host::serve("hello").in_session_on(&terminal, "").start();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
    host.wait_for_log(|line| line.contains("started"));
    host.signal(Signal::Term);
    host.wait_for_stderr(|line| line.starts_with("Draining"));
    drop(terminal);
    host.signal(Signal::Hup);
    wire.send("}");
    assert_eq!(wire.read_reply().status, 200);
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
}

#[test]
fn a_host_that_is_to_outlive_its_terminal_does() {
    let terminal = Terminal::open();
    let host = Host::serve("hello")
        .in_session_on(&terminal, "trap '' HUP")
        .start();
    drop(terminal);
    host.signal(Signal::Hup);
    for _ in 0..20 {
        assert_eq!(host.post("/", "{}").status, 200);
    }
    assert!(!host.stderr().contains("Draining"), "{}", host.stderr());
}

#[test]
fn a_host_that_gets_too_few_descriptors_for_its_workers_does_not_start() {
    for descriptors in [20, 30, 40] {
        let refused = Host::serve("hello")
            .arg("--workers=4")
            .in_shell(&format!("ulimit -n {descriptors}"), "")
            .run_for(PATIENCE);
        assert_eq!(refused.code, Some(1), "{descriptors}: {refused:?}");
        let last = refused.stderr.lines().last().expect("it says why");
        assert!(last.starts_with("error: "), "{refused:?}");
    }
}

#[test]
fn the_control_plane_answers_while_connections_hold_all_descriptors() {
    let host = Host::serve("hello")
        .arg("--workers=2")
        .in_shell("ulimit -n 80", "")
        .start();
    host.wait_for_stderr(|line| line.contains("connections at once, not 10000"));
    let mut wires: Vec<_> = (0..100)
        .filter_map(|_| Wire::try_connect(host.addr()).ok())
        .collect();
    for wire in &mut wires {
        // Those that find no place are closed already.
        let _ = wire.try_send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
    }
    host.wait_for_log(|line| line.contains("started"));
    for _ in 0..20 {
        assert_eq!(host.control_plane("/healthz").status, 200);
        assert_eq!(host.control_plane("/readyz").status, 200);
    }
    drop(wires);
    wait_until("there are places again", || {
        host.post("/", "{}").status == 200
    });
}

#[test]
fn a_store_that_may_not_grow_refuses_in_words_and_ends_nothing() {
    let state = State::new();
    state.deploy("a", "hello", &[]);
    let refused = state
        .functions(["deploy", "b", "--source"])
        .arg(tests::guest("hello"))
        .in_shell("ulimit -f 8", "")
        .run_for(Duration::from_secs(10));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("error: the store failed"),
        "{refused:?}"
    );
    assert_eq!(state.names(), ["a"]);
}
