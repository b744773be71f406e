use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::entry::{
    Cause, FinishStatus, LogPlace, Logged, Trace, Trigger, Written, special_fields,
};
use crate::logs::otlp::attributes::{COMPILE, INVOCATION, JOB, LOG, STATUS_CODE, TRIGGER};
use crate::logs::otlp::span::span;
use host_sandbox::{Line, Stream};
use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

const TRACE: Trace = Trace {
    trace_id: [0xab; 16],
    span_id: [1; 8],
};

fn finished(status: FinishStatus, cause: Cause) -> Entry {
    let took = Duration::from_millis(4);
    let mut entry = Entry::finished("hello".into(), ExecutionId::random(), took, status)
        .in_trace(TRACE)
        .caused_by(cause);
    entry.time = UNIX_EPOCH + Duration::from_secs(1_795_442_400);
    entry
}

fn printed(text: &str) -> Entry {
    let line = Line {
        time: UNIX_EPOCH + Duration::from_nanos(1_795_442_400_123_456_789),
        stream: Stream::Stdout,
        text: text.into(),
        context: String::new(),
        remedy: None,
    };
    let entry = Entry::printed("hello".into(), ExecutionId::random(), line).in_trace(TRACE);
    special_fields::extract(&entry).unwrap_or(entry)
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Vec<&'a Value> {
    let found = attributes.iter().filter(|attribute| attribute.key == key);
    found
        .filter_map(|attribute| attribute.value.as_ref()?.value.as_ref())
        .collect()
}

fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

#[test]
fn a_printed_line_is_a_record_of_its_execution_and_its_trace() {
    let entry = printed("hi");
    let record = log_record(&entry);
    assert_eq!(record.time_unix_nano, 1_795_442_400_123_456_789);
    assert_eq!(
        (record.severity_number, &*record.severity_text),
        (9, "INFO")
    );
    assert_eq!(
        record.body,
        Some(AnyValue {
            value: Some(text("hi"))
        })
    );
    assert_eq!(record.trace_id, TRACE.trace_id);
    assert_eq!(record.span_id, TRACE.span_id);
    assert_eq!(
        attribute(&record.attributes, INVOCATION),
        [&text(entry.execution_id())]
    );
    assert_eq!(span(&entry), None);
}

#[test]
fn the_end_of_an_execution_is_a_span_as_long_as_it_took() {
    let cause = Cause {
        parent_span: Some([7; 8]),
        trigger: Trigger::Timer,
        is_newly_compiled: true,
    };
    let span = span(&finished(FinishStatus::Code(200), cause)).unwrap();
    assert_eq!(span.end_time_unix_nano, 1_795_442_400_000_000_000);
    assert_eq!(
        span.end_time_unix_nano - span.start_time_unix_nano,
        4_000_000
    );
    assert_eq!((&*span.name, span.kind), ("hello", SpanKind::Server as i32));
    assert_eq!(span.parent_span_id, [7; 8]);
    assert_eq!(span.status, None);
    assert_eq!(attribute(&span.attributes, TRIGGER), [&text("timer")]);
    assert_eq!(attribute(&span.attributes, COMPILE), [&text("cold")]);
    let status = Value::IntValue(200);
    assert_eq!(attribute(&span.attributes, STATUS_CODE), [&status]);
}

#[test]
fn a_span_has_failed_if_the_function_did_and_not_if_the_caller_did() {
    let status = |status| span(&finished(status, Cause::default())).unwrap().status;
    assert_eq!(status(FinishStatus::Code(404)), None);
    assert_eq!(
        status(FinishStatus::Code(500)).unwrap().code,
        StatusCode::Error as i32
    );
    let timeout = status(FinishStatus::Word("timeout")).unwrap();
    assert_eq!(
        (timeout.code, &*timeout.message),
        (StatusCode::Error as i32, "timeout")
    );
}

#[test]
fn a_structured_entry_is_a_map() {
    let record = log_record(&printed(
        r#"{"severity": "ALERT", "message": "m", "n": -1, "x": 1.5, "list": [true, null], "in": {"k": "v"}}"#,
    ));
    assert_eq!(
        (record.severity_number, &*record.severity_text),
        (19, "ALERT")
    );
    let Some(Value::KvlistValue(body)) = record.body.and_then(|body| body.value) else {
        panic!("no map");
    };
    assert_eq!(attribute(&body.values, "message"), [&text("m")]);
    assert_eq!(attribute(&body.values, "n"), [&Value::IntValue(-1)]);
    assert_eq!(attribute(&body.values, "x"), [&Value::DoubleValue(1.5)]);
    let list = vec![
        AnyValue {
            value: Some(Value::BoolValue(true)),
        },
        AnyValue { value: None },
    ];
    assert_eq!(
        attribute(&body.values, "list"),
        [&Value::ArrayValue(ArrayValue { values: list })]
    );
    let Value::KvlistValue(inner) = attribute(&body.values, "in")[0] else {
        panic!("no map");
    };
    assert_eq!(attribute(&inner.values, "k"), [&text("v")]);
}

