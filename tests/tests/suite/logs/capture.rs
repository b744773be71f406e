//! What becomes of what an execution prints.

use std::thread;

use serde_json::Value;
use tests::{Host, Reply, Signal};

fn prints() -> Host {
    Host::serve("prints").start()
}

/// Level and text of each line that the guest prints for `kind`.
#[track_caller]
fn printed(host: &Host, kind: &str) -> Vec<(String, String)> {
    let reply = host.get(&format!("/?kind={kind}"));
    assert_eq!((reply.status, reply.text()), (200, "printed\n"), "{kind}");
    host.printed_by(&reply)
}

#[track_caller]
fn assert_prints(kind: &str, expected: &[(&str, &str)]) {
    let printed = printed(&prints(), kind);
    let printed: Vec<_> = printed
        .iter()
        .map(|(level, text)| (&**level, &**text))
        .collect();
    assert_eq!(printed, expected);
}

/// That `text` can be shown on a terminal without the terminal obeying it.
#[track_caller]
fn assert_harmless(text: &str) {
    let controls: Vec<char> = text.chars().filter(|c| c.is_control()).collect();
    assert!(controls.is_empty(), "{controls:?} in {text:?}");
}

/// Whether `time` has the form of `2026-11-23 14:00:00.123`.
fn is_time(time: &str) -> bool {
    let form = "0000-00-00 00:00:00.000";
    time.len() == form.len()
        && time.chars().zip(form.chars()).all(|(c, like)| {
            if like == '0' {
                c.is_ascii_digit()
            } else {
                c == like
            }
        })
}

#[test]
fn each_execution_has_a_start_what_it_printed_and_a_finish_in_the_tables_form() {
    let host = prints();
    let reply = host.get("/?kind=line");
    let rows = host.entries_of(&reply);
    assert_eq!(
        host.log().first().map(String::as_str),
        Some("LEVEL  NAME    EXECUTION_ID  TIME_UTC                 LOG")
    );
    let [start, line, finish] = rows.as_slice() else {
        panic!("three entries: {rows:#?}");
    };
    assert_eq!(
        (&*start.level, &*start.text),
        ("D", "Function execution started")
    );
    assert_eq!((&*line.level, &*line.text), ("I", "a line"));
    assert_eq!(finish.level, "D");
    let took = finish
        .text
        .strip_prefix("Function execution took ")
        .and_then(|rest| rest.strip_suffix(" ms, finished with status code: 200"));
    assert!(
        took.is_some_and(|took| took.parse::<u64>().is_ok()),
        "{}",
        finish.text
    );
    for row in &rows {
        assert_eq!(row.name, "prints");
        assert_eq!(row.execution_id, reply.execution_id());
        assert!(is_time(&row.time), "{}", row.time);
    }
    assert!(
        start.time <= line.time && line.time <= finish.time,
        "{rows:#?}"
    );
}

#[test]
fn an_execution_id_has_twelve_small_letters_and_digits() {
    let host = prints();
    let reply = host.get("/?kind=none");
    let id = reply.execution_id();
    assert_eq!(id.len(), 12);
    assert!(
        id.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
        "{id}"
    );
    assert_ne!(host.get("/?kind=none").execution_id(), id);
}

#[test]
fn the_functions_name_can_be_set() {
    let host = Host::serve("prints").arg("--name=hello_world").start();
    let reply = host.get("/?kind=line");
    assert!(
        host.entries_of(&reply)
            .iter()
            .all(|row| row.name == "hello_world")
    );
}

#[test]
fn the_status_that_the_function_chose_is_in_the_finish_entry() {
    let host = Host::serve("hello").start();
    let reply = host.post("/", "no JSON");
    assert_eq!(
        (reply.status, &*host.finish_of(&reply)),
        (400, "status code: 400")
    );
}

#[test]
fn stdout_is_info_stderr_is_error_and_their_order_is_kept() {
    assert_prints(
        "interleaved",
        &[
            ("I", "out 1"),
            ("E", "err 1"),
            ("I", "out 2"),
            ("E", "err 2"),
        ],
    );
}

#[test]
fn a_line_may_be_printed_in_pieces() {
    assert_prints("pieces", &[("I", "in three pieces")]);
}

#[test]
fn a_last_line_without_a_line_feed_is_kept() {
    assert_prints(
        "partial",
        &[("I", "a line"), ("I", "no line feed at its end")],
    );
}

#[test]
fn empty_lines_are_lines() {
    assert_prints(
        "empty",
        &[
            ("I", ""),
            ("I", ""),
            ("I", "after two empty lines"),
            ("I", ""),
        ],
    );
}

#[test]
fn a_carriage_return_belongs_to_the_line_end_and_elsewhere_is_shown() {
    assert_prints(
        "crlf",
        &[("I", "one"), ("I", "two"), ("I", r"three\rstill three")],
    );
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    let printed = printed(&prints(), "not-utf-8");
    let [(_, text)] = printed.as_slice() else {
        panic!("one line: {printed:?}");
    };
    let replaced = text
        .strip_prefix("before ")
        .and_then(|rest| rest.strip_suffix(" after"));
    assert!(
        replaced.is_some_and(|bytes| !bytes.is_empty() && bytes.chars().all(|c| c == '\u{fffd}')),
        "{text:?}"
    );
}

#[test]
fn a_long_line_is_cut_at_16_kib_and_says_so() {
    let printed = printed(&prints(), "long");
    let [(_, text)] = printed.as_slice() else {
        panic!("one line: {} lines", printed.len());
    };
    let kept = 16 * 1024;
    assert_eq!(text.find(|c| c != 'x'), Some(kept));
    assert_eq!(
        &text[kept..],
        format!(" … [{} bytes cut]", 100 * 1024 - kept)
    );
}

