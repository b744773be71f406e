//! The log: what executions print, and the messages of the host about them.
//!
//! Workers push entries into a [`LogQueue`] and never wait. The threads of [`LogWriter`] render and write them. A
//! [`SegmentWriter`] stores them in a directory, where [`read`] and [`Follow`] find them. A [`Collector`] receives them
//! by OTLP.
//!
//! | module | what it contains | depends on |
//! |---|---|---|
//! | `entry` | what an entry is: severity, origin, payload, timestamp | |
//! | `forms` | how entries are rendered as text and parsed: JSON line, table, logfmt | `entry` |
//! | `segments` | the files on disk | `entry`, `forms` |
//! | `query` | reading and following the files | `entry`, `forms`, `segments` |
//! | `filter` | Google's Logging query language | `entry`, `query` |
//! | `otlp` | sending entries to a collector | `entry` |
//! | `pipeline` | the queue and the threads that write | `entry`, `forms`, `segments`, `otlp` |
//!
//! Outside of this module, it uses `function` for the types of an execution and `store` for private directories.

mod entry;
mod filter;
mod forms;
mod otlp;
mod pipeline;
mod query;
mod segments;
#[cfg(test)]
mod test_support;

pub use entry::{
    AUDIT_LOG, Cause, Content, Entry, FUNCTIONS_LOG, FinishStatus, LogPlace, Logged, Origin,
    Payload, Severity, Structured, Trace, Trigger, Written, WrittenError,
};
pub use filter::{Filter, FilterError};
pub use forms::{
    HttpRequest, JsonLines, LogFormat, ReadFormat, ReadRenderer, StoredEntry, log_name,
};
pub use otlp::{Collector, CollectorError, ExportCounts};
pub use pipeline::{Destinations, FLUSH_INTERVAL, LogQueue, LogWriter, OnFault, StorageCounts};
pub use query::{
    Follow, Log, NewEntries, Order, Page, Position, PositionError, Predicate, Query, QueryError,
    QueryResult, Unreadable, log_ids, logged_functions, read, read_page, read_page_within,
};
pub use segments::{AppendError, Retention, SegmentError, SegmentWriter};
