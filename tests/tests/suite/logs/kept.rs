//! What is kept of the log: all of it, through rotation, restarts and kills, and no more than is wanted.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tests::{Host, PATIENCE, Signal, State, Wire, wait_until};

/// How long after it was answered an execution may be lost when the process is killed.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// The number of lines that each execution of [`load`] prints.
const LINES: usize = 20;
/// How wide each is.
const WIDTH: usize = 500;

/// Sixteen callers at once, `each` times; gives the ids of the executions.
fn load(host: &Host, each: usize) -> Vec<String> {
    let ids = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut wire = Wire::connect(host.addr());
                for _ in 0..each {
                    wire.send(format!(
                        "GET /?lines={LINES}&width={WIDTH} HTTP/1.1\r\nHost: x\r\n\r\n"
                    ));
                    let reply = wire.read_reply();
                    assert_eq!(reply.status, 200, "{reply:?}");
                    ids.lock().unwrap().push(reply.execution_id().to_owned());
                }
            });
        }
    });
    ids.into_inner().unwrap()
}

/// The id of an execution that was answered; nothing once nobody answers.
fn ask(host: &Host) -> Option<String> {
    let mut stream = TcpStream::connect(host.addr()).ok()?;
    let request = b"GET /?kind=line HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let id = answer.split("function-execution-id: ").nth(1)?.get(..12)?;
    answer.ends_with("printed\n").then(|| id.to_owned())
}

fn end(host: &Host, signal: Signal) {
    host.signal(signal);
    host.wait(PATIENCE);
}

#[test]
fn what_is_read_back_is_what_was_printed_execution_by_execution() {
    let state = State::new();
    let serve = || {
        // An eighth of it makes a segment.
        let host = state.serve_component("floods_log");
        host.arg("--log-max-size=32Mi").start()
    };
    let mut host = serve();
    let first = host.get("/?lines=1&width=1").execution_id().to_owned();
    state.kept_of(&first);
    let following = state.follow_log("--limit 1 --format json");
    following.wait_for_log(|line| line.contains(&first));
    let mut ids = HashSet::new();
    for life in 0..2 {
        if life > 0 {
            host = serve();
        }
        ids.extend(load(&host, 60));
        end(&host, Signal::Term);
    }
    assert!(state.segment() > Some(4), "{:?}", state.log_files());
    let ends = || {
        let lines = following.log();
        lines
            .iter()
            .filter(|line| line.contains("httpRequest"))
            .count()
    };
    wait_until("the end of each is shown", || ends() > ids.len());
    let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in following.log() {
        let entry: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let id = text(&entry["labels"]["execution_id"]);
        shown
            .entry(id)
            .or_default()
            .push(text(&entry["textPayload"]));
    }
    shown.remove(&first);
    assert!(shown.keys().eq(ids.iter().collect::<BTreeSet<_>>()));
    let printed: Vec<_> = (1..=LINES).map(|n| format!("{n:x>WIDTH$}")).collect();
    for (id, texts) in &shown {
        let [start, lines @ .., end] = texts.as_slice() else {
            panic!("it starts and ends: {texts:?}");
        };
        assert_eq!(start, "Function execution started");
        assert!(lines == printed, "{id}: {} lines", lines.len());
        assert!(end.ends_with("status code: 200"), "{end}");
    }
    // What is compressed by now says the same.
    for (id, texts) in shown.iter().step_by(shown.len() / 40) {
        let kept = state.kept_texts(&format!("--limit 1000 --execution-id {id}"));
        assert!(kept == *texts, "{id}");
    }
    for file in state.log_files() {
        let mode = fs::symlink_metadata(state.log_directory().join(&file));
        let mode = mode.unwrap().permissions().mode();
        assert!(file == "current" || mode & 0o077 == 0, "{file}: {mode:o}");
    }
}

