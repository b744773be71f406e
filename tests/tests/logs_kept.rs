//! What is kept of the log: all of it, through rotation, restarts, kills and full disks, and no more than is wanted.

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
const LINES: usize = 50;

/// Sixteen callers at once, `each` times; gives the ids of the executions.
fn load(host: &Host, each: usize) -> Vec<String> {
    let ids = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let mut wire = Wire::connect(host.addr());
                for _ in 0..each {
                    wire.send(format!(
                        "GET /?lines={LINES}&width=1000 HTTP/1.1\r\nHost: x\r\n\r\n"
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
fn every_entry_of_every_execution_is_kept_across_rotation_and_a_restart() {
    let state = State::new();
    let mut ids = Vec::new();
    for _ in 0..2 {
        // An eighth of it makes a segment.
        let host = state
            .serve_component("floods_log")
            .arg("--log-max-size=32Mi")
            .start();
        ids.extend(load(&host, 12));
        end(&host, Signal::Term);
    }
    let files = state.log_files();
    let closed = files.iter().filter(|file| file.ends_with(".zst")).count();
    assert!(closed >= 3, "{files:?}");
    for id in &ids {
        let texts = state.kept_texts(&format!("--limit 1000 --execution-id {id}"));
        assert_eq!(texts.len(), LINES + 2, "{id}");
        assert_eq!(texts[0], "Function execution started");
        for (number, text) in texts[1..=LINES].iter().enumerate() {
            assert!(text.len() == 1000 && text.ends_with(&format!("x{}", number + 1)));
        }
    }
    for file in files {
        let mode = fs::symlink_metadata(state.log_directory().join(&file));
        let mode = mode.unwrap().permissions().mode();
        assert!(file == "current" || mode & 0o077 == 0, "{file}: {mode:o}");
    }
}

#[test]
fn a_kill_loses_nothing_that_is_older_than_the_flush_interval() {
    let state = State::new();
    for _ in 0..10 {
        let host = state.serve_component("prints").start();
        let answered = Mutex::new(Vec::new());
        let killed = thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while let Some(id) = ask(&host) {
                        answered.lock().unwrap().push((Instant::now(), id));
                    }
                });
            }
            wait_until("some were answered", || {
                answered.lock().unwrap().len() > 200
            });
            thread::sleep(FLUSH_INTERVAL);
            let killed = Instant::now();
            end(&host, Signal::Kill);
            killed
        });
        let answered = answered.into_inner().unwrap();
        let kept = state.kept_texts("--limit 1000 --contains took");
        assert!(kept.len() > 100);
        let safe = |(time, _): &&(Instant, String)| *time + FLUSH_INTERVAL < killed;
        let safe: Vec<_> = answered.iter().filter(safe).collect();
        assert!(!safe.is_empty());
        for (_, id) in safe.iter().rev().take(20) {
            assert_eq!(state.kept(&format!("--execution-id {id}")).len(), 3, "{id}");
        }
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
fn a_full_disk_stops_nobody_is_counted_and_writing_resumes() {
    let state = State::new();
    // It must get over what a shell would die of.
    let host = state
        .serve_component("floods_log")
        .in_shell("trap '' XFSZ", "")
        .start();
    let first = host.get("/?lines=1&width=10");
    state.kept_of(first.execution_id());
    host.limit_files(Some(2048));
    for _ in 0..20 {
        assert_eq!(host.get("/?lines=50&width=100").status, 200);
    }
    let lost = || host.metric("host_log_entries_total{fate=\"lost\"}");
    wait_until("the loss is counted", || lost() > 0.0);
    host.wait_for_stderr(|line| line.contains("log entries cannot be kept"));
    host.limit_files(None);
    let last = host.get("/?lines=1&width=10");
    assert_eq!(state.kept_of(last.execution_id()).len(), 3);
    wait_until("the log says what is missing from it", || {
        let notes = state.kept_texts("floods_log --severity warning");
        notes.iter().any(|note| {
            note.ends_with(
                "log entries of this function were left out: they could not be written to the disk",
            )
        })
    });
    let note = state.kept_texts("floods_log --severity warning").remove(0);
    let told: f64 = note.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(told, lost(), "{note}");
    assert_eq!(state.kept_of(first.execution_id()).len(), 3);
    let told = host.stderr().matches("log entries cannot be kept").count();
    assert!(told < 5, "{told} times");
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

#[test]
fn what_a_guest_prints_forges_no_entry_of_another() {
    let state = State::new();
    let host = state.serve_component("prints").start();
    let honest = host.get("/?kind=line");
    let forging = host.get("/?kind=forged");
    state.kept_of(forging.execution_id());
    let honest_id = honest.execution_id();
    assert_eq!(state.kept_of(honest_id).len(), 3);
    // The id that the guest claims is that of nobody.
    assert!(state.kept("--execution-id aaaaaaaaaaaa").is_empty());
    assert!(state.kept("other").is_empty());
    let entries = state.kept_of(forging.execution_id());
    for entry in &entries {
        assert_eq!(entry["labels"]["execution_id"], forging.execution_id());
        assert_eq!(entry["resource"]["labels"]["function_name"], "prints");
    }
    let table = state.read_log(&format!("--execution-id {}", forging.execution_id()));
    assert!(!table.stdout.contains('\u{1b}') && !table.stdout.contains('\0'));
    assert_eq!(
        table.stdout.lines().count(),
        1 + entries.len(),
        "one row each"
    );
}

#[test]
fn a_function_that_prints_all_that_it_can_leaves_the_log_of_another_whole() {
    let state = State::new();
    state.deploy("loud", "floods_log", &["--log-limit=1Gi"]);
    state.deploy("quiet", "prints", &[]);
    let host = state.serve().start();
    let is_over = AtomicBool::new(false);
    let quiet = thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    host.get("/loud?lines=256&width=16000");
                }
            });
        }
        let calls = (0..50).map(|_| host.get("/quiet?kind=line").execution_id().to_owned());
        let quiet: Vec<_> = calls.collect();
        is_over.store(true, Ordering::Relaxed);
        quiet
    });
    end(&host, Signal::Term);
    for id in quiet {
        assert_eq!(
            state.kept(&format!("quiet --execution-id {id}")).len(),
            3,
            "{id}"
        );
    }
    assert!(state.kept("quiet --severity warning").is_empty());
}

#[test]
fn a_line_of_a_hundred_megabytes_is_cut_and_the_rest_of_the_log_is_whole() {
    let state = State::new();
    let host = state.serve_component("floods_log").start();
    let long = host.get("/?line=100000000");
    assert_eq!(long.status, 200, "{long:?}");
    let next = host.get("/?lines=2&width=10");
    assert_eq!(state.kept_of(next.execution_id()).len(), 4);
    let entries = state.kept_of(long.execution_id());
    let texts = entries
        .iter()
        .filter_map(|entry| entry["textPayload"].as_str());
    let texts: Vec<_> = texts.collect();
    assert!(texts.iter().all(|text| text.len() < 17 * 1024));
    assert!(
        texts.iter().any(|text| text.contains(" bytes cut]")),
        "{texts:?}"
    );
}
