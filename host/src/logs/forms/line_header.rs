//! The header of a JSON line: timestamp, severity, function and execution, always first and in this order.
//!
//! What a guest wrote comes after it. So the header can be read without parsing JSON, and no guest can forge one.

use super::json_text;
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::entry::{Entry, Severity};

const TIMESTAMP: &[u8] = b"{\"timestamp\":\"";
const SEVERITY: &[u8] = b"\",\"severity\":\"";
const FUNCTION: &[u8] =
    b"\",\"resource\":{\"type\":\"cloud_function\",\"labels\":{\"function_name\":\"";
const FUNCTION_END: &[u8] = b"\"}}";
/// The bytes before the execution id in a line.
pub(in crate::logs) const EXECUTION: &[u8] = b",\"labels\":{\"execution_id\":\"";

/// The header of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::logs) struct LineHeader<'a> {
    pub(in crate::logs) time: Rfc3339,
    pub(in crate::logs) severity: Severity,
    /// The function's name with JSON escapes, as in the line.
    pub(in crate::logs) function: &'a [u8],
    pub(in crate::logs) execution: Option<&'a [u8]>,
}

/// Appends the header of `entry`'s line, up to the function's name. The labels, with the execution first, follow it.
pub(super) fn push(entry: &Entry, out: &mut Vec<u8>) {
    out.extend_from_slice(TIMESTAMP);
    out.extend_from_slice(Rfc3339::from(entry.time).as_str().as_bytes());
    out.extend_from_slice(SEVERITY);
    out.extend_from_slice(entry.severity.name().as_bytes());
    // The name is rendered with its quotes.
    out.extend_from_slice(&FUNCTION[..FUNCTION.len() - 1]);
    json_text::push(&*entry.function, out);
    out.extend_from_slice(&FUNCTION_END[1..]);
}

impl<'a> LineHeader<'a> {
    /// The function's name without escapes; `None` if it is damaged.
    pub(in crate::logs) fn function_name(&self) -> Option<String> {
        json_text::unescape(self.function)
    }

    /// Parses the header of `line`; `None` if this program did not write the line.
    pub(in crate::logs) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(TIMESTAMP)?;
        let (time, rest) = rest.split_at_checked(Rfc3339::LENGTH)?;
        let (severity, rest) = split_at_quote(rest.strip_prefix(SEVERITY)?)?;
        let (function, rest) = split_at_quote(rest.strip_prefix(FUNCTION)?)?;
        let execution = rest
            .strip_prefix(FUNCTION_END)?
            .strip_prefix(EXECUTION)
            .and_then(split_at_quote);
        Some(Self {
            time: Rfc3339::parse(time)?,
            severity: Severity::from_name(severity)?,
            function,
            execution: execution.map(|(id, _)| id),
        })
    }
}

/// Splits `text`, which begins inside a JSON string, before the quote that ends the string.
fn split_at_quote(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut is_escaped = false;
    let end = text.iter().position(|&byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    Some(text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::JsonLines;

    fn line(entry: &Entry) -> Vec<u8> {
        let mut out = Vec::new();
        JsonLines::new().line(entry, &mut out);
        out
    }

    #[test]
    fn the_header_of_every_line_is_read_back() {
        for name in ["hello", "with \"quotes\" and \\", "世界"] {
            let entry = Entry::started(name.into(), ExecutionId::random());
            let line = line(&entry);
            let header = LineHeader::parse(&line).unwrap();
            let mut function = Vec::new();
            json_text::push(name, &mut function);
            assert_eq!(header.time, Rfc3339::from(entry.time));
            assert_eq!(header.severity, Severity::Debug);
            assert_eq!(header.function, &function[1..function.len() - 1]);
            assert_eq!(header.function_name().as_deref(), Some(name));
            assert_eq!(header.execution, Some(entry.execution_id().as_bytes()));
        }
    }

    #[test]
    fn an_entry_without_an_execution_has_a_header_without_one() {
        let note = Entry::note("f".into(), None, Severity::Alert, "all".into());
        let line = line(&note);
        let header = LineHeader::parse(&line).unwrap();
        assert_eq!((header.severity, header.execution), (Severity::Alert, None));
    }

    #[test]
    fn a_function_name_cannot_forge_the_rest_of_the_header() {
        let forged = r#"f"}},"labels":{"execution_id":"forgedforged"#;
        let note = Entry::note(forged.into(), None, Severity::Info, "x".into());
        assert_eq!(LineHeader::parse(&line(&note)).unwrap().execution, None);
    }

    #[test]
    fn a_line_that_is_cut_within_its_header_or_foreign_has_none() {
        let whole = line(&Entry::started("f".into(), ExecutionId::random()));
        let end = memchr::memmem::find(&whole, FUNCTION_END).unwrap();
        for cut in 0..end {
            assert_eq!(LineHeader::parse(&whole[..cut]), None);
        }
        assert_eq!(LineHeader::parse(b"{\"severity\":\"INFO\"}"), None);
    }
}
