//! The way of entries from the workers to the outputs: a bounded queue, and the threads that render and write.
//!
//! Workers push entries and never wait. With a log directory or a collector, the storage thread handles entries first
//! and forwards them to the stdout thread. Dropped entries are counted, and the log says how many are missing.
//!
//! Depends on `entry`, `forms`, `segments` and `otlp`.

mod counts;
mod disk_output;
mod job_traces;
mod missing_entries;
mod queue;
mod sink;
mod stdout_thread;
mod storage_thread;
mod writer;

pub use counts::StorageCounts;
pub use queue::LogQueue;
pub use writer::{Destinations, FLUSH_INTERVAL, LogWriter, OnFault};
