//! What is found, in segments of every kind.

mod following;
mod racing;

use super::*;
use crate::function::{ExecutionId, Line, Stream};
use crate::logs::entry::{Entry, FinishStatus, Trace};
use crate::logs::json::JsonLines;
use crate::logs::scratch::Scratch;
use crate::logs::segments::{Keeping, SegmentWriter};
use crate::logs::structured;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

/// A log in the making: a segment for every few lines.
struct Log {
    directory: Scratch,
    writer: Option<SegmentWriter>,
    lines: JsonLines,
}

const KEEPING: Keeping = Keeping {
    segment_bytes: 3_000,
    segment_age: Duration::from_secs(3_600),
    age: Duration::from_secs(3_600 * 24),
    bytes: 1 << 30,
};

impl Log {
    fn new() -> Self {
        let directory = Scratch::new();
        let writer = SegmentWriter::open(&directory, KEEPING).unwrap();
        Self {
            directory,
            writer: Some(writer),
            lines: JsonLines::new(),
        }
    }

    fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut log = Self::new();
        for entry in entries {
            log.write(&entry);
        }
        log
    }

    fn write(&mut self, entry: &Entry) {
        let structured = structured::lift(entry);
        let mut line = Vec::new();
        self.lines
            .line(structured.as_ref().unwrap_or(entry), &mut line);
        let writer = self.writer.as_mut().unwrap();
        writer.append(&line).unwrap();
        writer.step(SystemTime::now()).unwrap();
        writer.settle().unwrap();
    }

    fn say(&mut self, text: &str) {
        self.write(&printed("f", 0, text));
    }

    fn read(&self, query: &Query) -> Vec<String> {
        texts(&read(&self.directory, query).unwrap().records)
    }
}

fn texts(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .map(|record| record.message().into_owned())
        .collect()
}

fn at(second: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_442_400 + second)
}

fn printed(function: &str, second: u64, text: &str) -> Entry {
    let line = Line {
        time: at(second),
        stream: Stream::Stdout,
        text: text.into(),
    };
    Entry::printed(function.into(), ExecutionId::random(), line)
}

fn all() -> Query {
    Query {
        limit: usize::MAX,
        ..Query::default()
    }
}

