//! JSON that is safe to print on a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::safe;

/// Appends `value` as JSON on one line, with every control character escaped.
pub(in crate::logs) fn push(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    // Writing to a `Vec` cannot fail, and the values in use all have a JSON form.
    let _ = value.serialize(&mut Serializer::with_formatter(out, TerminalSafe));
}

/// The text whose content within a JSON string is `escaped`; `None` if that is invalid.
pub(in crate::logs) fn unescape(escaped: &[u8]) -> Option<String> {
    serde_json::from_slice(&[b"\"", escaped, b"\""].concat()).ok()
}

/// `text` as the content of a JSON string, without the quotes. Lines are written by this program alone, so they contain
/// `text` in this form and no other.
pub(in crate::logs) fn escape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    push(text, &mut out);
    out.pop();
    out.split_off(1)
}

/// Escapes also what JSON leaves as it is but a terminal acts on: control characters beyond ASCII, and characters that
/// change the direction of text.
struct TerminalSafe;

impl Formatter for TerminalSafe {
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
                // All of them are in the Basic Multilingual Plane, so one escape is enough.
                if let Some(c) = after.next() {
                    write!(writer, "\\u{:04x}", u32::from(c))?;
                }
                rest = after.as_str();
            }
        }
        writer.write_all(rest.as_bytes())
    }
}
