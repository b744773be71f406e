//! How many records were sent.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many records the collector accepted, and how many were lost, since the start.
#[derive(Debug, Default)]
pub struct ExportCounts {
    pub(super) logs: Outcomes,
    pub(super) spans: Outcomes,
}

/// The counts of one signal.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    sent: AtomicU64,
    lost: AtomicU64,
}

impl ExportCounts {
    /// The log records that were sent, and those that were lost.
    pub fn logs(&self) -> (u64, u64) {
        self.logs.read()
    }

    /// The spans that were sent, and those that were lost.
    pub fn spans(&self) -> (u64, u64) {
        self.spans.read()
    }
}

impl Outcomes {
    fn read(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.sent), load(&self.lost))
    }

    /// Counts records.
    pub(super) fn add(&self, sent: u64, lost: u64) {
        self.sent.fetch_add(sent, Ordering::Relaxed);
        self.lost.fetch_add(lost, Ordering::Relaxed);
    }
}
