//! Writes entries to segments on disk, and reports those that could not be written.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use super::counts::StorageCounts;
use super::missing_entries::{MissingEntries, Reason};
use crate::counted::counted;
use crate::logs::entry::Entry;
use crate::logs::forms::JsonLines;
use crate::logs::forms::line_header::LineHeader;
use crate::logs::segments::{AppendError, SegmentWriter};

/// How many damaged segments a message names.
const MAX_NAMED: usize = 5;

/// Stores entries in segments.
pub(super) struct DiskOutput {
    lines: JsonLines,
    segments: SegmentWriter,
    buffer: Vec<u8>,
    /// The number of entries in the buffer.
    entries: u64,
    /// Lost entries that the log does not mention yet.
    missing: MissingEntries,
    counts: Arc<StorageCounts>,
    /// Where failures are reported: once each, until the operation succeeds again.
    write_failed: bool,
    maintenance_failed: bool,
}

impl DiskOutput {
    pub(super) fn new(segments: SegmentWriter, counts: Arc<StorageCounts>) -> Self {
        Self {
            lines: JsonLines::new(),
            segments,
            buffer: Vec::new(),
            entries: 0,
            missing: MissingEntries::default(),
            counts,
            write_failed: false,
            maintenance_failed: false,
        }
    }

    /// Adds `entry` to the buffer.
    pub(super) fn render(&mut self, entry: &Entry) {
        self.lines.line(entry, &mut self.buffer);
        self.entries += 1;
    }

    /// The number of bytes in the buffer.
    pub(super) fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Writes the buffer. Entries that cannot be written are dropped, because waiting would delay all others.
    pub(super) fn write(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let written = self.segments.append(&self.buffer);
        let entries = std::mem::take(&mut self.entries);
        match written {
            Ok(()) => {
                self.counts.add_stored(entries);
                self.write_failed = false;
                self.write_reports();
            }
            Err(error) => self.lose(entries, &error),
        }
        self.buffer.clear();
    }

    /// Reports entries of `function` that were dropped, and counted, before they reached this output.
    pub(super) fn report_missing(&mut self, function: &str, entries: u64) {
        self.missing.add(Reason::Behind, function, entries);
    }

    /// Closes, compresses and removes segments that are due, and writes reports of missing entries if the disk can be
    /// written to again.
    pub(super) fn maintain(&mut self) {
        self.write_reports();
        let maintained = self.segments.maintain(SystemTime::now());
        self.report_damage();
        match maintained {
            Ok(()) => self.maintenance_failed = false,
            Err(error) => {
                if !std::mem::replace(&mut self.maintenance_failed, true) {
                    tracing::error!(
                        "stored log segments cannot be compressed or removed: {error}; this is tried again"
                    );
                }
            }
        }
    }

    /// Whether [`maintain`](Self::maintain) has more work that is due.
    pub(super) fn is_behind(&self) -> bool {
        self.segments.is_behind() && !self.maintenance_failed
    }

    /// Syncs to the disk, and reports entries that the log does not mention as missing.
    pub(super) fn finish(&mut self) {
        self.write_reports();
        if let Err(error) = self.segments.sync() {
            self.report_write_error(&error);
        }
        let missing = self.missing.count();
        if missing > 0 {
            tracing::warn!(
                "{missing} log entries could not be kept, and the entry that reports them could not be written either"
            );
        }
    }

