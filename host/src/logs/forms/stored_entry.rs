//! A stored entry, parsed from its JSON line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::Value;

use super::labels;
use super::line_header::LineHeader;
use crate::logs::entry::json_object::JsonObject;
use crate::logs::entry::{Content, LogPlace, Severity};

/// An entry that was read from the log on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEntry {
    /// When it was printed or written.
    pub time: SystemTime,
    /// Its severity.
    pub severity: Severity,
    /// The function's name; empty in other logs.
    pub function: String,
    /// The log and the resource, if the log is not that of the functions.
    pub place: Option<LogPlace>,
    /// Its content. Untrusted.
    pub payload: Content,
    /// `execution_id`, `job_id`, `caller`, and the labels of the guest. In other logs, those of the client.
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
    log_name: Option<String>,
    text_payload: Option<String>,
    json_payload: Option<JsonObject>,
    summary: Option<String>,
    proto_payload: Option<JsonObject>,
    source_location: Option<JsonObject>,
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
    r#type: String,
    labels: BTreeMap<String, String>,
}

impl StoredEntry {
    /// Parses a line without its line feed; `None` if this program did not write it.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let header = LineHeader::parse(line)?;
        let text = std::str::from_utf8(line).ok()?;
        let mut parsed: Line = serde_json::from_str(text).ok()?;
        let time: jiff::Timestamp = parsed.timestamp.parse().ok()?;
        let payload = match (parsed.json_payload, parsed.proto_payload) {
            (Some(JsonObject(object)), _) => Content::Json(object),
            (None, Some(JsonObject(proto_payload))) => Content::Audit {
                summary: parsed.summary?,
                proto_payload,
            },
            (None, None) => Content::Text(parsed.text_payload?),
        };
        let function = parsed.resource.labels.remove(labels::FUNCTION);
        let place = parsed.log_name.map(|log| LogPlace {
            log,
            resource_type: parsed.resource.r#type,
            resource_labels: parsed.resource.labels,
            source_location: parsed.source_location.map(|JsonObject(object)| object),
        });
        let function = match &place {
            Some(_) => String::new(),
            None => function?,
        };
        Some(Self {
            time: time.into(),
            severity: header.severity,
            function,
            place,
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
        self.payload.message()
    }

    /// What wrote it, for a table: the function, or the last part of the log's id in parentheses.
    pub(super) fn source(&self) -> Cow<'_, str> {
        match &self.place {
            None => Cow::Borrowed(&self.function),
            Some(place) => Cow::Owned(place.short_name()),
        }
    }

    /// Whether `is_match` accepts the text, or any value of the JSON payload as text.
    pub(in crate::logs) fn any_text(&self, is_match: &impl Fn(&str) -> bool) -> bool {
        match &self.payload {
            Content::Text(text) => is_match(text),
            Content::Json(object) => object.values().any(|value| any_text(value, is_match)),
            Content::Audit {
                summary,
                proto_payload,
            } => {
                let mut values = proto_payload.values();
                is_match(summary) || values.any(|value| any_text(value, is_match))
            }
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
