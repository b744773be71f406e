//! Lines of structured entries, as they are stored.

use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::entry::Content;
use crate::logs::entry::special_fields::{MAX_LINE, extract};
use crate::logs::forms::StoredEntry;
use crate::logs::forms::line_header::LineHeader;
use crate::logs::{Severity, Trace};
use crate::safe;
use host_sandbox::{Line, Stream};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

fn printed(text: &str) -> Entry {
    let line = Line {
        time: "2026-11-23T14:00:00Z".parse::<Timestamp>().unwrap().into(),
        stream: Stream::Stdout,
        text: text.into(),
        context: String::new(),
        remedy: None,
    };
    let mut entry = Entry::printed("hello".into(), ExecutionId::random(), line);
    entry.job = Some("nightly".into());
    entry
}

/// The line that is stored for a printed `text`.
fn stored(text: &str) -> Value {
    let entry = printed(text);
    let entry = extract(&entry).unwrap_or(entry);
    let mut line = Vec::new();
    JsonLines::new().line(&entry, &mut line);
    assert_eq!(memchr::memchr_iter(b'\n', &line).count(), 1);
    let header = LineHeader::parse(&line).unwrap();
    assert_eq!(header.execution, Some(entry.execution_id().as_bytes()));
    serde_json::from_slice(&line).unwrap()
}

#[test]
fn special_fields_are_extracted_and_the_rest_is_the_payload() {
    let value = stored(
        r#"{"severity":"NOTICE","message":"paid","order":{"id":7},"time":"2026-11-23T13:59:59.5Z",
            "logging.googleapis.com/labels":{"shop":"north","try":2},
            "logging.googleapis.com/trace":"projects/p/traces/0af7","logging.googleapis.com/spanId":"b7ad",
            "logging.googleapis.com/insertId":"mine"}"#
            .replace('\n', " ")
            .as_str(),
    );
    assert_eq!(value["severity"], "NOTICE");
    assert_eq!(value["timestamp"], "2026-11-23T13:59:59.500000000Z");
    assert_eq!(
        value["jsonPayload"],
        json!({"message": "paid", "order": {"id": 7}})
    );
    assert_eq!(value["labels"]["shop"], "north");
    assert_eq!(value["labels"]["try"], "2");
    assert_eq!(value["trace"], "projects/p/traces/0af7");
    assert_eq!(value["spanId"], "b7ad");
    assert_eq!(value["insertId"], "mine");
    assert_eq!(value.get("textPayload"), None);
}

#[test]
fn severities_are_names_in_any_case_or_numbers() {
    for (said, expected) in [
        (json!("error"), "ERROR"),
        (json!("WARN"), "WARNING"),
        (json!("fatal"), "CRITICAL"),
        (json!(400), "WARNING"),
        (json!("400"), "WARNING"),
        (json!(0), "DEFAULT"),
        (json!(250), "INFO"),
        (json!(u64::MAX), "EMERGENCY"),
    ] {
        let value = stored(&json!({"severity": said, "message": "m"}).to_string());
        assert_eq!(value["severity"], expected, "{said}");
        assert_eq!(value["jsonPayload"], json!({"message": "m"}));
    }
}

#[test]
fn an_unknown_severity_stays_in_the_payload_and_the_stream_decides() {
    for said in [json!("LOUD"), json!(-1), json!(1.5), json!(null), json!([])] {
        let value = stored(&json!({"severity": said}).to_string());
        assert_eq!(value["severity"], "INFO");
        assert_eq!(value["jsonPayload"]["severity"], said);
    }
}

#[test]
fn a_time_is_text_or_seconds_and_nanos() {
    let seconds = 1_795_442_399;
    for said in [
        json!({"time": "2026-11-23T14:59:59+01:00"}),
        json!({"timestamp": "2026-11-23T13:59:59Z"}),
        json!({"timestamp": {"seconds": seconds, "nanos": 0}}),
        json!({"timestamp": {"seconds": seconds}}),
    ] {
        let value = stored(&said.to_string());
        assert_eq!(value["timestamp"], "2026-11-23T13:59:59.000000000Z");
        assert_eq!(value["jsonPayload"], json!({}));
    }
}

#[test]
fn an_invalid_or_distant_time_stays_in_the_payload() {
    for said in [
        json!("1970-01-01T00:00:00Z"),
        json!("2026-11-25T14:00:00Z"),
        json!("soon"),
        json!({"seconds": i64::MAX}),
        json!({"seconds": 1, "nanos": "x"}),
        json!(5),
    ] {
        let value = stored(&json!({"time": said}).to_string());
        assert_eq!(value["timestamp"], "2026-11-23T14:00:00.000000000Z");
        assert_eq!(value["jsonPayload"]["time"], said);
    }
}

#[test]
fn the_hosts_labels_cannot_be_forged() {
    let entry = printed(
        r#"{"logging.googleapis.com/labels":{"execution_id":"forged","job_id":"forged","a":"b"},"labels":{"execution_id":"forged"}}"#,
    );
    let mut line = Vec::new();
    JsonLines::new().line(&extract(&entry).unwrap(), &mut line);
    let value: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(
        value["labels"],
        json!({"execution_id": entry.execution_id(), "job_id": "nightly", "a": "b"})
    );
    let text = String::from_utf8(line).unwrap();
    assert_eq!(text.matches("\"execution_id\":\"forged\"").count(), 1);
    assert_eq!(value["jsonPayload"]["labels"]["execution_id"], "forged");
}

