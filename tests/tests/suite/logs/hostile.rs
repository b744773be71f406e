//! What a guest can print: none of it harms the terminal, the store, another function's log, or who reads the log.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tests::{Host, MIB, PATIENCE, Reply, Signal, State};

/// A key that a parser of JSON gives a meaning.
const MAGIC: &str = "$serde_json::private::RawValue";

fn end(host: &Host, signal: Signal) {
    host.signal(signal);
    host.wait(PATIENCE);
}

/// Has `prints` print `text`.
#[track_caller]
fn print(host: &Host, text: &str) -> Reply {
    let reply = host.post("/?kind=body", format!("{text}\n"));
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
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
fn a_key_that_a_parser_gives_a_meaning_is_kept_and_read_like_any_other() {
    let state = State::new();
    let host = state.serve_component("prints").start();
    for text in [
        format!("{{\"{MAGIC}\":\"{{}}\"}}"),
        format!("{{\"a\":{{\"{MAGIC}\":5}}}}"),
        format!("{{\"a\":{{\"b\":1,\"{MAGIC}\":5}}}}"),
    ] {
        let reply = print(&host, &text);
        let id = reply.execution_id();
        host.wait_for_log(|line| line.contains(id) && line.contains("execution took"));
        // Read as text: the parser in here gives the key a meaning as well, perhaps.
        let read = state.read_log(&format!("--format json --execution-id {id}"));
        assert_eq!(read.stderr, "", "{text}");
        assert_eq!(read.stdout.lines().count(), 3, "{read:?}");
        assert!(read.stdout.contains(MAGIC), "{read:?}");
        let found = state.read_log(&format!("--execution-id {id} --trace {}", "0".repeat(32)));
        assert_eq!(found.stderr, "Listed 0 items.\n");
        for format in ["table", "logfmt"] {
            let shown = state.read_log(&format!("--format {format} --execution-id {id}"));
            assert!(
                shown.stdout.contains(MAGIC.trim_start_matches('$')),
                "{shown:?}"
            );
        }
    }
    let all = state.read_log("--limit 1000");
    assert_eq!((all.stdout.lines().count(), all.stderr.as_str()), (10, ""));
}

#[test]
fn an_entry_that_cannot_be_read_is_told_once_and_hides_no_other() {
    let state = State::new();
    let host = state.serve_component("prints").start();
    let first = print(&host, "first");
    state.kept_of(first.execution_id());
    end(&host, Signal::Kill);
    let current = state.log_directory().join("current");
    let text = std::fs::read_to_string(&current).unwrap();
    let head = &text[..text.find("\"insertId\"").unwrap()];
    let damaged = format!("{text}\0\0\0\0\n{head}\nno entry\n");
    std::fs::write(&current, damaged).unwrap();
    let host = state.serve_component("prints").start();
    let second = print(&host, "second");
    let warning = "warning: 3 log entries could not be read and are left out\n";
    host.wait_for_log(|line| {
        line.contains(second.execution_id()) && line.contains("execution took")
    });
    let read = state.read_log("");
    assert_eq!(read.stdout.lines().count(), 7);
    let directory = state.log_directory();
    let named = format!(
        "They are in 000000000001.jsonl of {}.\n",
        directory.display()
    );
    assert_eq!(read.stderr, format!("{warning}{named}"));
    let following = state.follow_log("");
    following.wait_for_log(|line| line.ends_with("second"));
    let third = print(&host, "third");
    following.wait_for_log(|line| {
        line.contains(third.execution_id()) && line.contains("execution took")
    });
    following.signal(Signal::Int);
    assert_eq!(following.wait(PATIENCE).code(), Some(0));
    assert_eq!(following.stderr(), format!("{warning}{named}").trim_end());
    assert_eq!(following.log().len(), 1 + 9);
}

#[test]
fn no_guest_forges_a_pair_of_logfmt() {
    let state = State::new();
    let host = state.serve_component("prints").start();
    let reply = print(
        &host,
        r#"{"message":"x level=ERROR","level":"ERROR","a function":"b","logging.googleapis.com/labels":{"execution_id":"aaaaaaaaaaaa","job_id":"nightly","severity":"ERROR","msg":"no","x=y level":"ERROR"}}"#,
    );
    let id = reply.execution_id();
    state.kept_of(id);
    let shown = state.read_log(&format!(
        "--format logfmt --contains level=ERROR --execution-id {id}"
    ));
    let line = shown.stdout.trim_end();
    let rest = line.split_once(" level=INFO function=prints ");
    let (time, rest) = rest.unwrap_or_else(|| panic!("{line}"));
    assert!(time.starts_with("time=20") && !time.contains(' '), "{line}");
    let (labels, rest) = rest.split_once(" trace=").unwrap();
    assert_eq!(
        labels,
        format!("execution_id={id} labels.msg=no labels.severity=ERROR labels.x_y_level=ERROR")
    );
    assert!(
        rest.ends_with(" msg=\"x level=ERROR\" payload.a_function=b payload.level=ERROR"),
        "{line}"
    );
}

#[test]
fn wide_and_odd_characters_leave_the_columns_where_they_are() {
    let state = State::new();
    let name = "函数-e\u{301}";
    let host = state
        .serve_component("prints")
        .args(["--name", name])
        .start();
    let reply = print(&host, "{\"message\":\"世界 \u{202e}x\"}");
    state.kept_of(reply.execution_id());
    let table = state.read_log("");
    let lines: Vec<_> = table.stdout.lines().collect();
    // Two wide characters, a dash, and a letter whose accent takes no place of its own.
    assert_eq!(
        lines[0],
        "LEVEL  NAME    EXECUTION_ID  TIME_UTC                 LOG"
    );
    for line in &lines[1..] {
        let (before, _) = line.split_once(reply.execution_id()).unwrap();
        assert_eq!(before[5..].trim_start().trim_end(), name, "{line}");
        assert!(before.ends_with("  ") && !before.ends_with("   "), "{line}");
    }
    assert!(lines[2].ends_with("  世界 \\u{202e}x"), "{}", lines[2]);
}

/// What each call of the loud function prints, in MiB and in blocks of 64 KiB.
const PRINTED: u64 = 4;
const BLOCKS: u64 = PRINTED * 16;

#[test]
fn a_function_that_prints_all_that_it_can_leaves_the_log_of_another_whole() {
    let state = State::new();
    state.deploy("loud", "floods_log", &["--log-limit=1Gi"]);
    state.deploy("quiet", "prints", &[]);
    // Whoever reads stdout has the same to do, and would take the host's time.
    let host = state.serve().in_shell("", ">/dev/null").start();
    host.get("/loud?lines=256&width=1000");
    host.get("/quiet?kind=line");
    let before = host.resident_memory();
    let (printed, quiet) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let is_going_on = || {
        let is_enough = printed.load(Ordering::Relaxed) >= 256;
        !is_enough || quiet.lock().unwrap().len() < 50
    };
    let most = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while is_going_on() {
                    let reply = host.get(&format!("/loud?blocks={BLOCKS}"));
                    assert_eq!(reply.status, 200, "{reply:?}");
                    printed.fetch_add(PRINTED, Ordering::Relaxed);
                }
            });
        }
        let mut most = 0;
        while is_going_on() {
            let reply = host.get("/quiet?kind=line");
            quiet.lock().unwrap().push(reply.execution_id().to_owned());
            most = most.max(host.resident_memory());
        }
        most
    });
    // What waits is bounded, on the way to the disk and on that to stdout, and so is what executions hold.
    let grown = most.saturating_sub(before) / MIB;
    assert!(grown < 250, "{grown} MiB");
    end(&host, Signal::Term);
    let quiet = quiet.into_inner().unwrap();
    for id in quiet.iter().step_by(quiet.len().div_ceil(50)) {
        let kept = state.kept(&format!("quiet --execution-id {id}"));
        assert_eq!(kept.len(), 3, "{id}");
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

#[test]
fn requests_that_are_refused_do_not_flush_the_log() {
    const REQUESTS: usize = 300;
    let state = State::new();
    state.deploy("private", "hello", &[]);
    state.update("private", &["--no-allow-unauthenticated"]);
    let host = state.serve().arg("--workers=2").start();
    for (path, status) in [("private", 401), ("nowhere", 404)] {
        let mut wire = host.connect();
        let request = format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n");
        wire.send(request.repeat(REQUESTS));
        for _ in 0..REQUESTS {
            assert_eq!(wire.read_reply().status, status);
        }
    }
    end(&host, Signal::Term);
    for function in ["private", "host"] {
        let texts = state.kept_texts(&format!("{function} --limit 1000"));
        let single = |text: &&String| text.starts_with("Request refused with status code");
        let entries = texts.iter().filter(single).count();
        let counts = texts.iter().filter(|text| text.contains("more request"));
        let counted: usize = counts
            .filter_map(|text| text.split(' ').nth(2)?.parse::<usize>().ok())
            .sum();
        assert_eq!(entries + counted, REQUESTS, "{texts:#?}");
        assert!(counted > 0, "{texts:#?}");
    }
}
