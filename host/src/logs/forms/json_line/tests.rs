use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::{Logged, Origin, Severity, Trace};
use crate::safe;
use host_sandbox::{Line, Stream};
use serde_json::{Value, json};
use std::time::Duration;

fn render(entries: &[Entry]) -> Vec<String> {
    let mut lines = JsonLines::new();
    let mut out = Vec::new();
    for entry in entries {
        lines.line(entry, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn printed(text: &str) -> Entry {
    let line = Line {
        time: UNIX_EPOCH + Duration::from_nanos(1_795_442_400_123_456_789),
        stream: Stream::Stderr,
        text: text.into(),
        context: String::new(),
        remedy: None,
    };
    Entry::printed("hello".into(), ExecutionId::random(), line)
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn fields_are_named_as_in_cloud_logging() {
    let entry = printed("oops");
    let mut value = parse(&render(std::slice::from_ref(&entry))[0]);
    let id = value.as_object_mut().unwrap().remove("insertId");
    assert_eq!(id.unwrap().as_str().unwrap().len(), 32);
    assert_eq!(
        value,
        json!({
            "timestamp": "2026-11-23T14:00:00.123456789Z",
            "severity": "ERROR",
            "textPayload": "oops",
            "labels": {"execution_id": entry.execution_id()},
            "resource": {"type": "cloud_function", "labels": {"function_name": "hello"}},
        })
    );
}

#[test]
fn a_logged_message_is_text_with_its_context_as_a_label() {
    let said = |context: &str| {
        let mut entry = printed("");
        let logged = Logged {
            text: "{\"severity\":\"INFO\"}\nand more".into(),
            context: context.into(),
        };
        entry.payload = Payload::Logged(Box::new(logged));
        parse(&render(&[entry])[0])
    };
    let value = said("a \"context\"");
    assert_eq!(value["textPayload"], "{\"severity\":\"INFO\"}\nand more");
    assert_eq!(value["labels"]["context"], "a \"context\"");
    assert_eq!(value["severity"], "ERROR");
    assert_eq!(said("")["labels"].get("context"), None);
}

#[test]
fn an_entry_without_an_execution_has_no_labels() {
    let note = Entry::note("hello".into(), None, Severity::Warning, "full".into());
    assert_eq!(parse(&render(&[note])[0]).get("labels"), None);
}

#[test]
fn messages_of_the_host_are_valid_json() {
    let (took, status) = (Duration::ZERO, FinishStatus::Word("out of memory"));
    let entry = Entry::finished("hello".into(), ExecutionId::random(), took, status);
    assert_eq!(
        parse(&render(&[entry])[0])["textPayload"],
        "Function execution took 0 ms, finished with status: 'out of memory'"
    );
}

#[test]
fn the_end_of_an_execution_has_status_and_latency() {
    let took = Duration::from_micros(1_004_700);
    let finished = |status| Entry::finished("f".into(), ExecutionId::random(), took, status);
    let request = |status| parse(&render(&[finished(status)])[0])["httpRequest"].clone();
    assert_eq!(
        request(FinishStatus::Code(503)),
        json!({"status": 503, "latency": "1.004700000s"})
    );
    assert_eq!(
        request(FinishStatus::Word("timeout")),
        json!({"latency": "1.004700000s"})
    );
}

#[test]
fn the_end_of_an_execution_and_a_refusal_have_caller_and_client() {
    let origin = Origin {
        caller: Some("principal:https://a.example#ada\u{1b}[2J".into()),
        client: Some([192, 0, 2, 1].into()),
    };
    let (took, status) = (Duration::ZERO, FinishStatus::Code(200));
    let finished = Entry::finished("f".into(), ExecutionId::random(), took, status);
    let lines = render(&[
        finished.from_origin(origin.clone()),
        Entry::note("f".into(), None, Severity::Warning, "no".into()).from_origin(Origin {
            caller: None,
            ..origin
        }),
    ]);
    assert!(!lines[0].contains('\u{1b}'));
    let [finished, refused] = [parse(&lines[0]), parse(&lines[1])];
    assert_eq!(
        finished["labels"]["caller"],
        "principal:https://a.example#ada\u{1b}[2J"
    );
    assert_eq!(
        finished["httpRequest"],
        json!({"status": 200, "latency": "0.000000000s", "remoteIp": "192.0.2.1"})
    );
    assert_eq!(refused["httpRequest"], json!({"remoteIp": "192.0.2.1"}));
}

#[test]
fn entries_have_the_trace_and_the_job_of_their_execution() {
    let mut entry = printed("hi");
    entry.job = Some("nightly".into());
    entry.trace = Some(Trace {
        trace_id: [0xab; 16],
        span_id: [1; 8],
    });
    let value = parse(&render(std::slice::from_ref(&entry))[0]);
    assert_eq!(value["trace"], "ab".repeat(16));
    assert_eq!(value["spanId"], "01".repeat(8));
    assert_eq!(
        value["labels"],
        json!({"execution_id": entry.execution_id(), "job_id": "nightly"})
    );
}

#[test]
fn insert_ids_differ_and_sort_as_the_entries_were_written() {
    let entries: Vec<_> = (0..300).map(|_| printed("")).collect();
    let lines = render(&entries);
    let ids: Vec<_> = lines
        .iter()
        .map(|line| parse(line)["insertId"].to_string())
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
}

#[test]
fn any_text_is_one_line_with_all_control_characters_escaped() {
    let every_control = ('\0'..' ').chain('\x7f'..='\u{9f}').collect::<String>();
    for odd in [
        "quote\" back\\ \x1b[31m \u{9b}31m \u{202e}\u{2028} \x7f 世界 🎉 \n end",
        &every_control,
        &"\x1b\u{85}ä".repeat(100 * 1024),
    ] {
        let lines = render(&[printed(odd)]);
        assert_eq!(lines.len(), 1);
        assert_eq!(parse(&lines[0])["textPayload"], odd);
        assert!(!lines[0].chars().any(safe::is_harmful));
    }
}
