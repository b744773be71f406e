//! One log entry.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::origin::Origin;
use super::severity::Severity;
use super::structured::Structured;
use crate::execution_id::ExecutionId;
use host_sandbox::{Line, Stream};

/// One line that an execution printed, or that the host says of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub time: SystemTime,
    /// How much it matters.
    pub severity: Severity,
    /// The function's name.
    pub function: Arc<str>,
    /// The execution, if it is about one.
    pub execution: Option<ExecutionId>,
    /// The job that caused the execution, if one did.
    pub job: Option<Arc<str>>,
    /// The trace that the execution belongs to.
    pub trace: Option<Trace>,
    /// Who caused it; told with the end of an execution and with a refusal.
    pub origin: Origin,
    /// What.
    pub payload: Payload,
}

/// The place of an execution in a trace, as `traceparent` of W3C Trace Context names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The execution's span in it.
    pub span_id: [u8; 8],
}

/// What an entry says. Its text, in the words of Cloud Functions, is what it displays as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The execution has started.
    Started,
    /// The execution has ended.
    Finished {
        /// How long it took.
        took: Duration,
        /// How it ended.
        status: FinishStatus,
        /// Where it came from.
        cause: Cause,
    },
    /// A line that the guest printed. Not trusted.
    Printed(String),
    /// A line that the guest printed and that is a JSON object. Not trusted.
    Structured(Box<Structured>),
    /// What the host says. May have several lines, as a backtrace has, and may quote the guest.
    Note(String),
}

/// Where an execution came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The caller's span, if it named one.
    pub parent_span: Option<[u8; 8]>,
    /// What caused it.
    pub trigger: Trigger,
    /// Whether the function's code was compiled for it to be served, rather than found compiled.
    pub is_newly_compiled: bool,
}

/// What causes an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// A request.
    #[default]
    Http,
    /// A request that says that a schedule made it.
    Timer,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishStatus {
    /// With this status code.
    Code(u16),
    /// With a failure, in a word such as `timeout`.
    Word(&'static str),
}

impl Entry {
    /// The execution has started, now.
    pub fn started(function: Arc<str>, execution: ExecutionId) -> Self {
        Self::now(Severity::Debug, function, Some(execution), Payload::Started)
    }

    /// The execution has ended, now.
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

    /// The execution printed `line`: INFO from stdout, ERROR from stderr, WARNING from the host itself.
    pub fn printed(function: Arc<str>, execution: ExecutionId, line: Line) -> Self {
        let (severity, payload) = match line.stream {
            Stream::Stdout => (Severity::Info, Payload::Printed(line.text)),
            Stream::Stderr => (Severity::Error, Payload::Printed(line.text)),
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

    /// The host says `text`, now.
    pub fn note(
        function: Arc<str>,
        execution: Option<ExecutionId>,
        severity: Severity,
        text: String,
    ) -> Self {
        Self::now(severity, function, execution, Payload::Note(text))
    }

    /// This entry, of an execution in `trace`.
    #[must_use]
    pub fn in_trace(self, trace: Trace) -> Self {
        Self {
            trace: Some(trace),
            ..self
        }
    }

    /// This entry, of an execution that came from `cause`, as far as it tells of that.
    #[must_use]
    pub fn caused_by(mut self, of_execution: Cause) -> Self {
        if let Payload::Finished { cause, .. } = &mut self.payload {
            *cause = of_execution;
        }
        self
    }

    /// This entry, of what `origin` caused.
    #[must_use]
    pub fn from_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// This entry, of an execution or an attempt that `job` caused.
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

    /// The id of its execution, or nothing.
    pub fn execution_id(&self) -> &str {
        self.execution.as_ref().map_or("", ExecutionId::as_str)
    }

    /// Whether more depends on it than on what is printed: it says that an execution started or finished, or what a job
    /// does, which tells whose the executions are that it causes.
    pub(super) fn is_left_out_last(&self) -> bool {
        match self.payload {
            Payload::Started | Payload::Finished { .. } => true,
            // What a function prints for a job has the job's name as well.
            Payload::Note(_) => self.job.is_some(),
            Payload::Printed(_) | Payload::Structured(_) => false,
        }
    }

    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        let text = match &self.payload {
            Payload::Printed(text) | Payload::Note(text) => text.capacity(),
            // Made of a printed line by the writer, after it was weighed.
            Payload::Structured(_) | Payload::Started | Payload::Finished { .. } => 0,
        };
        size_of::<Self>() + text
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("Function execution started"),
            Self::Finished { took, status, .. } => {
                let took = took.as_millis();
                write!(
                    f,
                    "Function execution took {took} ms, finished with {status}"
                )
            }
            Self::Printed(text) | Self::Note(text) => f.write_str(text),
            Self::Structured(structured) => structured.fmt(f),
        }
    }
}

impl fmt::Display for FinishStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "status code: {code}"),
            Self::Word(word) => write!(f, "status: '{word}'"),
        }
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
            remedy: None,
        };
        Entry::printed("f".into(), ExecutionId::random(), line)
    }

    #[test]
    fn start_and_finish_have_the_words_of_cloud_functions() {
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
    fn only_the_host_may_say_several_lines() {
        let text = || "said".to_owned();
        assert_eq!(printed(Stream::Stdout).payload, Payload::Printed(text()));
        assert_eq!(printed(Stream::Stderr).payload, Payload::Printed(text()));
        assert_eq!(printed(Stream::Host).payload, Payload::Note(text()));
    }

    #[test]
    fn a_line_keeps_the_time_at_which_it_was_printed() {
        assert_eq!(printed(Stream::Stdout).time, SystemTime::UNIX_EPOCH);
    }
}
