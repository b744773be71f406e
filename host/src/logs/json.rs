//! Entries as JSON Lines, for machines, with the field names of Cloud Logging's `LogEntry`.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::entry::{Entry, Payload};
use super::safe;
use super::timestamp::Clock;

/// Writes entries as JSON, one a line.
pub(super) struct JsonLines {
    clock: Clock,
    /// Begins the ids of this process: when it began, so that later ones sort after it, and a random number, so that
    /// they differ from those of a process that began in the same millisecond.
    process: String,
    count: u64,
}

impl JsonLines {
    pub(super) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let began = since.unwrap_or_default().as_millis();
        Self {
            clock: Clock::default(),
            process: format!("{began:012x}{:08x}", rand::random::<u32>()),
            count: 0,
        }
    }

    /// Appends the line of `entry`.
    pub(super) fn line(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"timestamp\":\"");
        self.clock.rfc3339(entry.time, out);
        out.extend_from_slice(b"\",\"severity\":\"");
        out.extend_from_slice(entry.severity.name().as_bytes());
        out.extend_from_slice(b"\",\"textPayload\":");
        text(&entry.payload, out);
        if entry.execution.is_some() {
            out.extend_from_slice(b",\"labels\":{\"execution_id\":\"");
            out.extend_from_slice(entry.execution_id().as_bytes());
            out.extend_from_slice(b"\"}");
        }
        out.extend_from_slice(
            b",\"resource\":{\"type\":\"cloud_function\",\"labels\":{\"function_name\":",
        );
        string(&entry.function, out);
        out.extend_from_slice(b"}},\"insertId\":\"");
        self.insert_id(out);
        out.extend_from_slice(b"\"}\n");
    }

    /// An id that no other entry has, and that sorts as the entries were written.
    fn insert_id(&mut self, out: &mut Vec<u8>) {
        self.count += 1;
        out.extend_from_slice(self.process.as_bytes());
        // A `Vec` takes every write.
        let _ = write!(out, "{:012x}", self.count);
    }
}

fn text(payload: &Payload, out: &mut Vec<u8>) {
    match payload {
        Payload::Printed(text) | Payload::Note(text) => string(text, out),
        Payload::Started | Payload::Finished { .. } => {
            // The host's own words hold nothing to escape, and a `Vec` takes every write.
            let _ = write!(out, "\"{payload}\"");
        }
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    // A `Vec` takes every write, and a string is always JSON.
    let _ = text.serialize(&mut Serializer::with_formatter(out, ForTerminals));
}

/// JSON lets the controls beyond ASCII stand as they are, but a terminal obeys them: they are escaped too.
struct ForTerminals;

impl Formatter for ForTerminals {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut rest = fragment;
        if !safe::is_printable_ascii(rest) {
            while let Some(at) = rest.find(safe::is_harmful) {
                let (before, from) = rest.split_at(at);
                writer.write_all(before.as_bytes())?;
                let mut after = from.chars();
                // All of them are in the Basic Multilingual Plane, so that one escape is enough.
                if let Some(c) = after.next() {
                    write!(writer, "\\u{:04x}", u32::from(c))?;
                }
                rest = after.as_str();
            }
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{ExecutionId, Line, Stream};
    use crate::logs::{FinishStatus, Severity};
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
    fn an_entry_of_no_execution_has_no_labels() {
        let note = Entry::note("hello".into(), None, Severity::Warning, "full".into());
        assert_eq!(parse(&render(&[note])[0]).get("labels"), None);
    }

    #[test]
    fn the_hosts_words_are_valid_json() {
        let (took, status) = (Duration::ZERO, FinishStatus::Word("out of memory"));
        let entry = Entry::finished("hello".into(), ExecutionId::random(), took, status);
        assert_eq!(
            parse(&render(&[entry])[0])["textPayload"],
            "Function execution took 0 ms, finished with status: 'out of memory'"
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
    fn any_text_survives_on_one_line_and_no_control_character_stands_raw() {
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
}
