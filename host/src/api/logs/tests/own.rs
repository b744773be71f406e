//! What `host logs read` sends.

use super::*;
use crate::logs::{AUDIT_LOG, StoredEntry};

fn read(host: &Host, criteria: &Value) -> Result<Found, Status> {
    let answer = host.call("POST /host/v1/logs:read", &criteria.to_string())?;
    Ok(serde_json::from_value(answer).unwrap())
}

fn messages(lines: &[String]) -> Vec<String> {
    let entries = lines
        .iter()
        .map(|line| StoredEntry::parse(line.as_bytes()).unwrap());
    entries.map(|entry| entry.message().into_owned()).collect()
}

#[test]
fn entries_are_found_by_criteria_and_by_a_filter() {
    let host = Host::new();
    host.print("f", ["one".to_owned(), "two".to_owned()]);
    host.print("g", ["three".to_owned()]);
    host.write(&request(
        json!([{ "textPayload": "four", "severity": "ERROR" }]),
    ))
    .unwrap();
    for (criteria, expected) in [
        (json!({}), &["one", "two", "three"][..]),
        (json!({ "function": "f" }), &["one", "two"]),
        (
            json!({ "contains": "o", "newestFirst": true, "limit": 1 }),
            &["two"],
        ),
        (json!({ "log": "my-log" }), &["four"]),
        (json!({ "log": "-", "minSeverity": "ERROR" }), &["four"]),
        (
            json!({ "log": "-", "filter": "severity<ERROR textPayload:t" }),
            &["two", "three"],
        ),
        (
            json!({ "filter": "resource.labels.function_name=g" }),
            &["three"],
        ),
        (
            json!({ "log": "cloudaudit.googleapis.com%2Factivity" }),
            &[],
        ),
        (
            json!({ "project": "-", "location": "local", "endTime": "2020-01-01T00:00:00Z" }),
            &[],
        ),
    ] {
        let found = read(&host, &criteria).unwrap();
        assert_eq!(messages(&found.lines), expected, "{criteria}");
        assert_eq!((found.count, found.is_cut), (expected.len(), false));
    }
    let near = read(&host, &json!({ "function": "h" })).unwrap();
    assert!(near.hint.unwrap().starts_with("No entry is kept of `h`"));
}

#[test]
fn criteria_that_make_no_sense_are_refused() {
    let host = Host::new();
    for (criteria, word) in [
        (json!({ "colour": "red" }), "colour"),
        (json!({ "limit": 0 }), "1 to 1000"),
        (json!({ "limit": 1001 }), "1 to 1000"),
        (json!({ "severity": "error" }), "DEFAULT, DEBUG"),
        (json!({ "startTime": "now" }), "2026-11-23T14:00:00Z"),
        (json!({ "regex": "(" }), "not a regular expression"),
        (json!({ "filter": "a=" }), "the filter is invalid"),
        (json!({ "project": "other" }), "`p`, and not `other`"),
        (json!({ "location": "other" }), "`local`, and not `other`"),
    ] {
        let error = read(&host, &criteria).unwrap_err();
        assert!(error.message.contains(word), "{criteria}: {error}");
    }
}

#[test]
fn an_answer_is_cut_before_it_is_too_large() {
    let host = Host::new();
    let large = json!({ "textPayload": "x".repeat(250_000) });
    for _ in 0..9 {
        host.write(&request(vec![large.clone(); 8].into())).unwrap();
    }
    let found = read(&host, &json!({ "log": "-", "limit": 1000 })).unwrap();
    assert!(found.is_cut);
    assert!(
        (60..72).contains(&found.lines.len()),
        "{}",
        found.lines.len()
    );
    assert_eq!(found.count, found.lines.len());
}

/// The lines of an answer that goes on, as they come.
struct Tail {
    stream: Stream,
    text: Vec<u8>,
}

impl Tail {
    fn begin(host: &Host, criteria: &Value) -> Result<Self, Status> {
        let reply = host.as_principal(
            Principal::Owner,
            "POST /host/v1/logs:tail",
            &criteria.to_string(),
        )?;
        let Reply::Stream(stream) = reply else {
            panic!("not a stream");
        };
        Ok(Self {
            stream,
            text: Vec::new(),
        })
    }

    fn line(&mut self) -> Vec<u8> {
        loop {
            if let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
                let rest = self.text.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.text, rest);
                line.pop();
                return line;
            }
            let part = self.stream.parts.blocking_recv().unwrap();
            self.text.extend_from_slice(&part);
        }
    }

    fn message(&mut self) -> String {
        let entry = StoredEntry::parse(&self.line()).unwrap();
        entry.message().into_owned()
    }
}

#[test]
fn an_answer_goes_on_with_new_entries() {
    let host = Host::new();
    host.print("f", ["one".to_owned(), "two".to_owned()]);
    let mut tail = Tail::begin(&host, &json!({ "filter": "textPayload:o" })).unwrap();
    let found: Found = serde_json::from_slice(&tail.line()).unwrap();
    assert_eq!((found.count, found.lines.len()), (2, 0));
    assert_eq!(
        (tail.message(), tail.message()),
        ("one".into(), "two".into())
    );
    host.print("f", ["three".to_owned(), "four".to_owned()]);
    assert_eq!(tail.message(), "four");
}

#[test]
fn so_many_answers_go_on_and_no_more_until_one_ends() {
    let host = Host::new();
    let mut tails: Vec<_> = (0..32)
        .map(|_| Tail::begin(&host, &json!({})).unwrap())
        .collect();
    let error = Tail::begin(&host, &json!({})).map(drop).unwrap_err();
    assert_eq!(error.code, Code::ResourceExhausted);
    tails.pop();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while Tail::begin(&host, &json!({})).is_err() {
        assert!(
            std::time::Instant::now() < until,
            "the place is not given back"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn the_log_of_audit_entries_is_found_by_its_id() {
    let host = Host::new();
    host.user(&[], "GET /v2/projects/p/logs", &json!({}))
        .unwrap_err();
    let found = read(&host, &json!({ "log": AUDIT_LOG })).unwrap();
    let text = &messages(&found.lines)[0];
    assert!(
        text.starts_with("user:ada@example.com ListLogs projects/p: PERMISSION_DENIED: "),
        "{text}"
    );
}
