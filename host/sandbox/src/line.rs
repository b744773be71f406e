//! The lines that an execution prints.

use std::time::SystemTime;

/// The longest line that is kept, in bytes. The rest of a longer line is cut, and the line says so.
pub const LINE_LIMIT: usize = 16 * 1024;

/// What a line counts for at the least, in bytes: about what the host keeps beside the text of an entry.
pub const LEAST_LINE: usize = 128;

/// How much a message of `wasi:logging` matters, as the guest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the words of the interface")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// Where a line was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A message of `wasi:logging`, which may have several lines.
    Logging(Level),
    /// Not printed by the guest: the sandbox says it of what the guest has just done.
    Host,
}

/// One line that an execution printed, without its line end. Bytes that are not UTF-8 are replaced by U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When its last byte was printed.
    pub time: SystemTime,
    /// Where it was printed.
    pub stream: Stream,
    /// Its text, at most [`LINE_LIMIT`] bytes and a note of what was cut.
    pub text: String,
    /// What a message of [`Stream::Logging`] belongs to, bounded as its text is. Empty if the guest does not say.
    pub context: String,
    /// Which setting would have prevented what a line of [`Stream::Host`] tells, if one would.
    pub remedy: Option<Remedy>,
}

/// A setting of the function that prevents something from being refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// A higher [`Limits::log_output`](crate::Limits::log_output).
    LogOutput,
    /// A rule or an address, as `OutboundPolicy::allow` takes it.
    Outbound(String),
}
