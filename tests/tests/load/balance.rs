//! The work is spread: a few connections use every core, and a function that spins holds nobody up.

use std::thread;
use std::time::{Duration, Instant};

use tests::crowd::alone;
use tests::{Host, Wire};

#[track_caller]
fn get(wire: &mut Wire, path: &str) -> Duration {
    let begun = Instant::now();
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(wire.read_reply().status, 200);
    begun.elapsed()
}

/// Begins executions that never end, each on a connection of its own.
fn occupy(host: &Host, count: usize) -> Vec<Wire> {
    let mut wires: Vec<Wire> = (0..count).map(|_| host.connect()).collect();
    for wire in &mut wires {
        wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    let mut started = 0;
    host.wait_for_log(|line| {
        started += usize::from(line.contains("started"));
        started == count
    });
    wires
}

/// The slowest of ten, in the best of a few rounds: what one wait for a core on a busy machine cannot spoil.
fn slowest(mut ask: impl FnMut() -> Duration) -> Duration {
    let round = |_| (0..10).map(|_| ask()).max().unwrap_or_default();
    (0..5).map(round).min().unwrap_or_default()
}

#[cfg(target_os = "linux")]
#[test]
fn four_connections_keep_two_workers_busy_at_once() {
    let _alone = alone();
    let host = Host::serve("spins")
        .args(["--workers=2", "--timeout=5m"])
        .start();
    let _busy = occupy(&host, 4);
    let (before, begun) = (busy_workers(&host), Instant::now());
    // The time is what is measured.
    thread::sleep(Duration::from_millis(500));
    let (after, time) = (busy_workers(&host), begun.elapsed());
    assert_eq!(after.len(), 2);
    for (after, before) in after.iter().zip(before) {
        let busy = *after - before;
        assert!(
            busy > time.mul_f64(0.75),
            "a worker had work for {busy:?} of {time:?}"
        );
    }
}

/// How long each worker has run or waited for a core, which no other load on the machine changes (proc(5),
/// /proc/PID/schedstat, in nanoseconds).
#[cfg(target_os = "linux")]
fn busy_workers(host: &Host) -> Vec<Duration> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", host.pid())).expect("the host runs");
    let busy = |task: std::path::PathBuf| {
        let read = |file| std::fs::read_to_string(task.join(file)).expect("a task's figures");
        let name = read("comm");
        let schedstat = read("schedstat");
        let figures = schedstat.split_whitespace().take(2);
        let nanoseconds = figures
            .map(|figure| figure.parse::<u64>().expect("a number"))
            .sum();
        name.starts_with("worker-")
            .then(|| Duration::from_nanos(nanoseconds))
    };
    tasks
        .filter_map(|task| busy(task.expect("a task").path()))
        .collect()
}

#[test]
fn the_health_check_answers_while_every_worker_spins() {
    let _alone = alone();
    let host = Host::serve("spins").arg("--timeout=5m").start();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let _busy = occupy(&host, 4 * cores);
    let time = slowest(|| {
        let begun = Instant::now();
        let mut wire = Wire::connect(host.admin_addr());
        wire.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let reply = wire.read_reply();
        assert_eq!((reply.status, reply.text()), (200, "ok\n"));
        begun.elapsed()
    });
    assert!(time < Duration::from_millis(50), "{time:?}");
}

#[test]
fn a_short_execution_is_not_held_up_by_those_that_spin() {
    let _alone = alone();
    let host = Host::serve("spins")
        .args(["--workers=1", "--timeout=5m"])
        .start();
    let _busy = occupy(&host, 8);
    let mut wire = host.connect();
    let time = slowest(|| get(&mut wire, "/?rounds=1"));
    assert!(time < Duration::from_millis(100), "{time:?}");
}