#[test]
fn a_guest_can_name_a_trace_but_not_another_execution() {
    let entry = printed(
        r#"{"message": "m", "logging.googleapis.com/trace": "projects/p/traces/000102030405060708090a0b0c0d0e0f",
            "logging.googleapis.com/spanId": "0001020304050607",
            "logging.googleapis.com/labels": {"faas.invocation_id": "forged", "host.job": "forged", "mine": "yes"}}"#,
    );
    let record = log_record(&entry);
    assert_eq!(record.trace_id, (0..16).collect::<Vec<u8>>());
    assert_eq!(record.span_id, (0..8).collect::<Vec<u8>>());
    assert_eq!(
        attribute(&record.attributes, INVOCATION),
        [&text(entry.execution_id())]
    );
    assert!(attribute(&record.attributes, JOB).is_empty());
    assert_eq!(attribute(&record.attributes, "mine"), [&text("yes")]);
}

#[test]
fn an_invalid_trace_is_replaced_by_that_of_the_execution() {
    for said in ["", "zz", "projects/p/traces/", &"é".repeat(16)] {
        let line = format!(r#"{{"message": "m", "logging.googleapis.com/trace": "{said}"}}"#);
        assert_eq!(
            log_record(&printed(&line)).trace_id,
            TRACE.trace_id,
            "{said}"
        );
    }
}

#[test]
fn a_span_without_a_trace_belongs_to_the_trace_of_the_execution() {
    for (said, span) in [
        (
            "b7ad6b7169203331",
            &[0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31][..],
        ),
        ("b7ad", &TRACE.span_id),
        ("0000000000000000", &TRACE.span_id),
    ] {
        let line = format!(r#"{{"message": "m", "logging.googleapis.com/spanId": "{said}"}}"#);
        let record = log_record(&printed(&line));
        assert_eq!(record.trace_id, TRACE.trace_id);
        assert_eq!(record.span_id, span, "{said}");
    }
    let other = log_record(&printed(
        r#"{"logging.googleapis.com/trace": "zz", "logging.googleapis.com/spanId": "b7ad6b7169203331"}"#,
    ));
    assert_eq!(
        other.span_id, TRACE.span_id,
        "it is a span of another trace"
    );
}

#[test]
fn an_attempt_of_a_job_has_the_job_as_an_attribute() {
    let note = Entry::note("nightly".into(), None, Severity::Info, "x".into());
    let record = log_record(&note.of_job(Arc::from("nightly")));
    assert_eq!(attribute(&record.attributes, JOB), [&text("nightly")]);
    assert!(record.trace_id.is_empty());
}

#[test]
fn a_logged_message_has_its_context_as_an_attribute() {
    let mut entry = printed("");
    let logged = |context: &str| {
        let (text, context) = ("hi".into(), context.into());
        Payload::Logged(Box::new(Logged { text, context }))
    };
    entry.payload = logged("of");
    let record = log_record(&entry);
    assert_eq!(attribute(&record.attributes, "context"), [&text("of")]);
    assert_eq!(record.body.and_then(|body| body.value), Some(text("hi")));
    entry.payload = logged("");
    let record = log_record(&entry);
    assert_eq!(attribute(&record.attributes, "context").len(), 0);
}

#[test]
fn an_entry_of_another_log_names_the_log_and_cannot_set_what_the_host_sets() {
    let labels = [("a", "b"), (JOB, "nightly"), (LOG, "forged")];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let written = Written {
        place: LogPlace {
            log: "my-log".into(),
            resource_type: "global".into(),
            ..LogPlace::default()
        },
        content: Content::Text("said".into()),
        labels: labels.into(),
        trace: Some(format!("projects/p/traces/{}", "ab".repeat(16))),
        span_id: None,
        insert_id: None,
    };
    let record = log_record(&Entry::written(None, Severity::Info, written).unwrap());
    let value = |text: &str| Value::StringValue(text.into());
    assert_eq!(record.body.unwrap().value, Some(value("said")));
    assert_eq!(record.trace_id, [0xab; 16]);
    let attributes = &record.attributes;
    assert_eq!(attribute(attributes, "a"), [&value("b")]);
    assert_eq!(attribute(attributes, LOG), [&value("my-log")]);
    assert!(attribute(attributes, JOB).is_empty());
}
