//! The payload of a printed line that is a JSON object.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// A JSON object that a guest printed, without the special fields of Cloud Logging. The last of duplicate keys counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structured {
    /// The fields that have no special meaning.
    pub payload: Map<String, Value>,
    /// `logging.googleapis.com/labels`.
    pub labels: BTreeMap<String, String>,
    /// `logging.googleapis.com/trace`.
    pub trace: Option<String>,
    /// `logging.googleapis.com/spanId`.
    pub span_id: Option<String>,
    /// `logging.googleapis.com/insertId`. Only passed on: entries with the same id are not merged.
    pub insert_id: Option<String>,
}

impl Structured {
    /// The text for a table: `message` if that is a string, otherwise the payload as JSON.
    pub fn message(&self) -> Cow<'_, str> {
        message(&self.payload)
    }
}

impl fmt::Display for Structured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

/// The text for a table of a structured `payload`.
pub(super) fn message(payload: &Map<String, Value>) -> Cow<'_, str> {
    match payload.get("message") {
        Some(Value::String(text)) => Cow::Borrowed(text),
        // Serializing a map with string keys cannot fail.
        _ => Cow::Owned(serde_json::to_string(payload).unwrap_or_default()),
    }
}
