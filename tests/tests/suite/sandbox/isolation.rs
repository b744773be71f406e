//! What an execution finds: nothing of another one, and nothing of the machine.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::thread;

use tests::{Host, HostBuilder};

/// One worker, so that each execution gets the slot that the last one left.
fn remembers() -> HostBuilder {
    Host::serve("remembers").arg("--workers=1")
}

/// A secret, and the same backwards: the guest looks for a word without having it in its memory.
fn secret(number: usize) -> (String, String) {
    let secret = format!("secret-of-execution-{number:04}-");
    let backwards = secret.chars().rev().collect();
    (secret, backwards)
}

/// That an execution whose memory grows by `mib` finds nothing of the secret.
#[track_caller]
fn assert_forgotten(host: &Host, backwards: &str, mib: u32) {
    let reply = host.get(&format!("/?find={backwards}&mib={mib}"));
    assert_eq!(
        (reply.status, reply.text()),
        (200, "0\n"),
        "{backwards}, {mib} MiB"
    );
}

#[test]
fn a_guest_that_looks_for_a_secret_finds_its_own() {
    let host = remembers().start();
    let (secret, backwards) = secret(0);
    let reply = host.get(&format!("/?write={secret}&find={backwards}&mib=1"));
    let found: u32 = reply.text().trim().parse().expect("it is a number");
    assert!(found > 10_000, "{found}");
}

#[test]
fn an_execution_finds_nothing_that_earlier_ones_wrote() {
    let host = remembers().start();
    for round in 0..15 {
        // Little enough to stay resident in the slot, and more.
        let mib = [0, 1, 8][round % 3];
        let (secret, backwards) = secret(round);
        assert_eq!(
            host.get(&format!("/?write={secret}&mib={mib}")).text(),
            "ok\n"
        );
        assert_forgotten(&host, &backwards, 8);
    }
}

#[test]
fn executions_that_overlap_find_nothing_of_each_other() {
    let host = remembers().start();
    thread::scope(|scope| {
        for number in 0..4 {
            let host = &host;
            scope.spawn(move || {
                let (secret, _) = secret(number);
                for _ in 0..5 {
                    assert_eq!(host.get(&format!("/?write={secret}&mib=2")).text(), "ok\n");
                    // Another's secret; what all have in common would do as well.
                    let (_, backwards) = self::secret((number + 1) % 4);
                    assert_forgotten(host, &backwards, 2);
                }
            });
        }
    });
}

#[test]
fn an_execution_finds_nothing_of_one_that_ran_out_of_time() {
    let host = remembers().arg("--timeout=300ms").start();
    let (secret, backwards) = secret(0);
    let reply = host.get(&format!("/?write={secret}&find={backwards}&mib=200"));
    assert_eq!(reply.status, 504);
    assert_eq!(host.finish_of(&reply), "status: 'timeout'");
    assert_forgotten(&host, &backwards, 2);
}

#[test]
fn an_execution_finds_nothing_of_one_that_trapped() {
    let host = remembers().start();
    for mib in [0, 8] {
        let (secret, backwards) = secret(0);
        let reply = host.get(&format!("/?write={secret}&mib={mib}&then=trap"));
        assert_eq!(reply.status, 500);
        assert_eq!(host.finish_of(&reply), "status: 'crash'");
        assert_forgotten(&host, &backwards, 8);
    }
}

#[test]
fn an_execution_finds_nothing_of_one_whose_client_went_away() {
    let host = remembers().start();
    let (secret, backwards) = secret(0);
    let mut wire = host.connect();
    wire.send(format!(
        "GET /?write={secret}&find={backwards}&mib=200 HTTP/1.1\r\nHost: here\r\n\r\n"
    ));
    host.wait_for_starts(1);
    drop(wire);
    host.wait_for_log(|line| line.ends_with("finished with status: 'connection error'"));
    assert_forgotten(&host, &backwards, 2);
}

#[test]
fn the_environment_is_what_was_set_and_nothing_else() {
    let host = Host::serve("tries_files")
        .env("SECRET_OF_THE_HOST", "hunter2")
        .arg("--set-env-vars=COLOUR=blue,EMPTY=")
        .start();
    let report = host.get("/").text().to_owned();
    let variables: Vec<&str> = report
        .lines()
        .filter(|line| line.starts_with("variable: "))
        .collect();
    assert_eq!(variables, ["variable: COLOUR=blue", "variable: EMPTY="]);
    assert!(!report.contains("hunter2"), "{report}");

    let host = Host::serve("tries_files").start();
    assert!(!host.get("/").text().contains("variable: "));
}

#[test]
fn there_are_no_files_and_no_arguments() {
    let host = Host::serve("tries_files").start();
    let report = host.get("/").text().to_owned();
    for absent in ["directory: ", "argument: "] {
        assert!(!report.contains(absent), "{report}");
    }
    for attempt in ["read: Err(", "list: Err(", "write: Err("] {
        assert!(
            report.lines().any(|line| line.starts_with(attempt)),
            "{report}"
        );
    }
}

#[test]
fn there_are_no_sockets_and_no_names() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.set_nonblocking(true).expect("it is a socket");
    let to = listener.local_addr().expect("it is bound");
    let host = Host::serve("tries_sockets")
        .arg(format!("--allow-outbound=http://{to}"))
        .start();
    let report = host.get(&format!("/?to={to}")).text().to_owned();
    for attempt in [
        "connect: Err(",
        "listen: Err(",
        "datagram: Err(",
        "lookup: Err(",
    ] {
        assert!(
            report.lines().any(|line| line.starts_with(attempt)),
            "{report}"
        );
    }
    let nobody = listener.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(nobody, Err(ErrorKind::WouldBlock));
}

/// Memory that starts full is reset by a copy, in a pool of its own. Here that has one place, so that executions are in
/// both pools.
#[test]
fn an_execution_whose_memory_starts_full_finds_it_as_the_component_has_it() {
    let host = Host::serve("starts_full")
        .args(["--workers=2", "--total-memory=511MiB"])
        .start();
    thread::scope(|scope| {
        for number in 0..4 {
            let host = &host;
            scope.spawn(move || {
                for round in 0..15 {
                    // Little enough to stay resident in the place, and more.
                    let mib = [0, 8, 32][(number + round) % 3];
                    let reply = host.get(&format!("/?mib={mib}"));
                    assert_eq!((reply.status, reply.text()), (200, "0\n"), "{mib} MiB");
                }
            });
        }
    });
}
