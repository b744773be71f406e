//! Entries on their way to the disk, and what becomes of those that find no room there.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::entry::Entry;
use super::head::LineHead;
use super::json::JsonLines;
use super::segments::{Lost, SegmentWriter};
use super::severity::Severity;

/// How many functions lost entries are counted of, by name, at a time; those of others are counted together.
const MOST_FUNCTIONS: usize = 1000;

/// How many entries were kept, and how many could not be, since the start.
#[derive(Debug, Default)]
pub struct KeptCounts {
    kept: AtomicU64,
    lost: AtomicU64,
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
}

/// Keeps entries in segments.
pub(super) struct Kept {
    lines: JsonLines,
    segments: SegmentWriter,
    buffer: Vec<u8>,
    /// In the buffer.
    entries: u64,
    /// Lost, and not yet told in the log, by function.
    untold: BTreeMap<String, u64>,
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
            untold: BTreeMap::new(),
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

    /// Counts entries that were left out before they came here. The log tells of them already.
    pub(super) fn leave_out(&self, entries: u64) {
        self.counts.lost.fetch_add(entries, Ordering::Relaxed);
    }

    /// Closes, compresses and removes segments as far as it is time for that, and tells what is missing if there is room
    /// for it by now.
    pub(super) fn step(&mut self) {
        self.tell();
        match self.segments.step(SystemTime::now()) {
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
        let untold: u64 = self.untold.values().sum();
        if untold > 0 {
            self.report(format_args!(
                "warning: {untold} log entries could not be kept, and the log does not say so: there was no room for it"
            ));
        }
    }

    fn lose(&mut self, entries: u64, lost: &Lost) {
        let kept = entries.saturating_sub(lost.lines);
        self.counts.kept.fetch_add(kept, Ordering::Relaxed);
        self.counts.lost.fetch_add(lost.lines, Ordering::Relaxed);
        let lines = self.buffer[lost.from..].split(|byte| *byte == b'\n');
        for head in lines.filter_map(LineHead::parse) {
            let function = String::from_utf8_lossy(head.function);
            match self.untold.get_mut(&*function) {
                Some(count) => *count += 1,
                None => {
                    let is_full = self.untold.len() >= MOST_FUNCTIONS;
                    let name = if is_full { "(others)" } else { &*function };
                    *self.untold.entry(name.to_owned()).or_default() += 1;
                }
            }
        }
        self.cannot_write(&lost.source);
    }

    /// Says in the log what is missing from it, if there is room. What is told once is not told again.
    fn tell(&mut self) {
        while let Some(first) = self.untold.first_entry() {
            let (function, count) = (first.key(), first.get());
            let text = format!(
                "{count} log entries of this function were left out: they could not be written to the disk"
            );
            let note = Entry::note(function.as_str().into(), None, Severity::Warning, text);
            let mut line = Vec::new();
            self.lines.line(&note, &mut line);
            if self.segments.append(&line).is_err() {
                break;
            }
            first.remove();
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
        let _ = writeln!(self.reports, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
