//! Logs other than that of the functions.

use super::*;
use crate::logs::{AUDIT_LOG, LogPlace, Payload, Written};
use serde_json::json;
use std::collections::BTreeMap;

fn written(log: &str, content: Content) -> Entry {
    let pairs = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let written = Written {
        place: LogPlace {
            log: log.into(),
            resource_type: "global".into(),
            resource_labels: pairs(&[("project_id", "p")]),
            source_location: json!({"file": "a.py", "line": "7"}).as_object().cloned(),
        },
        content,
        labels: pairs(&[("a", "b"), ("job_id", "nightly")]),
        trace: Some("projects/p/traces/x".into()),
        span_id: Some("b7".into()),
        insert_id: Some("i".into()),
    };
    Entry::written(None, Severity::Error, written).unwrap()
}

fn audit(summary: &str) -> Entry {
    let payload = json!({"methodName": "m", "deep": [{"a": 1}]});
    Entry::audit(
        summary.into(),
        Severity::Notice,
        payload.as_object().unwrap().clone(),
        "project".into(),
        BTreeMap::new(),
    )
}

fn in_log(log: &crate::logs::Log) -> Query {
    Query {
        log: log.clone(),
        ..all()
    }
}

#[test]
fn what_was_written_is_read_back() {
    let object = json!({"message": "hi", "n": 1}).as_object().cloned();
    for content in [
        Content::Text("two\nlines".into()),
        Content::Json(object.unwrap()),
    ] {
        let entry = written("my/log", content.clone());
        let log = Log::of([entry.clone()]);
        let query = in_log(&crate::logs::Log::All);
        let stored = read(&log.directory, &query).unwrap().entries.remove(0);
        let Payload::Written(written) = entry.payload else {
            panic!("not written");
        };
        assert_eq!(stored.place.as_ref(), Some(&written.place));
        assert_eq!((&*stored.function, stored.execution_id()), ("", None));
        assert_eq!(stored.labels, written.labels);
        assert_eq!(stored.trace, written.trace);
        assert_eq!(stored.span_id, written.span_id);
        assert_eq!(stored.insert_id, written.insert_id);
        assert_eq!(stored.severity, Severity::Error);
        assert_eq!(stored.message(), written.content.message());
        assert_eq!(stored.payload, content);
    }
}

#[test]
fn an_audit_entry_is_read_back_with_its_summary() {
    let log = Log::of([audit("a did m")]);
    let query = in_log(&crate::logs::Log::Other(AUDIT_LOG.into()));
    let stored = read(&log.directory, &query).unwrap().entries.remove(0);
    assert_eq!(stored.message(), "a did m");
    assert_eq!(stored.place.unwrap().resource_type, "project");
    let Content::Audit { proto_payload, .. } = stored.payload else {
        panic!("not an audit entry");
    };
    assert_eq!(proto_payload["deep"], json!([{"a": 1}]));
}

#[test]
fn a_log_is_read_only_when_it_is_asked_for() {
    use crate::logs::Log as In;
    let entries = (0..60).map(|n| match n % 3 {
        0 => printed("my-log", n, "function"),
        1 => written("my-log", Content::Text("client".into())),
        _ => audit("audit"),
    });
    let log = Log::of(entries);
    let found = |query: &Query| {
        let mut found = log.read(query);
        found.sort();
        found.dedup();
        found
    };
    assert_eq!(found(&all()), ["function"]);
    assert_eq!(found(&in_log(&In::Other("my-log".into()))), ["client"]);
    assert_eq!(found(&in_log(&In::Other(AUDIT_LOG.into()))), ["audit"]);
    assert_eq!(found(&in_log(&In::All)), ["audit", "client", "function"]);
    assert!(found(&in_log(&In::Other("my".into()))).is_empty());
    assert!(
        logged_functions(&log.directory)
            .unwrap()
            .iter()
            .eq(["my-log"])
    );
}

#[test]
fn no_entry_of_another_log_belongs_to_a_function() {
    let log = Log::of([
        printed("Hello", 0, "one"),
        printed("hello", 1, "two"),
        written("hello", Content::Text("client".into())),
    ]);
    let of = |function: &str| Query {
        function: Some(function.into()),
        ..in_log(&crate::logs::Log::All)
    };
    assert_eq!(log.read(&of("hello")), ["two"]);
    let query = Query {
        function_in_any_case: Some("HELLO".into()),
        ..in_log(&crate::logs::Log::All)
    };
    assert_eq!(log.read(&query), ["one", "two"]);
    let by_job = Query {
        job: Some("nightly".into()),
        ..all()
    };
    assert!(log.read(&by_job).is_empty());
}
