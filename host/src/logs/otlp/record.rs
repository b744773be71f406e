//! Entries as log records, and the ends of executions as spans, with the names of OpenTelemetry's semantic conventions.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use super::message::{
    AnyValue, ArrayValue, KIND_SERVER, KeyValue, KeyValueList, LogRecord, STATUS_ERROR, Span,
    Status, Value,
};
use crate::logs::entry::{Cause, Entry, FinishStatus, Payload, Trigger};
use crate::logs::severity::Severity;
use crate::logs::structured::Structured;

const INVOCATION: &str = "faas.invocation_id";
const TRIGGER: &str = "faas.trigger";
const STATUS_CODE: &str = "http.response.status_code";
const ERROR_TYPE: &str = "error.type";
const JOB: &str = "host.job";
const COMPILE: &str = "host.compile";
const CALLER: &str = "user.id";
const CLIENT: &str = "client.address";
/// What only the host says: a guest's label of the same name is left out.
const OWN: [&str; 8] = [
    INVOCATION,
    TRIGGER,
    STATUS_CODE,
    ERROR_TYPE,
    JOB,
    COMPILE,
    CALLER,
    CLIENT,
];

/// The log record of `entry`.
pub(super) fn log_record(entry: &Entry) -> LogRecord {
    let mut attributes = about(entry);
    let mut trace = entry
        .trace
        .map(|trace| (trace.trace_id.to_vec(), trace.span_id.to_vec()));
    match &entry.payload {
        Payload::Structured(structured) => {
            let labels = structured.labels.iter();
            let labels = labels.filter(|(key, _)| !OWN.contains(&key.as_str()));
            attributes.extend(labels.map(|(key, value)| KeyValue::text(key, value)));
            trace = said_trace(structured, trace);
        }
        Payload::Finished { status, .. } => attributes.push(outcome(*status)),
        Payload::Started | Payload::Printed(_) | Payload::Note(_) => {}
    }
    let (trace_id, span_id) = trace.unwrap_or_default();
    LogRecord {
        time_unix_nano: nanos(entry.time),
        severity_number: severity_number(entry.severity),
        severity_text: entry.severity.name().to_owned(),
        body: Some(body(&entry.payload)),
        attributes,
        trace_id,
        span_id,
        observed_time_unix_nano: nanos(SystemTime::now()),
    }
}

/// The span of the execution whose end `entry` tells.
pub(super) fn span(entry: &Entry) -> Option<Span> {
    let Payload::Finished {
        took,
        status,
        cause,
    } = &entry.payload
    else {
        return None;
    };
    let trace = entry.trace?;
    let end = nanos(entry.time);
    let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let mut attributes = about(entry);
    attributes.extend(causes(*cause));
    attributes.push(outcome(*status));
    let parent = cause.parent_span.map(|parent| parent.to_vec());
    Some(Span {
        trace_id: trace.trace_id.to_vec(),
        span_id: trace.span_id.to_vec(),
        parent_span_id: parent.unwrap_or_default(),
        name: entry.function.to_string(),
        kind: KIND_SERVER,
        start_time_unix_nano: end.saturating_sub(took),
        end_time_unix_nano: end,
        attributes,
        status: error(*status),
    })
}

fn about(entry: &Entry) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(7);
    if entry.execution.is_some() {
        attributes.push(KeyValue::text(INVOCATION, entry.execution_id()));
    }
    if let Some(job) = &entry.job {
        attributes.push(KeyValue::text(JOB, &**job));
    }
    if let Some(caller) = &entry.origin.caller {
        attributes.push(KeyValue::text(CALLER, &**caller));
    }
    if let Some(client) = entry.origin.client {
        attributes.push(KeyValue::text(CLIENT, client.to_string()));
    }
    attributes
}

fn causes(cause: Cause) -> [KeyValue; 2] {
    let trigger = match cause.trigger {
        Trigger::Http => "http",
        Trigger::Timer => "timer",
    };
    let compile = match cause.is_newly_compiled {
        true => "cold",
        false => "warm",
    };
    [
        KeyValue::text(TRIGGER, trigger),
        KeyValue::text(COMPILE, compile),
    ]
}

fn outcome(status: FinishStatus) -> KeyValue {
    match status {
        FinishStatus::Code(code) => KeyValue::new(STATUS_CODE, Value::Integer(code.into())),
        FinishStatus::Word(word) => KeyValue::text(ERROR_TYPE, word),
    }
}

/// A server's span failed where the server did (semantic conventions for HTTP spans, "Status").
fn error(status: FinishStatus) -> Option<Status> {
    let message = match status {
        FinishStatus::Code(code) if code < 500 => return None,
        FinishStatus::Code(_) => String::new(),
        FinishStatus::Word(word) => word.to_owned(),
    };
    Some(Status {
        message,
        code: STATUS_ERROR,
    })
}

fn body(payload: &Payload) -> AnyValue {
    match payload {
        Payload::Structured(structured) => map(&structured.payload).into(),
        Payload::Printed(text) | Payload::Note(text) => Value::Text(text.clone()).into(),
        Payload::Started | Payload::Finished { .. } => Value::Text(payload.to_string()).into(),
    }
}

fn map(object: &serde_json::Map<String, Json>) -> Value {
    let values = object.iter().map(|(key, value)| KeyValue {
        key: key.clone(),
        value: Some(any_value(value)),
    });
    Value::Map(KeyValueList {
        values: values.collect(),
    })
}

/// Structured entries are nested no deeper than their reader allows.
fn any_value(json: &Json) -> AnyValue {
    let value = match json {
        Json::Null => None,
        Json::Bool(value) => Some(Value::Bool(*value)),
        Json::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(double)) => Value::Double(double),
            (None, None) => Value::Text(number.to_string()),
        }),
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Array(values) => Some(Value::Array(ArrayValue {
            values: values.iter().map(any_value).collect(),
        })),
        Json::Object(object) => Some(map(object)),
    };
    AnyValue { value }
}

/// The trace and the span that the guest names, if they are such, else those of its execution; a trace may be named as
/// Google does, with its project before it. A span without a trace is one in the execution's.
fn said_trace(
    structured: &Structured,
    own: Option<(Vec<u8>, Vec<u8>)>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let span = structured.span_id.as_deref();
    let span = span.and_then(|span| from_hex(span, 8));
    let Some(trace) = &structured.trace else {
        return own.map(|(trace, own)| (trace, span.unwrap_or(own)));
    };
    let trace = trace
        .rsplit('/')
        .next()
        .and_then(|trace| from_hex(trace, 16));
    trace.map(|trace| (trace, span.unwrap_or_default())).or(own)
}

fn from_hex(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.len() != length * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = (0..length).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok());
    let bytes: Option<Vec<_>> = bytes.collect();
    // All zeros stand for none.
    bytes.filter(|bytes| bytes.iter().any(|byte| *byte != 0))
}

/// `SeverityNumber`, as the logs data model, appendix B, gives it to the severities of syslog.
fn severity_number(severity: Severity) -> i32 {
    match severity {
        Severity::Default => 0,
        Severity::Debug => 5,
        Severity::Info => 9,
        Severity::Notice => 10,
        Severity::Warning => 13,
        Severity::Error => 17,
        Severity::Critical => 18,
        Severity::Alert => 19,
        Severity::Emergency => 21,
    }
}

/// Since the Unix epoch; up to the year 2554.
fn nanos(time: SystemTime) -> u64 {
    let since: Duration = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
