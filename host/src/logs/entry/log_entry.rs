//! One log entry.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::origin::Origin;
use super::payload::{Cause, FinishStatus, Logged, Payload};
use super::severity::Severity;
use super::written::Written;
use crate::execution_id::ExecutionId;
use host_sandbox::output::Level;
use host_sandbox::{Line, Stream};

/// One line that an execution printed, a message of the host about it, or an entry of another log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was printed or written.
    pub time: SystemTime,
    /// Its severity.
    pub severity: Severity,
    /// The function's name; empty in other logs.
    pub function: Arc<str>,
    /// The execution that it belongs to, if any.
    pub execution: Option<ExecutionId>,
    /// The job that caused the execution, if any.
    pub job: Option<Arc<str>>,
    /// The trace that the execution belongs to.
    pub trace: Option<Trace>,
    /// Who caused it. Set on the end of an execution and on a refusal.
    pub origin: Origin,
    /// Its content.
    pub payload: Payload,
}

/// An execution's trace and span, as in `traceparent` of W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The id of the trace.
    pub trace_id: [u8; 16],
    /// The id of the execution's span.
    pub span_id: [u8; 8],
}

impl Entry {
    /// The start of an execution, now.
    pub fn started(function: Arc<str>, execution: ExecutionId) -> Self {
        Self::now(Severity::Debug, function, Some(execution), Payload::Started)
    }

    /// The end of an execution, now.
    pub fn finished(
        function: Arc<str>,
        execution: ExecutionId,
        took: Duration,
        status: FinishStatus,
    ) -> Self {
        let payload = Payload::Finished {
            took,
            status,
            cause: Cause::default(),
        };
        Self::now(Severity::Debug, function, Some(execution), payload)
    }

    /// A line that an execution printed or logged: INFO on stdout, ERROR on stderr, the severity of its level if it was
    /// logged, WARNING if the host added it.
    pub fn printed(function: Arc<str>, execution: ExecutionId, line: Line) -> Self {
        let (severity, payload) = match line.stream {
            Stream::Stdout => (Severity::Info, Payload::Printed(line.text)),
            Stream::Stderr => (Severity::Error, Payload::Printed(line.text)),
            Stream::Logging(level) => {
                let (text, context) = (line.text, line.context);
                let logged = Box::new(Logged { text, context });
                (of_level(level), Payload::Logged(logged))
            }
            Stream::Host => (Severity::Warning, Payload::Note(line.text)),
        };
        Self {
            time: line.time,
            severity,
            function,
            execution: Some(execution),
            job: None,
            trace: None,
            origin: Origin::default(),
            payload,
        }
    }

    /// A message of the host, now.
    pub fn note(
        function: Arc<str>,
        execution: Option<ExecutionId>,
        severity: Severity,
        text: String,
    ) -> Self {
        Self::now(severity, function, execution, Payload::Note(text))
    }

    /// An entry of another log than that of the functions.
    pub(super) fn of_other_log(time: SystemTime, severity: Severity, written: Written) -> Self {
        let payload = Payload::Written(Box::new(written));
        Self {
            time,
            ..Self::now(severity, Arc::from(""), None, payload)
        }
    }

    /// Sets the trace.
    #[must_use]
    pub fn in_trace(self, trace: Trace) -> Self {
        Self {
            trace: Some(trace),
            ..self
        }
    }

    /// Sets the cause, if this is the end of an execution; otherwise changes nothing.
    #[must_use]
    pub fn caused_by(mut self, of_execution: Cause) -> Self {
        if let Payload::Finished { cause, .. } = &mut self.payload {
            *cause = of_execution;
        }
        self
    }

    /// Sets the origin.
    #[must_use]
    pub fn from_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// Sets the job.
    #[must_use]
    pub fn of_job(self, job: Arc<str>) -> Self {
        Self {
            job: Some(job),
            ..self
        }
    }

    fn now(
        severity: Severity,
        function: Arc<str>,
        execution: Option<ExecutionId>,
        payload: Payload,
    ) -> Self {
        Self {
            time: SystemTime::now(),
            severity,
            function,
            execution,
            job: None,
            trace: None,
            origin: Origin::default(),
            payload,
        }
    }

