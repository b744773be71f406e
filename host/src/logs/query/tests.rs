//! Queries on segments of every kind.

mod damage;
mod filters;
mod following;
mod logs;
mod pages;
mod racing;
mod words;

use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::entry::special_fields;
use crate::logs::segments::{Retention, SegmentWriter};
use crate::logs::test_support::Scratch;
use crate::logs::{Content, Entry, FinishStatus, JsonLines, Severity, StoredEntry, Trace};
use host_sandbox::{Line, Stream};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A log that is being written, with a segment for every few lines.
struct Log {
    directory: Scratch,
    writer: Option<SegmentWriter>,
    lines: JsonLines,
}

const RETENTION: Retention = Retention {
    segment_bytes: 3_000,
    segment_age: Duration::from_secs(3_600),
    age: Duration::from_secs(3_600 * 24),
    bytes: 1 << 30,
};

impl Log {
    fn new() -> Self {
        let directory = Scratch::new();
        let writer = SegmentWriter::open(&directory, RETENTION).unwrap();
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
        let structured = special_fields::extract(entry);
        let mut line = Vec::new();
        self.lines
            .line(structured.as_ref().unwrap_or(entry), &mut line);
        let writer = self.writer.as_mut().unwrap();
        writer.append(&line).unwrap();
        writer.maintain(SystemTime::now()).unwrap();
        writer.settle().unwrap();
    }

    fn say(&mut self, text: &str) {
        self.write(&printed("f", 0, text));
    }

    fn read(&self, query: &Query) -> Vec<String> {
        texts(&read(&self.directory, query).unwrap().entries)
    }
}

fn texts(entries: &[StoredEntry]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| entry.message().into_owned())
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
        context: String::new(),
        remedy: None,
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
fn a_search_that_takes_too_long_ends_and_says_so() {
    let log = Log::of((0..40).map(|n| printed("f", n, &n.to_string())));
    let within = |seconds| Query {
        time_limit: Some(Duration::from_secs(seconds)),
        ..all()
    };
    let found = read(&log.directory, &within(60)).unwrap();
    assert_eq!((found.entries.len(), found.is_cut), (40, false));
    let found = read(&log.directory, &within(0)).unwrap();
    assert_eq!((found.entries.len(), found.is_cut), (0, true));
    let (found, mut follow) = Follow::start(&log.directory, &within(0)).unwrap();
    assert_eq!((found.entries.len(), found.is_cut), (0, true));
    let new = follow.poll().unwrap();
    assert!(new.entries.is_empty(), "they begin after what was searched");
}

#[test]
fn a_guest_cannot_add_entries_to_another_execution() {
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
fn a_stored_entry_has_all_fields_of_its_line() {
    let said = r#"{"message":"hi","severity":"ALERT","logging.googleapis.com/labels":{"a":"b"},
        "logging.googleapis.com/spanId":"b7","logging.googleapis.com/insertId":"i"}"#;
    let entry = printed("f", 5, &said.replace('\n', ""));
    let log = Log::of([entry.clone()]);
    let stored = read(&log.directory, &all()).unwrap().entries.remove(0);
    assert_eq!((stored.time, stored.severity), (at(5), Severity::Alert));
    assert_eq!(stored.function, "f");
    assert_eq!(stored.execution_id(), Some(entry.execution_id()));
    assert_eq!(stored.labels["a"], "b");
    assert_eq!(stored.span_id.as_deref(), Some("b7"));
    assert_eq!(stored.insert_id.as_deref(), Some("i"));
    assert!(matches!(&stored.payload, Content::Json(object) if object.len() == 1));
    assert!(serde_json::from_str::<serde_json::Value>(&stored.line).is_ok());
}

#[test]
fn all_names_with_entries_are_listed() {
    let names = ["f", "hello.v2", "with \"quotes\" \\ and 世界"];
    let mut log = Log::of((0..90).map(|n| printed(names[n % 2], n as u64, "x")));
    let names_found = || logged_functions(&log.directory).unwrap();
    assert!(names_found().iter().eq(["f", "hello.v2"]));
    log.write(&printed(names[2], 0, "in the active segment"));
    assert!(logged_functions(&log.directory).unwrap().iter().eq(names));
    assert!(
        logged_functions(Path::new("/nowhere/at/all"))
            .unwrap()
            .is_empty()
    );
}