/// Ends what keeps calling, also when a specification fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_kill_loses_nothing_that_is_older_than_the_flush_interval() {
    let state = State::new();
    let mut following = None;
    let mut last = Vec::new();
    for _ in 0..10 {
        // An eighth of it makes a segment: about 500 executions.
        let host = state
            .serve_component("prints")
            .arg("--log-max-size=4Mi")
            .start();
        let first = state.segment();
        let following = following.get_or_insert_with(|| {
            let following = state.follow_log("--contains took");
            following.wait_for_log(|line| line.starts_with("LEVEL"));
            following
        });
        for id in last.drain(..) {
            let kept = state.kept(&format!("--execution-id {id}"));
            assert_eq!(kept.len(), 3, "{id}, after the next start");
        }
        let answered = Mutex::new(Vec::new());
        let is_over = AtomicBool::new(false);
        let killed = thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let id = ask(&host).map(|id| (Instant::now(), id));
                        answered.lock().unwrap().extend(id);
                    }
                });
            }
            let _over = Over(&is_over);
            wait_until("some were answered, and the log was rotated", || {
                answered.lock().unwrap().len() > 200 && state.segment() > first
            });
            thread::sleep(FLUSH_INTERVAL);
            let killed = Instant::now();
            end(&host, Signal::Kill);
            killed
        });
        let answered = answered.into_inner().unwrap();
        let safe = answered
            .into_iter()
            .filter(|(time, _)| *time + FLUSH_INTERVAL < killed);
        let safe: HashSet<_> = safe.map(|(_, id)| id).collect();
        assert!(safe.len() > 100, "{}", safe.len());
        let mut missing = safe.clone();
        wait_until("all that is safe is shown", || {
            for line in following.log() {
                let id = line.split_whitespace().nth(2).unwrap_or_default();
                missing.remove(id);
            }
            missing.is_empty()
        });
        last.extend(safe.into_iter().take(10));
    }
}

#[test]
fn an_entry_waits_for_others_no_longer_than_the_flush_interval_says() {
    // How long it takes until an entry that comes after another is kept.
    let waits = |interval: &str| {
        let state = State::new();
        let host = state
            .serve_component("prints")
            .args(["--log-flush-interval", interval])
            .start();
        let kept = || host.metric("host_log_entries_total{fate=\"kept\"}");
        let wait = |round: u32| {
            host.get("/?kind=line");
            host.get("/?kind=line");
            let begun = Instant::now();
            let all = f64::from(6 * round);
            wait_until("both are kept", || kept() >= all);
            begun.elapsed()
        };
        (1..=10).map(wait).collect::<Vec<_>>()
    };
    let (short, long) = (waits("1ms"), waits("10s"));
    let bound = Duration::from_millis(100);
    assert!(short.iter().any(|wait| *wait < bound), "{short:?}");
    assert!(long.iter().any(|wait| *wait >= bound), "{long:?}");
    for wrong in ["0s", "11s", "soon"] {
        let refused = Host::serve("prints")
            .args(["--log-flush-interval", wrong])
            .run();
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.stderr.contains("expected 1ms to 10s"),
            "{refused:?}"
        );
    }
}

#[test]
fn a_line_that_was_torn_by_a_kill_is_set_aside() {
    let state = State::new();
    let host = state.serve_component("prints").start();
    let before = host.get("/?kind=line");
    state.kept_of(before.execution_id());
    end(&host, Signal::Kill);
    let current = state.log_directory().join("current");
    let mut segment = OpenOptions::new().append(true).open(current).unwrap();
    segment.write_all(b"{\"timestamp\":\"2026-11").unwrap();
    assert_eq!(
        state.kept_of(before.execution_id()).len(),
        3,
        "nor does it bother a reader"
    );
    let host = state.serve_component("prints").start();
    let after = host.get("/?kind=line");
    assert_eq!(state.kept_of(after.execution_id()).len(), 3);
    assert_eq!(state.kept_of(before.execution_id()).len(), 3);
    let files = state.log_files();
    assert!(
        files.iter().any(|file| file.ends_with(".torn")),
        "{files:?}"
    );
}

#[test]
fn no_more_is_kept_than_is_wanted_and_that_is_the_newest() {
    let state = State::new();
    let host = state
        .serve_component("floods_log")
        .arg("--log-max-size=1Mi")
        .start();
    let ids = load(&host, 6);
    end(&host, Signal::Term);
    let host = state
        .serve_component("floods_log")
        .arg("--log-max-size=1Mi")
        .start();
    let last = host.get("/?lines=1&width=10");
    state.kept_of(last.execution_id());
    let size = || -> u64 {
        let files = fs::read_dir(state.log_directory()).unwrap();
        let length =
            |file: fs::DirEntry| file.path().symlink_metadata().map_or(0, |file| file.len());
        files.map(|file| length(file.unwrap())).sum()
    };
    wait_until("the rest was removed", || size() <= 1 << 20);
    assert!(
        !state
            .kept(&format!("--execution-id {}", last.execution_id()))
            .is_empty()
    );
    let _ = ids;
}

#[test]
fn two_hosts_do_not_write_one_log() {
    let state = State::new();
    let _first = state.serve_component("hello").start();
    let second = state.serve_component("hello").start();
    second.wait_for_stderr(|line| {
        line.starts_with("warning: log entries are not kept: another process writes the log")
    });
    assert_eq!(second.get("/").status, 400, "it serves all the same");
}
