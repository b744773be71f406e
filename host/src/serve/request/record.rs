//! Makes log entries of what an execution does.

use std::sync::Arc;

use crate::advice;
use crate::execution_id::ExecutionId;
use crate::logs::{Cause, Entry, FinishStatus, LogQueue, Origin, Severity, Trace};
use crate::serve::drain::PendingGuard;
use crate::serve::functions::admission::Permit;
use crate::serve::functions::counters::Counters;
use host_sandbox::execution::{Ended, Observer};
use host_sandbox::{Failure, Line};

/// Gathers the entries of one execution and hands them on when it waits or ends, so that a short execution costs the
/// queue one message.
pub(in crate::serve) struct Record {
    log: LogQueue,
    function: Arc<str>,
    execution: ExecutionInfo,
    counters: Arc<Counters>,
    entries: Vec<Entry>,
    /// These are given back when the execution is over, which may be later than its answer.
    _permit: Permit,
    _pending: PendingGuard,
}

/// What the log says of an execution, and is known before it begins.
pub(in crate::serve) struct ExecutionInfo {
    pub(in crate::serve) id: ExecutionId,
    pub(in crate::serve) trace: Trace,
    pub(in crate::serve) cause: Cause,
    /// From whom its request is.
    pub(in crate::serve) origin: Origin,
}

impl Record {
    /// Begins with the entry that says so.
    pub(in crate::serve) fn start(
        log: LogQueue,
        function: Arc<str>,
        execution: ExecutionInfo,
        counters: Arc<Counters>,
        permit: Permit,
        pending: PendingGuard,
    ) -> Self {
        let mut entries = Vec::with_capacity(4);
        let started = Entry::started(Arc::clone(&function), execution.id);
        entries.push(started.in_trace(execution.trace));
        counters.started();
        Self {
            log,
            function,
            execution,
            counters,
            entries,
            _permit: permit,
            _pending: pending,
        }
    }

    fn printed(&mut self, lines: Vec<Line>) {
        let (function, ExecutionInfo { id, trace, .. }) = (&self.function, &self.execution);
        self.entries.extend(lines.into_iter().map(|line| {
            Entry::printed(Arc::clone(function), *id, advice::line(line)).in_trace(*trace)
        }));
    }

    fn note(&mut self, severity: Severity, text: String) {
        let function = Arc::clone(&self.function);
        let entry = Entry::note(function, Some(self.execution.id), severity, text);
        self.entries.push(entry.in_trace(self.execution.trace));
    }

    fn flush(&mut self) {
        if !self.entries.is_empty() {
            self.log.push(std::mem::take(&mut self.entries));
        }
    }
}

impl Observer for Record {
    fn waiting(&mut self, lines: Vec<Line>) {
        self.printed(lines);
        self.flush();
    }

    fn ended(&mut self, ended: Ended) {
        self.counters.ended(&ended);
        self.printed(ended.lines);
        let status = match (&ended.failure, ended.status) {
            (Some(failure), _) => {
                self.note(severity(failure), advice::failure(failure));
                FinishStatus::Word(failure.word())
            }
            (None, Some(status)) => FinishStatus::Code(status.as_u16()),
            (None, None) => FinishStatus::Word("error"),
        };
        let function = Arc::clone(&self.function);
        let execution = &mut self.execution;
        let entry = Entry::finished(function, execution.id, ended.usage.wall, status);
        let entry = entry.in_trace(execution.trace).caused_by(execution.cause);
        self.entries
            .push(entry.from_origin(std::mem::take(&mut execution.origin)));
        self.flush();
    }
}

fn severity(failure: &Failure) -> Severity {
    if failure.is_from_client() {
        Severity::Warning
    } else {
        Severity::Error
    }
}
