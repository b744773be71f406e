//! What executions print and what the host says of them: entries, their formats, and the thread that writes them.
//!
//! Workers hand entries to a bounded queue and never wait; the writer thread renders and writes them. What does not fit
//! is counted and reported. This room uses `function` for the words of an execution, and nothing above.

mod entry;
mod format;
mod json;
mod queue;
mod safe;
mod severity;
mod table;
mod timestamp;
mod writer;

pub use entry::{Entry, FinishStatus, Payload};
pub use format::LogFormat;
pub use queue::LogQueue;
pub use severity::Severity;
pub use writer::LogWriter;
