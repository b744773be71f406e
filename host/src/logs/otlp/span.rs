//! The end of an execution as a span.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::any_value::text_attribute;
use super::attributes::{self, COMPILE, TRIGGER, unix_nanos};
use crate::logs::entry::{Cause, Entry, FinishStatus, Payload, Trigger};

/// The span of an execution, if `entry` is its end and it has a trace.
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
    let end = unix_nanos(entry.time);
    let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let mut attributes = attributes::of_entry(entry);
    attributes.extend(of_cause(*cause));
    attributes.push(attributes::of_status(*status));
    let parent = cause.parent_span.map(|parent| parent.to_vec());
    Some(Span {
        trace_id: trace.trace_id.to_vec(),
        span_id: trace.span_id.to_vec(),
        parent_span_id: parent.unwrap_or_default(),
        name: entry.function.to_string(),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: end.saturating_sub(took),
        end_time_unix_nano: end,
        attributes,
        status: failure(*status),
        ..Span::default()
    })
}

fn of_cause(cause: Cause) -> [KeyValue; 2] {
    let trigger = match cause.trigger {
        Trigger::Http => "http",
        Trigger::Timer => "timer",
    };
    let compile = match cause.is_newly_compiled {
        true => "cold",
        false => "warm",
    };
    [
        text_attribute(TRIGGER, trigger),
        text_attribute(COMPILE, compile),
    ]
}

/// A server's span has failed if the server did (semantic conventions for HTTP spans, "Status").
fn failure(status: FinishStatus) -> Option<Status> {
    let message = match status {
        FinishStatus::Code(code) if code < 500 => return None,
        FinishStatus::Code(_) => String::new(),
        FinishStatus::Word(word) => word.to_owned(),
    };
    Some(Status {
        message,
        code: StatusCode::Error.into(),
    })
}
