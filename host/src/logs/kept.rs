//! Entries on their way to the disk, and what becomes of those that find no room there.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::entry::Entry;
use super::head::LineHead;
use super::json::JsonLines;
use super::segments::{Lost, SegmentWriter};
use super::untold::{Reason, Untold};
use crate::counted::counted;

/// How many damaged segments are named at once.
const MOST_NAMED: usize = 5;

/// How many entries were kept, and how many could not be, since the start.
#[derive(Debug, Default)]
pub struct KeptCounts {
    kept: AtomicU64,
    lost: AtomicU64,
    damaged: AtomicU64,
}

impl KeptCounts {
    /// Handed to the system to be written to a file.
    pub fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Left out because the disk took no more, was too slow, or failed.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Segments that are cut, damaged or cannot be read.
    pub fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Counts entries that are left out.
    pub(super) fn lose(&self, entries: u64) {
        self.lost.fetch_add(entries, Ordering::Relaxed);
    }
}

/// Keeps entries in segments.
pub(super) struct Kept {
    lines: JsonLines,
    segments: SegmentWriter,
    buffer: Vec<u8>,
    /// In the buffer.
    entries: u64,
    /// Lost, and not yet told in the log.
    untold: Untold,
    counts: Arc<KeptCounts>,
    /// Where failures are told, once each until it goes well again.
    reports: Box<dyn Write + Send>,
    cannot_write: bool,
    cannot_tidy: bool,
}

impl Kept {
    pub(super) fn new(
        segments: SegmentWriter,
        counts: Arc<KeptCounts>,
        reports: Box<dyn Write + Send>,
    ) -> Self {
        Self {
            lines: JsonLines::new(),
            segments,
            buffer: Vec::new(),
            entries: 0,
            untold: Untold::default(),
            counts,
            reports,
            cannot_write: false,
            cannot_tidy: false,
        }
    }

    pub(super) fn render(&mut self, entry: &Entry) {
        self.lines.line(entry, &mut self.buffer);
        self.entries += 1;
    }

    /// How many bytes are rendered and not written.
    pub(super) fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Writes what was rendered. What finds no room is left out: waiting for it would hold up all the rest.
    pub(super) fn write(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let written = self.segments.append(&self.buffer);
        let entries = std::mem::take(&mut self.entries);
        match written {
            Ok(()) => {
                self.counts.kept.fetch_add(entries, Ordering::Relaxed);
                self.cannot_write = false;
                self.tell();
            }
            Err(lost) => self.lose(entries, &lost),
        }
        self.buffer.clear();
    }

    /// Tells of entries of `function` that were left out, and counted, before they came here, as soon as it can.
    pub(super) fn leave_out(&mut self, function: &str, entries: u64) {
        self.untold.add(Reason::Behind, function, entries);
    }

    /// Closes, compresses and removes segments as far as it is time for that, and tells what is missing if there is room
    /// for it by now.
    pub(super) fn step(&mut self) {
        self.tell();
        let stepped = self.segments.step(SystemTime::now());
        self.note_damage();
        match stepped {
            Ok(()) => self.cannot_tidy = false,
            Err(error) => {
                if !std::mem::replace(&mut self.cannot_tidy, true) {
                    self.report(format_args!(
                        "error: what is kept of the log cannot be compressed or removed: {error}; it is tried again"
                    ));
                }
            }
        }
    }

    /// Whether [`step`](Self::step) has more to do at once.
    pub(super) fn is_behind(&self) -> bool {
        self.segments.is_behind() && !self.cannot_tidy
    }

    /// Sees to it that what was written outlasts a loss of power, and tells what is still missing.
    pub(super) fn finish(&mut self) {
        self.tell();
        if let Err(error) = self.segments.sync() {
            self.cannot_write(&error);
        }
        let untold = self.untold.count();
        if untold > 0 {
            self.report(format_args!(
                "warning: {untold} log entries could not be kept, and the log does not say so: there was no room for it"
            ));
        }
    }

