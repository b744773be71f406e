//! Entries as JSON Lines, with the field names of Cloud Logging's `LogEntry`.
//!
//! The fixed parts of a line are appended as bytes. A derived `Serialize` gives the same lines but takes 2.8 times as
//! long for each, because `serde_json` searches every key for characters to escape.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;

use super::{json_text, labels, line_header};
use crate::logs::entry::{Content, Entry, FinishStatus, LogPlace, Payload};

/// Renders entries as JSON, one on each line. All JSON lines of the log are rendered here.
#[derive(Debug)]
pub struct JsonLines {
    /// The prefix of this process's insert ids: its start time in milliseconds, so that the ids of later processes sort
    /// after it, and a random number, which separates processes that started in the same millisecond.
    process: String,
    count: u64,
}

impl Default for JsonLines {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonLines {
    /// A renderer for the entries of this process.
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let start = since.unwrap_or_default().as_millis();
        Self {
            process: format!("{start:012x}{:08x}", rand::random::<u32>()),
            count: 0,
        }
    }

    /// Appends the line of `entry`, with its line feed. The header comes first, the guest's payload last.
    pub fn line(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        line_header::push(entry, out);
        if let Payload::Written(written) = &entry.payload {
            push_place(&written.place, out);
        }
        push_labels(entry, out);
        let stated = Stated::of(&entry.payload);
        push_trace(entry, &stated, out);
        out.extend_from_slice(b",\"insertId\":");
        match stated.insert_id {
            Some(id) => json_text::push(id, out),
            None => self.push_insert_id(out),
        }
        push_http_request(entry, out);
        push_payload(&entry.payload, out);
        out.extend_from_slice(b"}\n");
    }

    /// Appends a unique id. Ids sort in the order in which the lines are rendered.
    fn push_insert_id(&mut self, out: &mut Vec<u8>) {
        self.count += 1;
        out.push(b'"');
        out.extend_from_slice(self.process.as_bytes());
        // Six bytes are more than any process uses.
        push_hex(&self.count.to_be_bytes()[2..], out);
        out.push(b'"');
    }
}

/// The ids that a guest or a client states.
#[derive(Default)]
struct Stated<'a> {
    trace: Option<&'a str>,
    span_id: Option<&'a str>,
    insert_id: Option<&'a str>,
}

impl<'a> Stated<'a> {
    fn of(payload: &'a Payload) -> Self {
        let (trace, span_id, insert_id) = match payload {
            Payload::Structured(structured) => (
                &structured.trace,
                &structured.span_id,
                &structured.insert_id,
            ),
            Payload::Written(written) => (&written.trace, &written.span_id, &written.insert_id),
            _ => return Self::default(),
        };
        Self {
            trace: trace.as_deref(),
            span_id: span_id.as_deref(),
            insert_id: insert_id.as_deref(),
        }
    }
}

/// Appends the resource of an entry of another log, and its place in the source code.
fn push_place(place: &LogPlace, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"resource\":{\"type\":");
    json_text::push(&place.resource_type, out);
    out.extend_from_slice(b",\"labels\":");
    json_text::push(&place.resource_labels, out);
    out.push(b'}');
    if let Some(location) = &place.source_location {
        out.extend_from_slice(b",\"sourceLocation\":");
        json_text::push(location, out);
    }
}

/// Appends the labels: those of the host first, then those of the guest.
fn push_labels(entry: &Entry, out: &mut Vec<u8>) {
    let mut separator: &[u8] = b",\"labels\":{";
    if let Some(execution) = &entry.execution {
        // An id contains nothing to escape.
        out.extend_from_slice(line_header::EXECUTION);
        out.extend_from_slice(execution.as_str().as_bytes());
        out.push(b'"');
        separator = b",";
    }
    let mut label = |key: &str, value: &str| {
        out.extend_from_slice(separator);
        json_text::push(key, out);
        out.push(b':');
        json_text::push(value, out);
        separator = b",";
    };
    if let Some(job) = &entry.job {
        label(labels::JOB, job);
    }
    if let Some(caller) = &entry.origin.caller {
        label(labels::CALLER, caller);
    }
    if let Payload::Logged(logged) = &entry.payload
        && !logged.context.is_empty()
    {
        label(labels::CONTEXT, &logged.context);
    }
    if let Payload::Structured(structured) = &entry.payload {
        for (key, value) in &structured.labels {
            if !labels::is_reserved(key) {
                label(key, value);
            }
        }
    }
    if let Payload::Written(written) = &entry.payload {
        for (key, value) in &written.labels {
            label(key, value);
        }
    }
    if separator == b"," {
        out.push(b'}');
    }
}