#[test]
fn fields_named_like_those_of_an_entry_stay_in_the_payload() {
    let value =
        stored(r#"{"insertId":"x","resource":{"labels":{"function_name":"other"}},"trace":1}"#);
    assert_eq!(value["resource"]["labels"]["function_name"], "hello");
    assert_eq!(
        value["jsonPayload"]["resource"]["labels"]["function_name"],
        "other"
    );
    assert_ne!(value["insertId"], "x");
    assert_eq!(value.get("trace"), None);
}

#[test]
fn the_last_of_duplicate_keys_counts_and_is_written_once() {
    let value = stored(r#"{"severity":"INFO","severity":"ERROR","message":"a","message":"b"}"#);
    assert_eq!(value["severity"], "ERROR");
    assert_eq!(value["jsonPayload"], json!({"message": "b"}));
}

#[test]
fn a_line_that_is_not_an_object_within_the_limits_stays_text() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let array = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_LINE));
    for text in [
        "hello",
        "",
        "{",
        "{}{}",
        "[1]",
        "\"a\"",
        "{\"a\":1}\n{\"a\":2}",
        "{\"a\":1e999}",
        "{\"a\":\"\\ud800\"}",
        &nested(65),
        &nested(1000),
        &array,
        &long,
    ] {
        assert_eq!(stored(text)["textPayload"], text, "{text:.80}");
    }
    assert!(extract(&printed(&nested(64))).is_some());
}

#[test]
fn too_many_labels_and_names_too_long_stay_in_the_payload() {
    let many: Map<_, _> = (0..65).map(|n| (n.to_string(), json!("x"))).collect();
    let long = "x".repeat(513);
    let said = json!({
        "logging.googleapis.com/labels": many,
        "logging.googleapis.com/insertId": long,
        "logging.googleapis.com/trace": "",
        "logging.googleapis.com/spanId": 5,
    });
    assert_eq!(stored(&said.to_string())["jsonPayload"], said);
}

#[test]
fn all_control_characters_of_a_payload_are_escaped() {
    let said = json!({"message": "\u{9b}31m\u{202e}\0\n", "\u{9b}key": {"x": ["\u{2028}"]}});
    let entry = extract(&printed(&said.to_string())).unwrap();
    let mut line = Vec::new();
    JsonLines::new().line(&entry, &mut line);
    let text = std::str::from_utf8(&line).unwrap().trim_end_matches('\n');
    assert!(!text.chars().any(safe::is_harmful));
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["jsonPayload"], said);
}

#[test]
fn the_deepest_payload_can_be_read_back() {
    let deepest = format!("{}1{}", "{\"a\":".repeat(64), "}".repeat(64));
    assert!(stored(&deepest)["jsonPayload"]["a"].is_object());
}

#[test]
fn only_lines_that_a_guest_printed_are_parsed() {
    let note = Entry::note("f".into(), None, Severity::Info, "{\"a\":1}".into());
    assert!(extract(&note).is_none());
}

#[test]
fn a_table_shows_the_message_or_the_payload() {
    let shown = |text: &str| extract(&printed(text)).unwrap().payload.to_string();
    assert_eq!(shown(r#"{"message":"hi","a":1}"#), "hi");
    assert_eq!(
        shown(r#"{"message":1,"severity":"INFO"}"#),
        r#"{"message":1}"#
    );
}

#[test]
fn a_span_without_a_trace_belongs_to_the_trace_of_the_execution() {
    let said = |text: &str| {
        let mut entry = printed(text);
        entry.trace = Some(Trace {
            trace_id: [0xab; 16],
            span_id: [1; 8],
        });
        let mut line = Vec::new();
        JsonLines::new().line(&extract(&entry).unwrap(), &mut line);
        let value: Value = serde_json::from_slice(&line).unwrap();
        (value["trace"].clone(), value["spanId"].clone())
    };
    let span = r#""logging.googleapis.com/spanId":"b7ad""#;
    let trace = r#""logging.googleapis.com/trace":"0af7""#;
    let (own, own_span) = (json!("ab".repeat(16)), json!("01".repeat(8)));
    assert_eq!(said("{}"), (own.clone(), own_span));
    assert_eq!(said(&format!("{{{span}}}")), (own, json!("b7ad")));
    assert_eq!(said(&format!("{{{trace}}}")), (json!("0af7"), Value::Null));
    assert_eq!(
        said(&format!("{{{trace},{span}}}")),
        (json!("0af7"), json!("b7ad"))
    );
}

#[test]
fn a_key_that_is_special_to_the_parser_is_an_ordinary_key() {
    const RAW: &str = "$serde_json::private::RawValue";
    for payload in [
        json!({RAW: "{\"a\":1}"}),
        json!({"a": {RAW: 5}}),
        json!({"a": {"b": 1, RAW: 5}}),
        json!({"a": [{RAW: "{}"}]}),
    ] {
        let text = payload.to_string();
        for said in [text.clone(), text.replace('$', "\\u0024")] {
            let mut line = Vec::new();
            let entry = extract(&printed(&said)).expect("it is an object");
            JsonLines::new().line(&entry, &mut line);
            let record = StoredEntry::parse(line.trim_ascii_end()).expect("it is read back");
            let expected = payload.as_object().unwrap().clone();
            assert_eq!(record.payload, Content::Json(expected), "{said}");
            assert!(record.line.contains(&text), "{}", record.line);
        }
    }
}
