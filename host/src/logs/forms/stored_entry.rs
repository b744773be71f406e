//! A stored entry, parsed from its JSON line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::labels;
use super::line_header::LineHeader;
use crate::logs::entry::json_object::JsonObject;
use crate::logs::entry::{self, Severity};

/// An entry that was read from the log on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEntry {
    /// When it was printed or written.
    pub time: SystemTime,
    /// Its severity.
    pub severity: Severity,
    /// The function's name.
    pub function: String,
    /// Its content. Untrusted.
    pub payload: StoredPayload,
    /// `execution_id`, `job_id`, `caller`, and the labels of the guest.
    pub labels: BTreeMap<String, String>,
    /// The trace's id, or `projects/PROJECT/traces/ID` if the guest stated it so.
    pub trace: Option<String>,
    /// The span's id.
    pub span_id: Option<String>,
    /// Its insert id.
    pub insert_id: Option<String>,
    /// The response, on the end of an execution; and the client, there and on a refusal.
    pub http_request: Option<HttpRequest>,
    /// The JSON line without its line feed. All control characters in it are escaped.
    pub line: String,
}

/// The content of a stored entry.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredPayload {
    /// Text.
    Text(String),
    /// The JSON object that the guest printed.
    Json(Map<String, Value>),
}

/// The request of an execution and its response.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequest {
    /// The status code; `None` if the execution failed without one.
    pub status: Option<u16>,
    /// The duration in seconds, such as `0.004700000s`.
    pub latency: Option<String>,
    /// The client's address.
    pub remote_ip: Option<std::net::IpAddr>,
}

/// The fields of a JSON line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    timestamp: String,
    text_payload: Option<String>,
    json_payload: Option<JsonObject>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    resource: Resource,
    trace: Option<String>,
    span_id: Option<String>,
    insert_id: Option<String>,
    http_request: Option<HttpRequest>,
}

#[derive(Deserialize)]
struct Resource {
    labels: ResourceLabels,
}

#[derive(Deserialize)]
struct ResourceLabels {
    function_name: String,
}

impl StoredEntry {
    /// Parses a line without its line feed; `None` if this program did not write it.
    pub(in crate::logs) fn parse(line: &[u8]) -> Option<Self> {
        let header = LineHeader::parse(line)?;
        let text = std::str::from_utf8(line).ok()?;
        let parsed: Line = serde_json::from_str(text).ok()?;
        let time: jiff::Timestamp = parsed.timestamp.parse().ok()?;
        let payload = match parsed.json_payload {
            Some(JsonObject(object)) => StoredPayload::Json(object),
            None => StoredPayload::Text(parsed.text_payload?),
        };
        Some(Self {
            time: time.into(),
            severity: header.severity,
            function: parsed.resource.labels.function_name,
            payload,
            labels: parsed.labels,
            trace: parsed.trace,
            span_id: parsed.span_id,
            insert_id: parsed.insert_id,
            http_request: parsed.http_request,
            line: text.to_owned(),
        })
    }

    /// The id of the execution that it belongs to, if any.
    pub fn execution_id(&self) -> Option<&str> {
        self.labels.get(labels::EXECUTION).map(String::as_str)
    }

    /// The job that caused the execution, if any.
    pub fn job(&self) -> Option<&str> {
        self.labels.get(labels::JOB).map(String::as_str)
    }

    /// The text for a table. Untrusted: it may contain anything that a guest printed.
    pub fn message(&self) -> Cow<'_, str> {
        match &self.payload {
            StoredPayload::Text(text) => Cow::Borrowed(text),
            StoredPayload::Json(object) => entry::message(object),
        }
    }

    /// Whether `is_match` accepts the text, or any value of the JSON payload as text.
    pub(in crate::logs) fn any_text(&self, is_match: &impl Fn(&str) -> bool) -> bool {
        match &self.payload {
            StoredPayload::Text(text) => is_match(text),
            StoredPayload::Json(object) => object.values().any(|value| any_text(value, is_match)),
        }
    }
}

fn any_text(value: &Value, is_match: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_match(text),
        Value::Array(values) => values.iter().any(|value| any_text(value, is_match)),
        Value::Object(object) => object.values().any(|value| any_text(value, is_match)),
        other => is_match(&other.to_string()),
    }
}
