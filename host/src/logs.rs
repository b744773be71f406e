//! What executions print and what the host says of them: entries, their formats, and the thread that writes them.
//!
//! Workers hand entries to a [`LogQueue`] and never wait; the threads behind [`LogWriter`] render and write them, one for
//! the disk and one for stdout, which may have nobody who reads it. What finds no room is counted, and the count is
//! logged. [`SegmentWriter`] keeps them in a directory, and [`read`] and [`Follow`] find them there. A [`Collector`] gets
//! them by OTLP. This room uses `function` for the words of an execution and `store` for the rules of private
//! directories, and nothing above.

mod entry;
mod format;
mod head;
mod job_traces;
mod json;
mod keeper;
mod kept;
mod object;
mod origin;
mod otlp;
#[cfg(test)]
mod paper;
mod printer;
mod query;
mod queue;
#[cfg(test)]
mod scratch;
mod segments;
mod severity;
mod shown;
mod sink;
mod structured;
mod table;
mod timestamp;
mod untold;
mod writer;

use crate::safe;
pub use entry::{Cause, Entry, FinishStatus, Payload, Trace, Trigger};
pub use format::LogFormat;
pub use json::JsonLines;
pub use kept::KeptCounts;
pub use origin::Origin;
pub use otlp::{Collector, CollectorError, ExportCounts};
pub use query::{
    Follow, Found, HttpRequest, News, Order, Query, QueryError, Record, RecordPayload, Unreadable,
    logged_functions, read,
};
pub use queue::LogQueue;
pub use segments::{Keeping, Lost, SegmentError, SegmentWriter};
pub use severity::Severity;
pub use shown::{RecordFormat, RecordRenderer};
pub use structured::Structured;
pub use writer::{Destinations, FLUSH_INTERVAL, LogWriter, OnFault};
