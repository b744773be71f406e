//! Sends log entries, and a span for each execution, to a collector by OTLP over HTTP (OpenTelemetry Protocol, version
//! 1).
//!
//! The storage thread converts entries to OTLP records and hands them to a separate thread. That thread sends them in
//! batches and repeats failed requests where that can help. The amount that waits is bounded, and lost records are
//! counted.
//!
//! Depends on `entry`.

mod any_value;
mod attributes;
mod batch;
mod collector;
mod counts;
mod export;
mod log_record;
mod span;

pub use collector::{Collector, CollectorError};
pub use counts::ExportCounts;
pub(super) use export::{ExportSender, Exporter};
