//! The head of a kept line: time, severity, function and execution, always first and always in this order.
//!
//! What a guest says stands behind it, so the head of a line can be read without parsing JSON, and no guest can forge
//! one.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::json::string;
use super::severity::Severity;
use super::timestamp::Clock;

const TIMESTAMP: &[u8] = b"{\"timestamp\":\"";
const SEVERITY: &[u8] = b"\",\"severity\":\"";
const FUNCTION: &[u8] =
    b"\",\"resource\":{\"type\":\"cloud_function\",\"labels\":{\"function_name\":\"";
const FUNCTION_END: &[u8] = b"\"}}";
/// What stands before an execution's id, wherever a kept line names its own.
pub(super) const EXECUTION: &[u8] = b",\"labels\":{\"execution_id\":\"";

/// `2026-11-23T14:00:00.123456789Z`
const STAMP_LENGTH: usize = 30;

/// What the head of a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineHead<'a> {
    pub(super) time: Stamp,
    pub(super) severity: Severity,
    /// As it is written: what JSON escapes is escaped.
    pub(super) function: &'a [u8],
    pub(super) execution: Option<&'a [u8]>,
}

/// Appends the head of the line of `entry`, as far as the function's name.
pub(super) fn write(entry: &Entry, clock: &mut Clock, out: &mut Vec<u8>) {
    out.extend_from_slice(TIMESTAMP);
    clock.rfc3339(entry.time, out);
    out.extend_from_slice(SEVERITY);
    out.extend_from_slice(entry.severity.name().as_bytes());
    // The name brings its own quotes.
    out.extend_from_slice(&FUNCTION[..FUNCTION.len() - 1]);
    string(&entry.function, out);
    out.extend_from_slice(&FUNCTION_END[1..]);
}

impl<'a> LineHead<'a> {
    /// The function's name; nothing if it is damaged.
    pub(super) fn function_name(&self) -> Option<String> {
        unescaped(self.function)
    }

    /// Reads the head of `line`; nothing if this program has not written it.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(TIMESTAMP)?;
        let (time, rest) = rest.split_at_checked(STAMP_LENGTH)?;
        let (severity, rest) = quoted(rest.strip_prefix(SEVERITY)?)?;
        let (function, rest) = quoted(rest.strip_prefix(FUNCTION)?)?;
        let execution = rest
            .strip_prefix(FUNCTION_END)?
            .strip_prefix(EXECUTION)
            .and_then(quoted);
        Some(Self {
            time: Stamp::new(time)?,
            severity: Severity::from_name(severity)?,
            function,
            execution: execution.map(|(id, _)| id),
        })
    }
}

/// What stood in a JSON string before it was `written` so.
pub(super) fn unescaped(written: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", written, b"\""].concat()).ok()
}

/// Splits `text` before the quote that ends the string it begins in.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut is_escaped = false;
    let end = text.iter().position(|&byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    Some(text.split_at(end))
}

/// A time as it is written: RFC 3339 in UTC with nanoseconds. Its order as text is its order in time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "&str", into = "String")]
pub(super) struct Stamp([u8; STAMP_LENGTH]);

impl Stamp {
    fn new(text: &[u8]) -> Option<Self> {
        let text: [u8; STAMP_LENGTH] = text.try_into().ok()?;
        let is_stamp = text[STAMP_LENGTH - 1] == b'Z' && text.is_ascii();
        is_stamp.then_some(Self(text))
    }

    fn as_str(&self) -> &str {
        // It is ASCII, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<SystemTime> for Stamp {
    fn from(time: SystemTime) -> Self {
        let mut text = Vec::with_capacity(STAMP_LENGTH);
        Clock::default().rfc3339(time, &mut text);
        // Clocks write nothing else.
        Self(text.try_into().unwrap_or([b'0'; STAMP_LENGTH]))
    }
}

impl TryFrom<&str> for Stamp {
    type Error = &'static str;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::new(text.as_bytes()).ok_or("expected a time in UTC with nanoseconds")
    }
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> Self {
        stamp.as_str().to_owned()
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::json::JsonLines;
    use std::time::{Duration, UNIX_EPOCH};

    fn line(entry: &Entry) -> Vec<u8> {
        let mut out = Vec::new();
        JsonLines::new().line(entry, &mut out);
        out
    }

    #[test]
    fn the_head_of_every_line_is_read_back() {
        for name in ["hello", "with \"quotes\" and \\", "世界"] {
            let entry = Entry::started(name.into(), ExecutionId::random());
            let line = line(&entry);
            let head = LineHead::parse(&line).unwrap();
            let mut function = Vec::new();
            string(name, &mut function);
            assert_eq!(head.time, Stamp::from(entry.time));
            assert_eq!(head.severity, Severity::Debug);
            assert_eq!(head.function, &function[1..function.len() - 1]);
            assert_eq!(head.function_name().as_deref(), Some(name));
            assert_eq!(head.execution, Some(entry.execution_id().as_bytes()));
        }
    }

    #[test]
    fn an_entry_of_no_execution_has_a_head_without_one() {
        let note = Entry::note("f".into(), None, Severity::Alert, "all".into());
        let line = line(&note);
        let head = LineHead::parse(&line).unwrap();
        assert_eq!((head.severity, head.execution), (Severity::Alert, None));
    }

    #[test]
    fn a_name_cannot_pass_for_more_of_the_head() {
        let forged = r#"f"}},"labels":{"execution_id":"forgedforged"#;
        let note = Entry::note(forged.into(), None, Severity::Info, "x".into());
        assert_eq!(LineHead::parse(&line(&note)).unwrap().execution, None);
    }

    #[test]
    fn a_line_that_is_cut_within_its_head_or_foreign_has_none() {
        let whole = line(&Entry::started("f".into(), ExecutionId::random()));
        let end = memchr::memmem::find(&whole, FUNCTION_END).unwrap();
        for cut in 0..end {
            assert_eq!(LineHead::parse(&whole[..cut]), None);
        }
        assert_eq!(LineHead::parse(b"{\"severity\":\"INFO\"}"), None);
    }

    #[test]
    fn stamps_are_in_order_of_time() {
        let at = |nanos| Stamp::from(UNIX_EPOCH + Duration::from_nanos(nanos));
        assert!(at(0) < at(1));
        assert!(at(999_999_999) < at(1_000_000_000));
        assert!(at(1_795_442_400_000_000_000) < at(1_795_442_400_000_000_001));
    }
}
