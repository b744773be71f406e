//! The work is spread: a few connections use every core, and a function that spins holds nobody up.
//!
//! These measure, so they run one after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tests::{Host, Wire};

static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[track_caller]
fn get(wire: &mut Wire, path: &str) -> Duration {
    let begun = Instant::now();
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(wire.read_reply().status, 200);
    begun.elapsed()
}

/// Connections that stay, each of which has been served.
fn connections(host: &Host, count: usize) -> Vec<Wire> {
    let connect = |_| {
        let mut wire = host.connect();
        get(&mut wire, "/?rounds=1");
        wire
    };
    (0..count).map(connect).collect()
}

/// How long all of `wires` take to be answered when they ask at once.
fn at_once(wires: &mut [Wire], path: &str) -> Duration {
    let begun = Instant::now();
    thread::scope(|scope| {
        for wire in wires {
            scope.spawn(move || get(wire, path));
        }
    });
    begun.elapsed()
}

/// Rounds that take about `time` when nothing else runs.
fn rounds_for(wire: &mut Wire, time: Duration) -> u64 {
    const SAMPLE: u64 = 20_000_000;
    let path = format!("/?rounds={SAMPLE}");
    let taken = (0..3).map(|_| get(wire, &path)).min().unwrap_or_default();
    (SAMPLE as f64 * time.as_secs_f64() / taken.as_secs_f64()) as u64
}

/// Starts as many executions that never end as there are workers, on each worker the same number.
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

#[test]
fn four_connections_use_two_cores() {
    let _alone = alone();
    if thread::available_parallelism().map_or(1, usize::from) < 2 {
        return;
    }
    let host = Host::serve("spins").arg("--workers=2").start();
    let mut wires = connections(&host, 4);
    let rounds = rounds_for(&mut wires[0], Duration::from_millis(30));
    let path = format!("/?rounds={rounds}");
    // Once is enough: one worker alone can never be faster at once than in turn, whatever else the machine does.
    let mut ratios = (0..30).map(|_| {
        let in_turn: Duration = (0..4).map(|_| get(&mut wires[0], &path)).sum();
        at_once(&mut wires, &path).as_secs_f64() / in_turn.as_secs_f64()
    });
    assert!(
        ratios.any(|ratio| ratio < 0.75),
        "at once is no faster than in turn"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn each_worker_does_its_share() {
    let _alone = alone();
    let host = Host::serve("spins").arg("--workers=2").start();
    let mut wires = connections(&host, 4);
    let rounds = rounds_for(&mut wires[0], Duration::from_millis(100));
    let before = work_of(&host);
    for _ in 0..3 {
        at_once(&mut wires, &format!("/?rounds={rounds}"));
    }
    let done: Vec<u64> = work_of(&host)
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect();
    let all: u64 = done.iter().sum();
    assert_eq!(done.len(), 2);
    assert!(done.iter().all(|share| share * 3 > all), "{done:?} ticks");
}

/// The processor time of each worker, in ticks (proc(5), /proc/PID/stat).
#[cfg(target_os = "linux")]
fn work_of(host: &Host) -> Vec<u64> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", host.pid())).expect("the host runs");
    let stats = tasks.map(|task| {
        let stat = task.expect("a task").path().join("stat");
        std::fs::read_to_string(stat).expect("a task's figures")
    });
    let work = |stat: String| {
        let (name, rest) = stat.rsplit_once(')')?;
        let time = rest.split_whitespace().skip(11).take(2);
        let ticks = time
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum();
        name.contains("(worker-").then_some(ticks)
    };
    stats.filter_map(work).collect()
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
        wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
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
