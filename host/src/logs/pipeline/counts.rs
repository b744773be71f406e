//! What became of entries, counted since the start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::logs::otlp::ExportCounts;

/// The counts of all outputs.
#[derive(Debug, Default)]
pub(super) struct PipelineCounts {
    /// Entries that were written to stdout.
    pub(super) written: AtomicU64,
    /// Entries that were bound for stdout and dropped, in any queue or at stdout itself.
    pub(super) dropped: AtomicU64,
    pub(super) stored: Arc<StorageCounts>,
    pub(super) exported: Arc<ExportCounts>,
}

/// How many entries were stored on disk, and how many could not be.
#[derive(Debug, Default)]
pub struct StorageCounts {
    stored: AtomicU64,
    lost: AtomicU64,
    damaged: AtomicU64,
}

impl StorageCounts {
    /// Entries that were handed to the operating system to be written to a file.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Entries that were dropped because the disk was full, too slow, or failed.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Segments that are cut, damaged or unreadable.
    pub fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Counts stored entries.
    pub(super) fn add_stored(&self, entries: u64) {
        self.stored.fetch_add(entries, Ordering::Relaxed);
    }

    /// Counts lost entries.
    pub(super) fn add_lost(&self, entries: u64) {
        self.lost.fetch_add(entries, Ordering::Relaxed);
    }

    /// Sets the number of damaged segments. Returns whether it has risen.
    pub(super) fn set_damaged(&self, segments: u64) -> bool {
        segments > self.damaged.swap(segments, Ordering::Relaxed)
    }
}