#[test]
fn nothing_that_a_guest_prints_can_command_the_terminal() {
    let host = prints();
    for kind in ["escapes", "not-utf-8", "crlf", "empty", "structured"] {
        printed(&host, kind);
    }
    assert_prints(
        "escapes",
        &[(
            "I",
            r"\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 back\x08 null\x00 c1\u{9b}2J",
        )],
    );
    for line in host.log() {
        assert_harmless(&line);
    }
}

#[test]
fn json_commands_no_terminal_either_and_keeps_what_was_printed() {
    let host = Host::serve("prints").arg("--log-format=json").start();
    let reply = host.get("/?kind=escapes");
    let entries = json_entries(&host, &reply);
    assert_eq!(
        entries[1]["textPayload"],
        "\x1b[31mred\x1b[0m \x1b]0;title\x07 bell\x07 back\x08 null\0 c1\u{9b}2J"
    );
    for line in host.log() {
        assert_harmless(&line);
    }
}

/// The JSON entries of the execution behind `reply`; each line on stdout must be one.
#[track_caller]
fn json_entries(host: &Host, reply: &Reply) -> Vec<Value> {
    let id = reply.execution_id();
    host.wait_for_log(|line| line.contains(id) && line.contains("Function execution took"));
    let entries = host
        .log()
        .into_iter()
        .map(|line| match serde_json::from_str(&line) {
            Ok(value) => value,
            Err(error) => panic!("not JSON: {error}: {line}"),
        });
    entries
        .filter(|entry: &Value| entry["labels"]["execution_id"] == id)
        .collect()
}

#[test]
fn as_json_each_entry_is_an_object_on_a_line() {
    let host = Host::serve("prints")
        .args(["--log-format=json", "--name=hello_world"])
        .start();
    let reply = host.get("/?kind=interleaved");
    let entries = json_entries(&host, &reply);
    let said: Vec<_> = entries
        .iter()
        .map(|entry| (entry["severity"].as_str(), entry["textPayload"].as_str()))
        .collect();
    assert_eq!(
        said[..5],
        [
            (Some("DEBUG"), Some("Function execution started")),
            (Some("INFO"), Some("out 1")),
            (Some("ERROR"), Some("err 1")),
            (Some("INFO"), Some("out 2")),
            (Some("ERROR"), Some("err 2")),
        ]
    );
    let finish = entries[5]["textPayload"].as_str().unwrap_or_default();
    assert!(
        finish.ends_with(" ms, finished with status code: 200"),
        "{finish}"
    );
    for entry in &entries {
        assert_eq!(entry["resource"]["labels"]["function_name"], "hello_world");
        let time = entry["timestamp"].as_str().unwrap_or_default();
        // RFC 3339, in UTC.
        assert!(
            time.len() >= 24 && time.as_bytes()[10] == b'T' && time.ends_with('Z'),
            "{time}"
        );
        assert!(is_time(&time[..23].replace('T', " ")), "{time}");
    }
}

#[test]
fn a_backtrace_is_one_entry_of_several_lines_in_the_table_and_one_line_as_json() {
    let host = Host::serve("recurses").start();
    let reply = host.get("/");
    let [(level, reason)] = host
        .printed_by(&reply)
        .try_into()
        .expect("the host says why");
    assert_eq!(level, "E");
    assert!(reason.lines().count() > 2, "{reason}");
    assert!(reason.contains("wasm backtrace:\n    0: "), "{reason}");

    let host = Host::serve("recurses").arg("--log-format=json").start();
    let reply = host.get("/");
    let entries = json_entries(&host, &reply);
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[1]["severity"], "ERROR");
    let reason = entries[1]["textPayload"].as_str().unwrap_or_default();
    assert!(
        reason.contains("\n    0: ") && reason.contains("recurses::descend"),
        "{reason}"
    );
}

#[test]
fn executions_at_once_do_not_mix() {
    let host = prints();
    let replies: Vec<Reply> = thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let call = || {
                    (0..10)
                        .map(|_| host.get("/?kind=interleaved"))
                        .collect::<Vec<_>>()
                };
                scope.spawn(call)
            })
            .collect();
        callers
            .into_iter()
            .flat_map(|caller| caller.join().expect("each call is answered"))
            .collect()
    });
    for reply in &replies {
        let lines: Vec<_> = host
            .printed_by(reply)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(lines, ["out 1", "err 1", "out 2", "err 2"]);
    }
    assert_eq!(replies.len(), 40);
}

#[test]
fn lines_are_shown_while_the_execution_still_runs() {
    let host = Host::serve("floods_log").start();
    let mut wire = host.connect();
    wire.send("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    host.wait_for_log(|line| line.ends_with("xxx1"));
    assert!(
        !host
            .log()
            .iter()
            .any(|line| line.contains("Function execution took"))
    );
}

#[test]
fn all_that_was_printed_is_written_before_the_host_ends() {
    let host = prints();
    let reply = host.get("/?kind=line");
    host.signal(Signal::Term);
    assert!(host.wait(tests::PATIENCE).success());
    assert_eq!(host.entries_of(&reply).len(), 3);
}

#[test]
fn stdout_has_log_entries_and_nothing_else() {
    let host = prints();
    let reply = host.get("/?kind=line");
    host.entries_of(&reply);
    assert_eq!(host.log().len(), 4, "a header and three entries");
    assert!(host.stderr().contains("Function prints: http://"));
}