    /// The id of its execution, or the empty string.
    pub fn execution_id(&self) -> &str {
        self.execution.as_ref().map_or("", ExecutionId::as_str)
    }

    /// Whether it is dropped only after ordinary output: the start and the end of executions, the host's messages about
    /// jobs, which assign executions to their job, and the audit log.
    pub(in crate::logs) fn is_high_priority(&self) -> bool {
        match self.payload {
            Payload::Started | Payload::Finished { .. } => true,
            // Lines that a function prints also carry the job's name, but they are `Printed`.
            Payload::Note(_) => self.job.is_some(),
            Payload::Written(_) => self.payload.is_audit(),
            Payload::Printed(_) | Payload::Logged(_) | Payload::Structured(_) => false,
        }
    }

    /// Its approximate size in memory, in bytes.
    pub(in crate::logs) fn size(&self) -> usize {
        let text = match &self.payload {
            Payload::Printed(text) | Payload::Note(text) => text.capacity(),
            Payload::Logged(logged) => {
                size_of::<Logged>() + logged.text.capacity() + logged.context.capacity()
            }
            Payload::Written(written) => written.size(),
            // Structured payloads are parsed on the writer thread, after the size was counted.
            Payload::Structured(_) | Payload::Started | Payload::Finished { .. } => 0,
        };
        size_of::<Self>() + text
    }
}

/// The severity of a message of this level.
fn of_level(level: Level) -> Severity {
    match level {
        Level::Trace | Level::Debug => Severity::Debug,
        Level::Info => Severity::Info,
        Level::Warn => Severity::Warning,
        Level::Error => Severity::Error,
        Level::Critical => Severity::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(status: FinishStatus) -> String {
        let took = Duration::from_micros(4_700);
        let entry = Entry::finished("f".into(), ExecutionId::random(), took, status);
        assert_eq!(entry.severity, Severity::Debug);
        entry.payload.to_string()
    }

    fn printed(stream: Stream) -> Entry {
        let line = Line {
            time: SystemTime::UNIX_EPOCH,
            stream,
            text: "said".into(),
            context: "of".into(),
            remedy: None,
        };
        Entry::printed("f".into(), ExecutionId::random(), line)
    }

    #[test]
    fn start_and_end_are_worded_as_in_cloud_functions() {
        let started = Entry::started("f".into(), ExecutionId::random());
        assert_eq!(started.payload.to_string(), "Function execution started");
        assert_eq!(
            finish(FinishStatus::Code(200)),
            "Function execution took 4 ms, finished with status code: 200"
        );
        assert_eq!(
            finish(FinishStatus::Word("timeout")),
            "Function execution took 4 ms, finished with status: 'timeout'"
        );
    }

    #[test]
    fn stdout_is_info_stderr_is_error_and_the_host_warns() {
        assert_eq!(printed(Stream::Stdout).severity, Severity::Info);
        assert_eq!(printed(Stream::Stderr).severity, Severity::Error);
        assert_eq!(printed(Stream::Host).severity, Severity::Warning);
    }

    #[test]
    fn a_logged_message_has_the_severity_of_its_level() {
        for (level, severity) in [
            (Level::Trace, Severity::Debug),
            (Level::Debug, Severity::Debug),
            (Level::Info, Severity::Info),
            (Level::Warn, Severity::Warning),
            (Level::Error, Severity::Error),
            (Level::Critical, Severity::Critical),
        ] {
            assert_eq!(printed(Stream::Logging(level)).severity, severity);
        }
    }

    #[test]
    fn only_messages_of_the_host_are_notes() {
        let text = || "said".to_owned();
        assert_eq!(printed(Stream::Stdout).payload, Payload::Printed(text()));
        assert_eq!(printed(Stream::Stderr).payload, Payload::Printed(text()));
        assert_eq!(printed(Stream::Host).payload, Payload::Note(text()));
        let logged = Logged {
            text: text(),
            context: "of".into(),
        };
        let entry = printed(Stream::Logging(Level::Info));
        assert_eq!(entry.payload, Payload::Logged(Box::new(logged)));
    }

    #[test]
    fn a_line_has_the_time_at_which_it_was_printed() {
        assert_eq!(printed(Stream::Stdout).time, SystemTime::UNIX_EPOCH);
    }
}
