//! The header of a JSON line: timestamp, severity, function and execution, always first and in this order. In other logs
//! than that of the functions, the log's id stands in place of the function and the execution.
//!
//! What a guest or a client wrote comes after it. So the header can be read without parsing JSON, and no guest can forge one.

use super::json_text;
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::entry::{Entry, Payload, Severity};

const TIMESTAMP: &[u8] = b"{\"timestamp\":\"";
const SEVERITY: &[u8] = b"\",\"severity\":\"";
const FUNCTION: &[u8] =
    b"\",\"resource\":{\"type\":\"cloud_function\",\"labels\":{\"function_name\":\"";
const FUNCTION_END: &[u8] = b"\"}}";
const LOG: &[u8] = b"\",\"logName\":";
/// The bytes before the execution id in a line.
pub(in crate::logs) const EXECUTION: &[u8] = b",\"labels\":{\"execution_id\":\"";

/// The header of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::logs) struct LineHeader<'a> {
    pub(in crate::logs) time: Rfc3339,
    pub(in crate::logs) severity: Severity,
    /// What wrote the entry, as in the line: the function's name with JSON escapes; or, in another log, a quote and the
    /// log's id with JSON escapes. No escaped name begins with a quote.
    pub(in crate::logs) source: &'a [u8],
    pub(in crate::logs) execution: Option<&'a [u8]>,
}

/// Appends the header of `entry`'s line, up to the function's name or the log's id. The labels, with the execution first, follow it.
pub(super) fn push(entry: &Entry, out: &mut Vec<u8>) {
    out.extend_from_slice(TIMESTAMP);
    out.extend_from_slice(Rfc3339::from(entry.time).as_str().as_bytes());
    out.extend_from_slice(SEVERITY);
    out.extend_from_slice(entry.severity.name().as_bytes());
    if let Payload::Written(written) = &entry.payload {
        out.extend_from_slice(LOG);
        json_text::push(&written.place.log, out);
        return;
    }
    // The name is rendered with its quotes.
    out.extend_from_slice(&FUNCTION[..FUNCTION.len() - 1]);
    json_text::push(&*entry.function, out);
    out.extend_from_slice(&FUNCTION_END[1..]);
}

impl<'a> LineHeader<'a> {
    /// The function's name without escapes; `None` in another log, or if it is damaged.
    pub(in crate::logs) fn function_name(&self) -> Option<String> {
        is_function(self.source).then(|| json_text::unescape(self.source))?
    }

    /// Parses the header of `line`; `None` if this program did not write the line.
    pub(in crate::logs) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_prefix(TIMESTAMP)?;
        let (time, rest) = rest.split_at_checked(Rfc3339::LENGTH)?;
        let (severity, rest) = split_at_quote(rest.strip_prefix(SEVERITY)?)?;
        let time = Rfc3339::parse(time)?;
        let severity = Severity::from_name(severity)?;
        if let Some(rest) = rest.strip_prefix(LOG) {
            let (id, _) = split_at_quote(rest.strip_prefix(b"\"")?)?;
            return Some(Self {
                time,
                severity,
                source: &rest[..=id.len()],
                execution: None,
            });
        }
        let (function, rest) = split_at_quote(rest.strip_prefix(FUNCTION)?)?;
        let execution = rest
            .strip_prefix(FUNCTION_END)?
            .strip_prefix(EXECUTION)
            .and_then(split_at_quote);
        Some(Self {
            time,
            severity,
            source: function,
            execution: execution.map(|(id, _)| id),
        })
    }
}

/// Whether the `source` of a header is a function.
pub(in crate::logs) fn is_function(source: &[u8]) -> bool {
    !source.starts_with(b"\"")
}

/// The source of entries in the log `id`, which is not that of the functions.
pub(in crate::logs) fn source_of_log(id: &str) -> Vec<u8> {
    [b"\"", &*json_text::escape(id)].concat()
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
    use crate::logs::{AUDIT_LOG, JsonLines};

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
            assert_eq!(header.source, &function[1..function.len() - 1]);
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
    fn an_entry_of_another_log_has_the_id_of_the_log_in_its_header() {
        let audit = Entry::audit(
            "a did m".into(),
            Severity::Notice,
            serde_json::Map::new(),
            "project".into(),
            std::collections::BTreeMap::new(),
        );
        let line = line(&audit);
        let header = LineHeader::parse(&line).unwrap();
        assert_eq!(header.source, source_of_log(AUDIT_LOG));
        assert!(!is_function(header.source));
        assert_eq!((header.function_name(), header.execution), (None, None));
        let end = memchr::memmem::find(&line, b",\"resource\"").unwrap();
        for cut in 0..end {
            assert_eq!(LineHeader::parse(&line[..cut]), None);
        }
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