/// Appends the trace and the span: those that are stated, otherwise those of the execution. The execution's span
/// belongs to the execution's trace only.
fn push_trace(entry: &Entry, stated: &Stated<'_>, out: &mut Vec<u8>) {
    let (trace, span) = (stated.trace, stated.span_id);
    let own = entry.trace.filter(|_| trace.is_none());
    if let Some(trace) = trace {
        out.extend_from_slice(b",\"trace\":");
        json_text::push(trace, out);
    } else if let Some(own) = own {
        out.extend_from_slice(b",\"trace\":\"");
        push_hex(&own.trace_id, out);
        out.push(b'"');
    }
    if let Some(span) = span {
        out.extend_from_slice(b",\"spanId\":");
        json_text::push(span, out);
    } else if let Some(own) = own {
        out.extend_from_slice(b",\"spanId\":\"");
        push_hex(&own.span_id, out);
        out.push(b'"');
    }
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + HEXLOWER.encode_len(bytes.len()), 0);
    HEXLOWER.encode_mut(bytes, &mut out[start..]);
}

fn push_payload(payload: &Payload, out: &mut Vec<u8>) {
    match payload {
        Payload::Structured(structured) => {
            out.extend_from_slice(b",\"jsonPayload\":");
            json_text::push(&structured.payload, out);
        }
        Payload::Printed(text) | Payload::Note(text) => {
            out.extend_from_slice(b",\"textPayload\":");
            json_text::push(text, out);
        }
        Payload::Logged(logged) => {
            out.extend_from_slice(b",\"textPayload\":");
            json_text::push(&logged.text, out);
        }
        Payload::Written(written) => push_content(&written.content, out),
        Payload::Started | Payload::Finished { .. } => {
            // These texts contain nothing to escape. Writing to a `Vec` cannot fail.
            let _ = write!(out, ",\"textPayload\":\"{payload}\"");
        }
    }
}

fn push_content(content: &Content, out: &mut Vec<u8>) {
    match content {
        Content::Text(text) => {
            out.extend_from_slice(b",\"textPayload\":");
            json_text::push(text, out);
        }
        Content::Json(object) => {
            out.extend_from_slice(b",\"jsonPayload\":");
            json_text::push(object, out);
        }
        Content::Audit {
            summary,
            proto_payload,
        } => {
            out.extend_from_slice(b",\"summary\":");
            json_text::push(summary, out);
            out.extend_from_slice(b",\"protoPayload\":");
            json_text::push(proto_payload, out);
        }
    }
}

/// Appends `HttpRequest` of Cloud Logging, as far as the outcome and the origin are known. An execution that failed
/// without a response has no status code.
fn push_http_request(entry: &Entry, out: &mut Vec<u8>) {
    let mut separator: &[u8] = b",\"httpRequest\":{";
    // Writing to a `Vec` cannot fail.
    if let Payload::Finished { took, status, .. } = &entry.payload {
        out.extend_from_slice(separator);
        if let FinishStatus::Code(code) = status {
            let _ = write!(out, "\"status\":{code},");
        }
        let (seconds, nanos) = (took.as_secs(), took.subsec_nanos());
        let _ = write!(out, "\"latency\":\"{seconds}.{nanos:09}s\"");
        separator = b",";
    }
    if let Some(client) = entry.origin.client {
        out.extend_from_slice(separator);
        let _ = write!(out, "\"remoteIp\":\"{client}\"");
        separator = b",";
    }
    if separator == b"," {
        out.push(b'}');
    }
}

#[cfg(test)]
mod structured_tests;
#[cfg(test)]
mod tests;
