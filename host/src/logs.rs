//! What executions print and what the host says of them: entries, their formats, and the thread that writes them.
//!
//! Workers hand entries to a [`LogQueue`] and never wait; the thread behind [`LogWriter`] renders and writes them. What
//! finds no room is counted, and the count is logged. This room uses `function` for the words of an execution, and
//! nothing above.

mod entry;
mod format;
mod json;
#[cfg(test)]
mod paper;
mod queue;
mod safe;
mod severity;
mod sink;
mod table;
mod timestamp;
mod writer;

pub use entry::{Entry, FinishStatus, Payload};
pub use format::LogFormat;
pub use queue::LogQueue;
pub use severity::Severity;
pub use writer::LogWriter;
