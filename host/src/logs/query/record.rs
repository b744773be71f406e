//! A kept entry, read back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::logs::head::LineHead;
use crate::logs::json::{EXECUTION_LABEL, JOB_LABEL};
use crate::logs::object::Object;
use crate::logs::severity::Severity;
use crate::logs::structured;

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When.
    pub time: SystemTime,
    /// How much it matters.
    pub severity: Severity,
    /// The function's name.
    pub function: String,
    /// What it says. Not trusted.
    pub payload: RecordPayload,
    /// `execution_id`, `job_id`, `caller`, and what the guest added.
    pub labels: BTreeMap<String, String>,
    /// The trace.
    pub trace: Option<String>,
    /// The span in the trace.
    pub span_id: Option<String>,
    /// Its id.
    pub insert_id: Option<String>,
    /// What the execution answered, on the entry that tells of its end; and who asked, there and on a refusal.
    pub http_request: Option<HttpRequest>,
    /// The line itself, JSON without its end. No control character stands raw in it.
    pub line: String,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordPayload {
    /// Text.
    Text(String),
    /// What was printed as JSON.
    Json(Map<String, Value>),
}

/// How an execution answered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequest {
    /// The status code; nothing if it failed before there was one.
    pub status: Option<u16>,
    /// How long it took, in seconds, as `0.004700000s`.
    pub latency: Option<String>,
    /// The address of the client.
    pub remote_ip: Option<std::net::IpAddr>,
}

/// A line as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    timestamp: String,
    text_payload: Option<String>,
    json_payload: Option<Object>,
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

impl Record {
    /// Reads a line without its end; nothing if this program has not written it.
    pub(in crate::logs) fn parse(line: &[u8]) -> Option<Self> {
        let head = LineHead::parse(line)?;
        let text = std::str::from_utf8(line).ok()?;
        let parsed: Line = serde_json::from_str(text).ok()?;
        let time: jiff::Timestamp = parsed.timestamp.parse().ok()?;
        let payload = match parsed.json_payload {
            Some(Object(object)) => RecordPayload::Json(object),
            None => RecordPayload::Text(parsed.text_payload?),
        };
        Some(Self {
            time: time.into(),
            severity: head.severity,
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

    /// The execution, if the entry is about one.
    pub fn execution_id(&self) -> Option<&str> {
        self.labels.get(EXECUTION_LABEL).map(String::as_str)
    }

    /// The job that caused the execution, if one did.
    pub fn job(&self) -> Option<&str> {
        self.labels.get(JOB_LABEL).map(String::as_str)
    }

    /// What a table shows. Not trusted: it may hold anything that a guest printed.
    pub fn message(&self) -> Cow<'_, str> {
        match &self.payload {
            RecordPayload::Text(text) => Cow::Borrowed(text),
            RecordPayload::Json(object) => structured::message(object),
        }
    }

    /// Whether the text, or one value of the JSON payload as text, `is_it`.
    pub(super) fn any_text(&self, is_it: &impl Fn(&str) -> bool) -> bool {
        match &self.payload {
            RecordPayload::Text(text) => is_it(text),
            RecordPayload::Json(object) => object.values().any(|value| any_text(value, is_it)),
        }
    }
}

fn any_text(value: &Value, is_it: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_it(text),
        Value::Array(values) => values.iter().any(|value| any_text(value, is_it)),
        Value::Object(object) => object.values().any(|value| any_text(value, is_it)),
        other => is_it(&other.to_string()),
    }
}
