//! Records that are sent together, and the messages that they make.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;

use super::message::{
    ExportLogs, ExportSpans, KeyValue, LogRecord, Resource, ResourceLogs, ResourceSpans, Scope,
    ScopeLogs, ScopeSpans, Span,
};
use super::record;
use crate::logs::entry::Entry;

const SERVICE: &str = "host";

/// What is sent of one entry.
pub(super) struct Record {
    function: Arc<str>,
    log: LogRecord,
    /// If it tells of the end of an execution.
    span: Option<Span>,
}

impl Record {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            function: Arc::clone(&entry.function),
            log: record::log_record(entry),
            span: record::span(entry),
        }
    }

    pub(super) fn is_span(&self) -> bool {
        self.span.is_some()
    }

    /// About how many bytes it takes, here and on the way.
    pub(super) fn weight(&self) -> usize {
        let span = self.span.as_ref().map_or(0, Message::encoded_len);
        size_of::<Self>() + self.log.encoded_len() + span
    }
}

/// Records of any functions, in the order in which they came.
#[derive(Default)]
pub(super) struct Batch {
    by_function: BTreeMap<Arc<str>, (Vec<LogRecord>, Vec<Span>)>,
    logs: u64,
    spans: u64,
}

impl Batch {
    pub(super) fn push(&mut self, record: Record) {
        let (logs, spans) = self.by_function.entry(record.function).or_default();
        logs.push(record.log);
        self.logs += 1;
        self.spans += u64::from(record.span.is_some());
        spans.extend(record.span);
    }

    /// How many log records there are.
    pub(super) fn logs(&self) -> u64 {
        self.logs
    }

    pub(super) fn spans(&self) -> u64 {
        self.spans
    }

    /// What is sent of it: `ExportLogsServiceRequest` and `ExportTraceServiceRequest`, the second one only if there are
    /// spans.
    pub(super) fn encode(self, instance: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut logs, mut spans) = (ExportLogs::default(), ExportSpans::default());
        for (function, (log_records, its_spans)) in self.by_function {
            let resource = resource(&function, instance);
            if !its_spans.is_empty() {
                spans.resource_spans.push(ResourceSpans {
                    resource: Some(resource.clone()),
                    scope_spans: vec![ScopeSpans {
                        scope: Some(scope()),
                        spans: its_spans,
                    }],
                });
            }
            logs.resource_logs.push(ResourceLogs {
                resource: Some(resource),
                scope_logs: vec![ScopeLogs {
                    scope: Some(scope()),
                    log_records,
                }],
            });
        }
        let spans = (!spans.resource_spans.is_empty()).then(|| spans.encode_to_vec());
        (logs.encode_to_vec(), spans)
    }
}

/// Who sends: this process, for `function`.
fn resource(function: &str, instance: &str) -> Resource {
    Resource {
        attributes: vec![
            KeyValue::text("service.name", SERVICE),
            KeyValue::text("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::text("service.instance.id", instance),
            KeyValue::text("faas.name", function),
        ],
    }
}

fn scope() -> Scope {
    Scope {
        name: SERVICE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
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

    fn execution(function: &str) -> [Record; 2] {
        let id = ExecutionId::random();
        let finish = FinishStatus::Code(200);
        [
            Entry::started(function.into(), id),
            Entry::finished(function.into(), id, Duration::ZERO, finish),
        ]
        .map(|entry| Record::of(&entry.in_trace(TRACE)))
    }

    #[test]
    fn records_stand_below_their_function() {
        let mut batch = Batch::default();
        for function in ["a", "b", "a"] {
            execution(function).into_iter().for_each(|r| batch.push(r));
        }
        assert_eq!((batch.logs(), batch.spans()), (6, 3));
        let (logs, spans) = batch.encode("i");
        let logs = ExportLogs::decode(&*logs).unwrap().resource_logs;
        let spans = ExportSpans::decode(&*spans.unwrap()).unwrap();
        let counts: Vec<_> = logs
            .iter()
            .map(|logs| logs.scope_logs[0].log_records.len())
            .collect();
        assert_eq!(counts, [4, 2]);
        let name = KeyValue::text("faas.name", "b");
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
    fn without_an_end_there_is_nothing_to_trace() {
        let mut batch = Batch::default();
        let [started, _] = execution("a");
        batch.push(started);
        assert_eq!(batch.encode("i").1, None);
    }
}