    fn report_damage(&mut self) {
        let damaged = self.segments.damaged();
        if self.counts.set_damaged(damaged.len() as u64) {
            let numbers: Vec<_> = damaged.iter().rev().take(MAX_NAMED).collect();
            tracing::warn!(
                "{} of the log cannot be read completely; the latest: {}",
                counted(damaged.len(), "segment"),
                numbers
                    .iter()
                    .map(|number| format!("{number:012}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
    }

    fn lose(&mut self, entries: u64, error: &AppendError) {
        self.counts.add_stored(entries.saturating_sub(error.lines));
        self.counts.add_lost(error.lines);
        let lines = self.buffer[error.from..].split(|byte| *byte == b'\n');
        for header in lines.filter_map(LineHeader::parse) {
            let function = header.function_name().unwrap_or_default();
            self.missing.add(Reason::Disk, &function, 1);
        }
        self.report_write_error(&error.source);
    }

    /// Writes reports of missing entries to the log, each once.
    fn write_reports(&mut self) {
        while let Some(note) = self.missing.first() {
            let mut line = Vec::new();
            self.lines.line(&note, &mut line);
            if self.segments.append(&line).is_err() {
                break;
            }
            self.missing.remove_first();
        }
    }

    fn report_write_error(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.write_failed, true) {
            tracing::error!(
                "log entries cannot be kept: {error}; serving continues, and lost entries are counted"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics;
    use crate::logs::segments::Retention;
    use crate::logs::test_support::Scratch;
    use crate::logs::{Query, Severity, StoredEntry, read};

    fn disk(directory: &Scratch) -> DiskOutput {
        let segments = SegmentWriter::open(directory, Retention::default()).unwrap();
        DiskOutput::new(segments, Arc::default())
    }

    fn texts(directory: &Scratch) -> Vec<String> {
        let found = read(directory, &Query::default()).unwrap();
        let text = |entry: &StoredEntry| entry.message().into_owned();
        found.entries.iter().map(text).collect()
    }

    /// Loses an entry, as on a full disk.
    fn lose(disk: &mut DiskOutput, function: &str) {
        let note = Entry::note(function.into(), None, Severity::Info, "lost".into());
        disk.render(&note);
        let error = AppendError {
            from: 0,
            lines: 1,
            source: io::ErrorKind::StorageFull.into(),
        };
        disk.lose(1, &error);
        disk.buffer.clear();
        disk.entries = 0;
    }

    #[test]
    fn missing_entries_are_reported_once_and_without_another_entry() {
        let directory = Scratch::new();
        let mut disk = disk(&directory);
        let (_, reports) = diagnostics::captured(|| {
            for function in ["a", "b", "b"] {
                lose(&mut disk, function);
            }
        });
        assert_eq!(reports.lines().count(), 1, "{reports}");
        for _ in 0..3 {
            disk.maintain();
        }
        let report = |count: u32| {
            format!(
                "{count} log entries of this function were left out: they could not be written to the disk"
            )
        };
        assert_eq!(texts(&directory), [report(1), report(2)]);
        assert_eq!(disk.counts.lost(), 3);
        let (_, reports) = diagnostics::captured(|| disk.finish());
        assert_eq!(reports, "");
    }

    #[test]
    fn entries_that_the_queue_dropped_are_reported_when_the_disk_works_again() {
        let directory = Scratch::new();
        let mut disk = disk(&directory);
        disk.report_missing("with \"quotes\"", 7);
        lose(&mut disk, "with \"quotes\"");
        disk.report_missing("with \"quotes\"", 5);
        disk.maintain();
        let report = |count: u32, why: &str| {
            format!("{count} log entries of this function were left out: {why}")
        };
        assert_eq!(
            texts(&directory),
            [
                report(12, "the log output could not keep up"),
                report(1, "they could not be written to the disk")
            ]
        );
        let query = Query {
            function: Some("with \"quotes\"".into()),
            ..Query::default()
        };
        assert_eq!(read(&directory, &query).unwrap().entries.len(), 2);
        assert_eq!(disk.counts.lost(), 1, "the others were counted before");
    }

    #[test]
    fn missing_entries_that_the_log_cannot_report_are_reported_at_the_end() {
        let directory = Scratch::new();
        let mut disk = disk(&directory);
        // With this name, the line of the report is too long to be stored.
        lose(&mut disk, &"f".repeat(9 << 20));
        disk.maintain();
        let (_, text) = diagnostics::captured(|| disk.finish());
        assert!(text.ends_with("warning: 1 log entries could not be kept, and the entry that reports them could not be written either\n"), "{text}");
    }
}
