//! One log entry.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::severity::Severity;
use crate::function::{ExecutionId, Line, Stream};

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
    /// What.
    pub payload: Payload,
}

/// What an entry says. Start and finish are spelled out only when they are written.
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
    },
    /// A line that the guest printed. Not trusted.
    Printed(String),
    /// What the host says. May have several lines, as a backtrace has.
    Note(String),
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
        let payload = Payload::Finished { took, status };
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
            payload,
        }
    }

    /// The id of its execution, or nothing.
    pub fn execution_id(&self) -> &str {
        self.execution.as_ref().map_or("", ExecutionId::as_str)
    }

    /// What it says, in the words of Cloud Functions.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.payload {
            Payload::Started => "Function execution started".into(),
            Payload::Finished { took, status } => {
                let took = took.as_millis();
                match status {
                    FinishStatus::Code(code) => format!(
                        "Function execution took {took} ms, finished with status code: {code}"
                    ),
                    FinishStatus::Word(word) => {
                        format!("Function execution took {took} ms, finished with status: '{word}'")
                    }
                }
                .into()
            }
            Payload::Printed(text) | Payload::Note(text) => text.into(),
        }
    }

    /// About how many bytes it holds.
    pub(super) fn weight(&self) -> usize {
        let text = match &self.payload {
            Payload::Printed(text) | Payload::Note(text) => text.capacity(),
            Payload::Started | Payload::Finished { .. } => 0,
        };
        size_of::<Self>() + text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(status: FinishStatus) -> String {
        let took = Duration::from_micros(4_700);
        Entry::finished("f".into(), ExecutionId::random(), took, status)
            .text()
            .into_owned()
    }

    #[test]
    fn the_finish_line_has_the_words_of_cloud_functions() {
        assert_eq!(
            finish(FinishStatus::Code(200)),
            "Function execution took 4 ms, finished with status code: 200"
        );
        assert_eq!(
            finish(FinishStatus::Word("timeout")),
            "Function execution took 4 ms, finished with status: 'timeout'"
        );
    }
}
