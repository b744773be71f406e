//! What a log entry says.

use std::fmt;
use std::time::Duration;

use super::structured::Structured;
use super::written::Written;

/// The content of an entry. `Display` gives its text, worded as Cloud Functions words it.
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
        /// What caused it.
        cause: Cause,
    },
    /// A line of text that the guest printed. Untrusted.
    Printed(String),
    /// A line that the guest printed and that is a JSON object. Untrusted.
    Structured(Box<Structured>),
    /// A message that the guest logged by `wasi:logging`. Untrusted.
    Logged(Box<Logged>),
    /// A message of the host. It may have several lines, such as a backtrace, and may quote the guest.
    Note(String),
    /// An entry of another log than that of the functions.
    Written(Box<Written>),
}

/// A message that a guest logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its text. It may have several lines.
    pub text: String,
    /// What it belongs to, a label of the entry. Empty if the guest does not say.
    pub context: String,
}

/// What caused an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The caller's span, if the request named one.
    pub parent_span: Option<[u8; 8]>,
    /// The kind of trigger.
    pub trigger: Trigger,
    /// Whether the function's code was compiled when it was loaded, rather than read from the compile cache.
    pub is_newly_compiled: bool,
}

/// The kind of trigger of an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// An ordinary request.
    #[default]
    Http,
    /// A request that says that a scheduler sent it.
    Timer,
}

/// How an execution ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishStatus {
    /// With an HTTP status code.
    Code(u16),
    /// With a failure, as a word such as `timeout`.
    Word(&'static str),
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
            Self::Logged(logged) => f.write_str(&logged.text),
            Self::Structured(structured) => structured.fmt(f),
            Self::Written(written) => f.write_str(&written.content.message()),
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
