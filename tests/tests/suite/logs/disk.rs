//! What the disk of the log does to the host: nothing. What is lost is counted and told, and writing resumes by itself.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::{Host, MIB, State, can_mount, wait_until};

const LOST: &str = "host_log_entries_total{fate=\"lost\"}";
const TOLD: &str = "log entries of this function were left out";

/// How many entries these notes say were left out.
fn told(notes: &[Value]) -> f64 {
    let texts = notes.iter().filter_map(|note| note["textPayload"].as_str());
    let counts = texts.filter(|text| text.contains(TOLD));
    counts
        .map(|text| text.split(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

#[test]
fn a_log_that_may_not_grow_stops_nobody_is_counted_and_writing_resumes() {
    let state = State::new();
    let host = state.serve_component("floods_log").start();
    let first = host.get("/?lines=1&width=10");
    state.kept_of(first.execution_id());
    host.limit_files(Some(2048));
    for _ in 0..20 {
        assert_eq!(host.get("/?lines=50&width=100").status, 200);
    }
    let lost = || host.metric(LOST);
    wait_until("the loss is counted", || lost() > 0.0);
    host.wait_for_stderr(|line| line.contains("log entries cannot be kept"));
    host.limit_files(None);
    let last = host.get("/?lines=1&width=10");
    assert_eq!(state.kept_of(last.execution_id()).len(), 3);
    wait_until("the log says all that is missing from it", || {
        let notes = state.kept_texts("floods_log --severity warning --limit 1000");
        let told = notes.iter().filter_map(|note| {
            let count = note.strip_suffix(
                " log entries of this function were left out: they could not be written to the disk",
            );
            count?.parse::<f64>().ok()
        });
        told.sum::<f64>() == lost()
    });
    assert_eq!(state.kept_of(first.execution_id()).len(), 3);
    let told = host.stderr().matches("log entries cannot be kept").count();
    assert!(told < 5, "{told} times");
}

/// The kept entries of the log that `host` has mounted, that these arguments ask for.
#[track_caller]
fn kept(state: &State, host: &Host, arguments: &str) -> Vec<Value> {
    let directory = state.seen_by(host);
    let read = state
        .command([
            "functions",
            "logs",
            "read",
            "--format=json",
            "--limit=1000",
            "--state-dir",
        ])
        .arg(directory)
        .args(arguments.split_whitespace())
        .run();
    assert_eq!(read.code, Some(0), "{read:?}");
    let entry = |line: &str| serde_json::from_str(line).expect("an entry is JSON");
    read.stdout.lines().map(entry).collect()
}

#[test]
fn a_full_disk_stops_nobody_is_counted_and_told_as_soon_as_there_is_room() {
    if !can_mount() {
        // The one above shows the same of a file that may not grow.
        eprintln!("SKIPPED: a_full_disk_…: no file system can be mounted here (try as root)");
        return;
    }
    let state = State::new();
    let host = state
        .serve_component("floods_log")
        .with_small_log_disk(&state, 1024)
        .start();
    let filler = state.seen_by(&host).join("logs/filler");
    fs::write(&filler, vec![b'x'; 700 * 1024]).unwrap();
    let first = host.get("/?lines=1&width=10");
    let lost = || host.metric(LOST);
    let begun = Instant::now();
    while lost() == 0.0 {
        assert_eq!(host.get("/?lines=50&width=100").status, 200);
        assert!(begun.elapsed() < tests::PATIENCE);
    }
    for _ in 0..50 {
        assert_eq!(host.get("/?lines=50&width=100").status, 200);
    }
    host.wait_for_stderr(|line| line.contains("log entries cannot be kept"));
    let before = lost();
    // Nobody calls any more, so that no other entry brings the news.
    fs::remove_file(filler).unwrap();
    wait_until("the log says what is missing from it", || {
        told(&kept(&state, &host, "--severity warning")) >= before
    });
    assert_eq!(told(&kept(&state, &host, "--severity warning")), lost());
    let last = host.get("/?lines=1&width=10");
    for reply in [first, last] {
        wait_until("its entries are kept", || {
            let of = format!("--execution-id {}", reply.execution_id());
            kept(&state, &host, &of).len() == 3
        });
    }
}

/// All lines that were written to the pipe at `path`, as they come.
fn drain(path: &Path) -> Arc<Mutex<Vec<Value>>> {
    let lines = Arc::<Mutex<Vec<Value>>>::default();
    let ours = Arc::clone(&lines);
    let pipe = File::open(path).expect("it is there");
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let entry = serde_json::from_str(&line.unwrap()).expect("whole lines of JSON");
            ours.lock().unwrap().push(entry);
        }
    });
    lines
}

#[test]
fn a_disk_that_stalls_stops_nobody_and_what_waits_for_it_is_bounded() {
    let state = State::new();
    let segment = state.make_log_directory().join("000000000001.jsonl");
    // A pipe in the place of the file takes 64 KiB, and then nothing until somebody reads.
    let made = Command::new("mkfifo").arg("-m600").arg(&segment).status();
    assert!(made.unwrap().success());
    state.deploy("loud", "floods_log", &[]);
    state.deploy("quiet", "prints", &[]);
    let host = state.serve().start();
    host.get("/loud?lines=1&width=10");
    host.get("/quiet?kind=none");
    let before = host.resident_memory();
    let lost = || host.metric(LOST);
    let mut calls = 0;
    // More than may wait.
    while lost() < 20_000.0 {
        let begun = Instant::now();
        assert_eq!(host.get("/loud?lines=1000&width=200").status, 200);
        assert!(begun.elapsed() < Duration::from_secs(2));
        calls += 1;
        assert!(calls < 500, "none is lost, or that is not counted");
    }
    let quiet = host.get("/quiet?kind=line");
    let grown = host.resident_memory().saturating_sub(before) / MIB;
    assert!(grown < 120, "{grown} MiB");
    let lost = lost();
    let written = drain(&segment);
    let count = |wanted: &dyn Fn(&Value) -> bool| {
        let written = written.lock().unwrap();
        written.iter().filter(|entry| wanted(entry)).count()
    };
    wait_until("the log says what is missing from it", || {
        told(&written.lock().unwrap()) >= lost
    });
    assert_eq!(told(&written.lock().unwrap()), lost);
    let of = |id: &str, entry: &Value| entry["labels"]["execution_id"] == id;
    assert_eq!(
        count(&|entry| of(quiet.execution_id(), entry)),
        3,
        "another function lost nothing"
    );
    let ends = count(&|entry| !entry["httpRequest"].is_null());
    assert_eq!(ends, calls + 3, "nor is the end of any execution lost");
    let later = host.get("/loud?lines=1&width=10");
    wait_until("writing goes on", || {
        count(&|entry| of(later.execution_id(), entry)) == 3
    });
}
