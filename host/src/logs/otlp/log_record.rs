//! Entries as log records.

use std::time::SystemTime;

use data_encoding::HEXLOWER_PERMISSIVE;
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};

use super::any_value::{map, text_attribute};
use super::attributes::{self, unix_nanos};
use crate::logs::entry::{Content, Entry, Payload, Severity};

/// The log record of `entry`.
pub(super) fn log_record(entry: &Entry) -> LogRecord {
    let mut attributes = attributes::of_entry(entry);
    let mut trace = entry
        .trace
        .map(|trace| (trace.trace_id.to_vec(), trace.span_id.to_vec()));
    match &entry.payload {
        Payload::Structured(structured) => {
            attributes.extend(attributes::of_labels(&structured.labels));
            trace = stated_trace(
                structured.trace.as_deref(),
                structured.span_id.as_deref(),
                trace,
            );
        }
        Payload::Logged(logged) if !logged.context.is_empty() => {
            attributes.push(text_attribute(attributes::CONTEXT, &logged.context));
        }
        Payload::Finished { status, .. } => attributes.push(attributes::of_status(*status)),
        Payload::Written(written) => {
            attributes.push(text_attribute(attributes::LOG, &written.place.log));
            attributes.extend(attributes::of_labels(&written.labels));
            trace = stated_trace(written.trace.as_deref(), written.span_id.as_deref(), None);
        }
        Payload::Started | Payload::Printed(_) | Payload::Logged(_) | Payload::Note(_) => {}
    }
    let (trace_id, span_id) = trace.unwrap_or_default();
    LogRecord {
        time_unix_nano: unix_nanos(entry.time),
        severity_number: severity_number(entry.severity).into(),
        severity_text: entry.severity.name().to_owned(),
        body: Some(body(&entry.payload)),
        attributes,
        trace_id,
        span_id,
        observed_time_unix_nano: unix_nanos(SystemTime::now()),
        ..LogRecord::default()
    }
}

fn body(payload: &Payload) -> AnyValue {
    let value = match payload {
        Payload::Structured(structured) => map(&structured.payload),
        Payload::Printed(text) | Payload::Note(text) => Value::StringValue(text.clone()),
        Payload::Logged(logged) => Value::StringValue(logged.text.clone()),
        Payload::Written(written) => match &written.content {
            Content::Text(text) => Value::StringValue(text.clone()),
            Content::Json(object) => map(object),
            Content::Audit { proto_payload, .. } => map(proto_payload),
        },
        Payload::Started | Payload::Finished { .. } => Value::StringValue(payload.to_string()),
    };
    AnyValue { value: Some(value) }
}

/// The trace and the span that the guest or the client states, if they are valid, otherwise those of the execution. The trace may
/// have the form `projects/PROJECT/traces/ID`. A span without a trace belongs to the execution's trace.
fn stated_trace(
    trace: Option<&str>,
    span: Option<&str>,
    own: Option<(Vec<u8>, Vec<u8>)>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let span = span.and_then(|span| parse_id(span, 8));
    let Some(trace) = trace else {
        return own.map(|(trace, own)| (trace, span.unwrap_or(own)));
    };
    let trace = trace
        .rsplit('/')
        .next()
        .and_then(|trace| parse_id(trace, 16));
    trace.map(|trace| (trace, span.unwrap_or_default())).or(own)
}

/// A trace or span id of `length` bytes. An id of zeros stands for none.
fn parse_id(text: &str, length: usize) -> Option<Vec<u8>> {
    let id = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
    (id.len() == length && id.iter().any(|byte| *byte != 0)).then_some(id)
}

/// The number that the logs data model, appendix B, gives to the severities of syslog.
fn severity_number(severity: Severity) -> SeverityNumber {
    match severity {
        Severity::Default => SeverityNumber::Unspecified,
        Severity::Debug => SeverityNumber::Debug,
        Severity::Info => SeverityNumber::Info,
        Severity::Notice => SeverityNumber::Info2,
        Severity::Warning => SeverityNumber::Warn,
        Severity::Error => SeverityNumber::Error,
        Severity::Critical => SeverityNumber::Error2,
        Severity::Alert => SeverityNumber::Error3,
        Severity::Emergency => SeverityNumber::Fatal,
    }
}

#[cfg(test)]
mod tests;
