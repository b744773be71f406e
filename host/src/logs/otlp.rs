//! Log entries and executions sent on to a collector, by OTLP over HTTP (OpenTelemetry Protocol, version 1).
//!
//! The writer thread makes records of entries and hands them to a thread of its own, which gathers them into batches,
//! sends those, and tries again where that may help. What waits is bounded, and what is lost is counted.

mod batch;
mod collector;
mod export;
mod message;
mod record;

pub use collector::{Collector, CollectorError};
pub use export::ExportCounts;
pub(super) use export::{Exporter, Outlet};
