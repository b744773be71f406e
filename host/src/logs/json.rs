//! Entries as JSON Lines, for machines, with the field names of Cloud Logging's `LogEntry`.

use serde_json::json;

use super::entry::Entry;
use super::safe;
use super::timestamp::Clock;

/// Writes entries as JSON, one a line.
pub(super) struct JsonLines {
    clock: Clock,
    /// Sets the ids of this process apart from those of others.
    process: u64,
    count: u64,
}

impl JsonLines {
    pub(super) fn new() -> Self {
        Self {
            clock: Clock::default(),
            process: rand::random(),
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
        string(&entry.text(), out);
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
        self.count += 1;
        out.extend_from_slice(format!("{:016x}{:012x}", self.process, self.count).as_bytes());
        out.extend_from_slice(b"\"}\n");
    }
}

/// JSON allows the controls beyond ASCII to stand as they are; a terminal obeys them. So they are escaped too.
fn string(text: &str, out: &mut Vec<u8>) {
    let quoted = json!(text).to_string();
    if !quoted.chars().any(safe::is_harmful) {
        out.extend_from_slice(quoted.as_bytes());
        return;
    }
    let mut units = [0; 2];
    for c in quoted.chars() {
        if safe::is_harmful(c) {
            for unit in c.encode_utf16(&mut units) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{ExecutionId, Line, Stream};
    use serde_json::Value;
    use std::time::{Duration, UNIX_EPOCH};

    fn line(text: &str) -> (String, Value) {
        let line = Line {
            time: UNIX_EPOCH + Duration::from_nanos(1_795_442_400_123_456_789),
            stream: Stream::Stderr,
            text: text.into(),
        };
        let entry = Entry::printed("hello".into(), ExecutionId::random(), line);
        let mut out = Vec::new();
        JsonLines::new().line(&entry, &mut out);
        let text = String::from_utf8(out).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        (text, value)
    }

    #[test]
    fn fields_are_named_as_in_cloud_logging() {
        let (_, value) = line("oops");
        assert_eq!(value["timestamp"], "2026-11-23T14:00:00.123456789Z");
        assert_eq!(value["severity"], "ERROR");
        assert_eq!(value["textPayload"], "oops");
        assert_eq!(value["labels"]["execution_id"].as_str().unwrap().len(), 12);
        assert_eq!(value["resource"]["labels"]["function_name"], "hello");
    }

    #[test]
    fn any_text_survives_and_no_control_character_stands_raw() {
        let odd = "quote\" back\\ \x1b[31m \u{9b}31m \u{202e} \x7f 世界 \n end";
        let (text, value) = line(odd);
        assert_eq!(value["textPayload"], odd);
        assert!(!text.trim_end_matches('\n').chars().any(safe::is_harmful));
    }
}