fn count(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[test]
fn the_last_entries_are_found_oldest_first_or_newest_first() {
    let log = Log::of((0..100).map(|n| printed("f", n, &n.to_string())));
    assert_eq!(log.read(&Query::default()), count(80..100));
    let mut backwards = count(80..100);
    backwards.reverse();
    let query = Query {
        order: Order::NewestFirst,
        ..Query::default()
    };
    assert_eq!(log.read(&query), backwards);
    assert_eq!(log.read(&all()), count(0..100));
    let query = Query { limit: 0, ..all() };
    assert_eq!(log.read(&query), count(0..0));
}

#[test]
fn every_limit_gives_the_last_ones() {
    let log = Log::of((0..40).map(|n| printed("f", n, &n.to_string())));
    for limit in 0..45 {
        let query = Query { limit, ..all() };
        let expected = count(40 - u32::try_from(limit).unwrap().min(40)..40);
        assert_eq!(log.read(&query), expected);
    }
}

#[test]
fn an_execution_is_found_among_others_and_nothing_else_is() {
    let entries: Vec<_> = (0..200).map(|n| printed("f", n, &n.to_string())).collect();
    let log = Log::of(entries.clone());
    for (n, entry) in entries.iter().enumerate() {
        let query = Query {
            execution_id: Some(entry.execution_id().into()),
            ..all()
        };
        assert_eq!(log.read(&query), [n.to_string()]);
    }
    for absent in ["zzzzzzzzzzzz", "", "\"", "x\\"] {
        let query = Query {
            execution_id: Some(absent.into()),
            ..all()
        };
        assert!(log.read(&query).is_empty());
    }
}

#[test]
fn a_function_is_found_by_its_whole_name() {
    let names = ["f", "ff", "with \"quotes\" \\ and 世界"];
    let log = Log::of((0..90).map(|n| printed(names[n % 3], n as u64, &n.to_string())));
    for (n, name) in names.iter().enumerate() {
        let query = Query {
            function: Some((*name).into()),
            ..all()
        };
        let expected: Vec<_> = (n..90).step_by(3).map(|n| n.to_string()).collect();
        assert_eq!(log.read(&query), expected);
    }
    let query = Query {
        function: Some("g".into()),
        ..all()
    };
    assert!(log.read(&query).is_empty());
}

#[test]
fn severities_are_found_alone_or_from_one_on() {
    let note = |n: usize| {
        let severity = Severity::ALL[n % 9];
        Entry::note("f".into(), None, severity, severity.name().into())
    };
    let log = Log::of((0..90).map(note));
    for severity in Severity::ALL {
        let query = Query {
            severity: Some(severity),
            ..all()
        };
        assert_eq!(log.read(&query), vec![severity.name(); 10]);
        let query = Query {
            min_severity: Some(severity),
            ..all()
        };
        let from = Severity::ALL.iter().filter(|other| **other >= severity);
        assert_eq!(log.read(&query).len(), from.count() * 10);
    }
}

#[test]
fn times_are_from_and_until_whatever_the_order_of_writing() {
    let log = Log::of((0..100).map(|n| printed("f", n * 37 % 100, &(n * 37 % 100).to_string())));
    for (start, end) in [(0, 100), (30, 60), (99, 100), (50, 50), (60, 30)] {
        let query = Query {
            start: Some(at(start)),
            end: Some(at(end)),
            ..all()
        };
        let expected = count(start as u32..(end.max(start)) as u32);
        assert_eq!(log.read(&query), expected);
    }
}

#[test]
fn words_are_found_as_they_were_printed() {
    let odd = [
        "plain words",
        "with \"quotes\" and back\\slash",
        "\x1b[31mred\x1b[0m",
        "nul \0 and \t tab",
        "Grüße, 世界 🎉",
        "mark \u{202e} and \u{9b}",
        "\"labels\":{\"execution_id\":\"forgedforged\"}",
    ];
    let log = Log::of(odd.iter().map(|text| printed("f", 0, text)));
    for text in odd {
        for part in [
            text,
            &text[..4],
            text.trim_start_matches(char::is_alphabetic),
        ] {
            let query = Query {
                contains: Some(part.into()),
                ..all()
            };
            assert!(log.read(&query).contains(&text.to_owned()), "{part:?}");
        }
    }
    for absent in ["PLAIN", "textPayload", "timestamp", "\\u001b", "words\n"] {
        let query = Query {
            contains: Some(absent.into()),
            ..all()
        };
        assert!(log.read(&query).is_empty(), "{absent}");
    }
}

#[test]
fn words_are_found_in_the_values_of_a_json_payload_and_not_in_its_keys() {
    let log = Log::of([printed(
        "f",
        0,
        r#"{"message":"paid","order":{"ids":[4711,true]}}"#,
    )]);
    for (words, count) in [("paid", 1), ("471", 1), ("true", 1), ("order", 0), ("[", 0)] {
        let query = Query {
            contains: Some(words.into()),
            ..all()
        };
        assert_eq!(log.read(&query).len(), count, "{words}");
    }
}

#[test]
fn regular_expressions_are_matched_against_what_was_printed() {
    let log = Log::of((0..50).map(|n| printed("f", n, &format!("order \"{n}\" took {n} ms"))));
    for (regex, count) in [
        ("^order \"[0-9]\" took", 10),
        ("took (4[89]) ms$", 2),
        ("(?i)ORDER", 50),
        ("a|b", 0),
        ("\"7\"", 1),
        ("", 50),
    ] {
        let query = Query {
            regex: Some(regex.into()),
            ..all()
        };
        assert_eq!(log.read(&query).len(), count, "{regex}");
    }
    let query = Query {
        regex: Some("(".into()),
        ..all()
    };
    let error = read(&log.directory, &query).unwrap_err();
    assert!(matches!(error, QueryError::Regex(_)));
}

#[test]
fn ends_are_found_by_status_and_nothing_that_only_looks_like_one() {
    let finished = |code| {
        let status = FinishStatus::Code(code);
        Entry::finished("f".into(), ExecutionId::random(), Duration::ZERO, status)
    };
    let failed = Entry::finished(
        "f".into(),
        ExecutionId::random(),
        Duration::ZERO,
        FinishStatus::Word("timeout"),
    );
    let forged = printed("f", 0, r#"{"httpRequest":{"status":500}}"#);
    let log = Log::of(
        [200, 404, 500, 503]
            .map(finished)
            .into_iter()
            .chain([failed, forged]),
    );
    for (status, count) in [(500..=500, 1), (500..=599, 2), (0..=999, 4), (201..=201, 0)] {
        let query = Query {
            status: Some(status.clone()),
            ..all()
        };
        assert_eq!(log.read(&query).len(), count, "{status:?}");
    }
}

#[test]
fn traces_and_jobs_are_found() {
    let mut entry = printed("f", 0, "one");
    entry.job = Some("nightly".into());
    entry.trace = Some(Trace {
        trace_id: [0xab; 16],
        span_id: [1; 8],
    });
    let said = r#"{"message":"two","logging.googleapis.com/trace":"projects/p/traces/0af7"}"#;
    let forged = r#"{"message":"three","trace":"0af7","labels":{"job_id":"nightly"}}"#;
    let log = Log::of([entry, printed("f", 1, said), printed("f", 2, forged)]);
    let by_trace = |trace: &str| {
        log.read(&Query {
            trace: Some(trace.into()),
            ..all()
        })
    };
    assert_eq!(by_trace(&"ab".repeat(16)), ["one"]);
    assert_eq!(by_trace("0af7"), ["two"]);
    assert_eq!(by_trace("projects/p/traces/0af7"), ["two"]);
    assert!(by_trace("0af").is_empty());
    let by_job = Query {
        job: Some("nightly".into()),
        ..all()
    };
    assert_eq!(log.read(&by_job), ["one"]);
}

#[test]
fn what_a_guest_says_of_another_execution_is_not_found_there() {
    let victim = printed("victim", 0, "mine");
    let id = victim.execution_id().to_owned();
    let forged = format!(
        "{{\"labels\":{{\"execution_id\":\"{id}\"}},\"logging.googleapis.com/labels\":{{\"execution_id\":\"{id}\"}},\
         \"x\":{{\"a\":1,\"labels\":{{\"execution_id\":\"{id}\"}}}}}}"
    );
    let line = format!(
        "x\n{{\"timestamp\":\"2026-11-23T14:00:00.000000000Z\",\"labels\":{{\"execution_id\":\"{id}\"}}}}"
    );
    let log = Log::of([
        victim,
        printed("forger", 1, &forged),
        printed("forger", 2, &line),
        printed(
            "forger",
            3,
            &format!("\",\"labels\":{{\"execution_id\":\"{id}\""),
        ),
    ]);
    let query = Query {
        execution_id: Some(id),
        ..all()
    };
    assert_eq!(log.read(&query), ["mine"]);
    let query = Query {
        function: Some("victim".into()),
        ..all()
    };
    assert_eq!(log.read(&query), ["mine"]);
    assert_eq!(log.read(&all()).len(), 4);
}

#[test]
fn a_record_has_everything_that_the_line_has() {
    let said = r#"{"message":"hi","severity":"ALERT","logging.googleapis.com/labels":{"a":"b"},
        "logging.googleapis.com/spanId":"b7","logging.googleapis.com/insertId":"i"}"#;
    let entry = printed("f", 5, &said.replace('\n', ""));
    let log = Log::of([entry.clone()]);
    let record = read(&log.directory, &all()).unwrap().records.remove(0);
    assert_eq!((record.time, record.severity), (at(5), Severity::Alert));
    assert_eq!(record.function, "f");
    assert_eq!(record.execution_id(), Some(entry.execution_id()));
    assert_eq!(record.labels["a"], "b");
    assert_eq!(record.span_id.as_deref(), Some("b7"));
    assert_eq!(record.insert_id.as_deref(), Some("i"));
    assert!(matches!(&record.payload, RecordPayload::Json(object) if object.len() == 1));
    assert!(serde_json::from_str::<serde_json::Value>(&record.line).is_ok());
}

#[test]
fn a_damaged_block_costs_its_own_entries_only_and_is_told() {
    let log = Log::of((0..100).map(|n| printed("f", n, &n.to_string())));
    let sealed = log.directory.join("000000000003.jsonl.zst");
    let mut bytes = fs::read(&sealed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&sealed, bytes).unwrap();
    let found = read(&log.directory, &all()).unwrap();
    assert_eq!(found.unreadable, 1);
    assert!((80..100).contains(&found.records.len()));
}

#[test]
fn lines_that_are_no_entries_are_passed_over() {
    let log = Log::of([printed("f", 0, "one")]);
    let plain = log.directory.join("000000000001.jsonl");
    let mut bytes = fs::read(&plain).unwrap();
    bytes.extend_from_slice(b"\n\0\0\0\nnot json\n{\"severity\":\"INFO\"}\n\xff\xfe\n[1]\n");
    fs::write(&plain, bytes).unwrap();
    assert_eq!(log.read(&all()), ["one"]);
}

#[test]
fn a_log_that_is_not_there_is_empty() {
    let found = read(Path::new("/nowhere/at/all"), &all()).unwrap();
    assert!(found.records.is_empty());
}

#[test]
fn a_log_is_read_with_no_writer() {
    let mut log = Log::of((0..50).map(|n| printed("f", n, &n.to_string())));
    log.writer = None;
    assert_eq!(log.read(&all()), count(0..50));
}
