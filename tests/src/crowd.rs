//! Many requests at once, and how those fare that come beside them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Host, MIB, Reply, Wire};

/// How many mean ill at once.
pub const FIFTY: usize = 50;

/// How many calls a percentile is taken of.
const CALLS: usize = 200;

/// How often it is measured before a figure counts as too high. Whatever else runs on the machine may raise it once;
/// what the host itself does wrong raises it each time.
const ROUNDS: usize = 3;

/// Keeps the other tests of the program waiting: they measure.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fifty requests for `path`, each on a connection of its own, none of which is read yet.
#[track_caller]
pub fn fifty(host: &Host, path: &str) -> Vec<Wire> {
    (0..FIFTY)
        .map(|_| {
            let mut wire = host.connect();
            wire.send(format!(
                "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
            ));
            wire
        })
        .collect()
}

/// How long each of `times` calls took, in rising order.
pub fn durations(times: usize, mut call: impl FnMut()) -> Vec<Duration> {
    let mut durations: Vec<_> = (0..times)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    durations.sort();
    durations
}

/// That 99 of 100 calls of `path` take less than 100 ms.
#[track_caller]
pub fn assert_quick(host: &Host, path: &str) {
    assert_99_quick(|| host.get(path));
}

/// That 99 of 100 calls succeed in less than 100 ms, and the others succeed too.
#[track_caller]
pub fn assert_99_quick(call: impl Fn() -> Reply) {
    let p99 = || durations(CALLS, || assert_eq!(call().status, 200))[CALLS * 99 / 100 - 1];
    assert_below(Duration::from_millis(100), p99);
}

/// That the control plane answers each probe within 50 ms.
#[track_caller]
pub fn assert_healthy(host: &Host) {
    let slowest = || {
        let took = durations(50, || {
            let mut wire = Wire::connect(host.admin_addr());
            wire.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assert_eq!(wire.read_reply().status, 200);
        });
        took.last().copied().unwrap_or_default()
    };
    assert_below(Duration::from_millis(50), slowest);
}

/// That what is measured is below `bound`, in one of a few rounds.
#[track_caller]
fn assert_below(bound: Duration, measure: impl Fn() -> Duration) {
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS {
        let figure = measure();
        if figure < bound {
            return;
        }
        rounds.push(figure);
    }
    panic!("not below {bound:?} in any round: {rounds:?}");
}

/// That the host still answers `path`, and its memory has returned.
#[track_caller]
pub fn assert_recovered(host: &Host, path: &str) {
    assert_eq!(host.get(path).status, 200);
    assert_healthy(host);
    let resident = host.resident_memory();
    assert!(resident < 300 * MIB, "{} MiB", resident / MIB);
}
