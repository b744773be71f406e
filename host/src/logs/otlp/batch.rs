//! Records that are sent together, and their messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::any_value::text_attribute;
use super::log_record::log_record;
use super::span::span;
use crate::logs::entry::Entry;

const SERVICE: &str = "host";

/// The records of one entry.
pub(super) struct EntryRecords {
    function: Arc<str>,
    log: LogRecord,
    /// Set for the end of an execution.
    span: Option<Span>,
}

impl EntryRecords {
    /// Converts `entry`.
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            function: Arc::clone(&entry.function),
            log: log_record(entry),
            span: span(entry),
        }
    }

    /// Whether a span is among them.
    pub(super) fn has_span(&self) -> bool {
        self.span.is_some()
    }

    /// Their approximate size in bytes, in memory and in a message.
    pub(super) fn size(&self) -> usize {
        let span = self.span.as_ref().map_or(0, Message::encoded_len);
        size_of::<Self>() + self.log.encoded_len() + span
    }
}

/// Records of any functions, grouped by function.
#[derive(Default)]
pub(super) struct Batch {
    by_function: BTreeMap<Arc<str>, (Vec<LogRecord>, Vec<Span>)>,
    logs: u64,
    spans: u64,
}

impl Batch {
    /// Adds the records of an entry.
    pub(super) fn push(&mut self, records: EntryRecords) {
        let (logs, spans) = self.by_function.entry(records.function).or_default();
        logs.push(records.log);
        self.logs += 1;
        self.spans += u64::from(records.span.is_some());
        spans.extend(records.span);
    }

    /// The number of log records.
    pub(super) fn logs(&self) -> u64 {
        self.logs
    }

    /// The number of spans.
    pub(super) fn spans(&self) -> u64 {
        self.spans
    }

    /// The encoded `ExportLogsServiceRequest`, and the encoded `ExportTraceServiceRequest` if there are spans.
    pub(super) fn encode(self, instance: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut logs, mut spans) = (
            ExportLogsServiceRequest::default(),
            ExportTraceServiceRequest::default(),
        );
        for (function, (log_records, its_spans)) in self.by_function {
            let resource = resource(&function, instance);
            if !its_spans.is_empty() {
                spans.resource_spans.push(ResourceSpans {
                    resource: Some(resource.clone()),
                    scope_spans: vec![ScopeSpans {
                        scope: Some(scope()),
                        spans: its_spans,
                        ..ScopeSpans::default()
                    }],
                    ..ResourceSpans::default()
                });
            }
            logs.resource_logs.push(ResourceLogs {
                resource: Some(resource),
                scope_logs: vec![ScopeLogs {
                    scope: Some(scope()),
                    log_records,
                    ..ScopeLogs::default()
                }],
                ..ResourceLogs::default()
            });
        }
        let spans = (!spans.resource_spans.is_empty()).then(|| spans.encode_to_vec());
        (logs.encode_to_vec(), spans)
    }
}

/// The sender: this process, for `function`, which is empty for other logs.
fn resource(function: &str, instance: &str) -> Resource {
    let mut attributes = vec![
        text_attribute("service.name", SERVICE),
        text_attribute("service.version", env!("CARGO_PKG_VERSION")),
        text_attribute("service.instance.id", instance),
    ];
    if !function.is_empty() {
        attributes.push(text_attribute("faas.name", function));
    }
    Resource {
        attributes,
        ..Resource::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: SERVICE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::entry::{FinishStatus, Trace};
    use std::time::Duration;

    const TRACE: Trace = Trace {
        trace_id: [1; 16],
        span_id: [2; 8],
    };

    fn execution(function: &str) -> [EntryRecords; 2] {
        let id = ExecutionId::random();
        let finish = FinishStatus::Code(200);
        [
            Entry::started(function.into(), id),
            Entry::finished(function.into(), id, Duration::ZERO, finish),
        ]
        .map(|entry| EntryRecords::of(&entry.in_trace(TRACE)))
    }

    #[test]
    fn records_are_grouped_by_function() {
        let mut batch = Batch::default();
        for function in ["a", "b", "a"] {
            execution(function).into_iter().for_each(|r| batch.push(r));
        }
        assert_eq!((batch.logs(), batch.spans()), (6, 3));
        let (logs, spans) = batch.encode("i");
        let logs = ExportLogsServiceRequest::decode(&*logs)
            .unwrap()
            .resource_logs;
        let spans = ExportTraceServiceRequest::decode(&*spans.unwrap()).unwrap();
        let counts: Vec<_> = logs
            .iter()
            .map(|logs| logs.scope_logs[0].log_records.len())
            .collect();
        assert_eq!(counts, [4, 2]);
        let name = text_attribute("faas.name", "b");
        assert!(
            logs[1]
                .resource
                .as_ref()
                .unwrap()
                .attributes
                .contains(&name)
        );
        assert_eq!(spans.resource_spans[0].scope_spans[0].spans.len(), 2);
    }

    #[test]
    fn without_an_end_there_is_no_span() {
        let mut batch = Batch::default();
        let [started, _] = execution("a");
        batch.push(started);
        assert_eq!(batch.encode("i").1, None);
    }
}