    fn note_damage(&mut self) {
        let damaged = self.segments.damaged();
        let count = damaged.len() as u64;
        if count > self.counts.damaged.swap(count, Ordering::Relaxed) {
            let numbers: Vec<_> = damaged.iter().rev().take(MOST_NAMED).collect();
            self.report(format_args!(
                "warning: {} of the log cannot be read, or not whole; the latest of them: {}",
                counted(damaged.len(), "segment"),
                numbers
                    .iter()
                    .map(|number| format!("{number:012}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
    }

    fn lose(&mut self, entries: u64, lost: &Lost) {
        let kept = entries.saturating_sub(lost.lines);
        self.counts.kept.fetch_add(kept, Ordering::Relaxed);
        self.counts.lose(lost.lines);
        let lines = self.buffer[lost.from..].split(|byte| *byte == b'\n');
        for head in lines.filter_map(LineHead::parse) {
            let function = head.function_name().unwrap_or_default();
            self.untold.add(Reason::Disk, &function, 1);
        }
        self.cannot_write(&lost.source);
    }

    /// Says in the log what is missing from it, if there is room. What is told once is not told again.
    fn tell(&mut self) {
        while let Some(note) = self.untold.first() {
            let mut line = Vec::new();
            self.lines.line(&note, &mut line);
            if self.segments.append(&line).is_err() {
                break;
            }
            self.untold.remove_first();
        }
    }

    fn cannot_write(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.cannot_write, true) {
            self.report(format_args!(
                "error: log entries cannot be kept: {error}; serving goes on, and what is lost is counted"
            ));
        }
    }

    fn report(&mut self, text: std::fmt::Arguments<'_>) {
        // There is nowhere left to tell that this failed as well.
        let _ = self.reports.write_all(format!("{text}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Severity;
    use crate::logs::paper::Paper;
    use crate::logs::query::{Query, read};
    use crate::logs::scratch::Scratch;
    use crate::logs::segments::Keeping;

    fn kept(directory: &Scratch) -> (Kept, Paper) {
        let segments = SegmentWriter::open(directory, Keeping::default()).unwrap();
        let reports = Paper::default();
        let kept = Kept::new(segments, Arc::default(), Box::new(reports.clone()));
        (kept, reports)
    }

    fn texts(directory: &Scratch) -> Vec<String> {
        let found = read(directory, &Query::default()).unwrap();
        let text = |record: &crate::logs::Record| record.message().into_owned();
        found.records.iter().map(text).collect()
    }

    /// As after a batch for which there was no room.
    fn lose(kept: &mut Kept, function: &str) {
        let note = Entry::note(function.into(), None, Severity::Info, "lost".into());
        kept.render(&note);
        let lost = Lost {
            from: 0,
            lines: 1,
            source: io::ErrorKind::StorageFull.into(),
        };
        kept.lose(1, &lost);
        kept.buffer.clear();
        kept.entries = 0;
    }

    #[test]
    fn what_is_missing_is_told_once_and_without_waiting_for_another_entry() {
        let directory = Scratch::new();
        let (mut kept, reports) = kept(&directory);
        lose(&mut kept, "a");
        lose(&mut kept, "b");
        lose(&mut kept, "b");
        assert_eq!(reports.text().lines().count(), 1, "{}", reports.text());
        for _ in 0..3 {
            kept.step();
        }
        let told = |count: u32| {
            format!(
                "{count} log entries of this function were left out: they could not be written to the disk"
            )
        };
        assert_eq!(texts(&directory), [told(1), told(2)]);
        assert_eq!(kept.counts.lost(), 3);
        kept.finish();
        assert_eq!(reports.text().lines().count(), 1);
    }

    #[test]
    fn what_the_queue_had_no_room_for_is_told_when_there_is_a_disk_again() {
        let directory = Scratch::new();
        let (mut kept, _) = kept(&directory);
        kept.leave_out("with \"quotes\"", 7);
        lose(&mut kept, "with \"quotes\"");
        kept.leave_out("with \"quotes\"", 5);
        kept.step();
        let told = |count: u32, why: &str| {
            format!("{count} log entries of this function were left out: {why}")
        };
        assert_eq!(
            texts(&directory),
            [
                told(12, "the log output could not keep up"),
                told(1, "they could not be written to the disk")
            ]
        );
        let query = Query {
            function: Some("with \"quotes\"".into()),
            ..Query::default()
        };
        assert_eq!(read(&directory, &query).unwrap().records.len(), 2);
        assert_eq!(kept.counts.lost(), 1, "the others were counted before");
    }

    #[test]
    fn what_the_log_cannot_say_is_told_at_the_end() {
        let directory = Scratch::new();
        let (mut kept, reports) = kept(&directory);
        // A name that makes the line of the note longer than any that is kept.
        lose(&mut kept, &"f".repeat(9 << 20));
        kept.step();
        kept.finish();
        let text = reports.text();
        assert!(text.ends_with("warning: 1 log entries could not be kept, and the log does not say so: there was no room for it\n"), "{text}");
    }
}
