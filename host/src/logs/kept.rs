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

    /// Left out because the disk took no more or failed.
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
    /// Where failures are told, once each.
    reports: Box<dyn Write + Send>,
    is_failing: bool,
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
            is_failing: false,
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
                self.is_failing = false;
                self.tell();
            }
            Err(lost) => self.lose(entries, &lost),
        }
        self.buffer.clear();
    }

    /// Closes, compresses and removes segments as far as it is time for that.
    pub(super) fn step(&mut self) {
        if let Err(error) = self.segments.step(SystemTime::now()) {
            self.report(&error);
        }
    }

    /// Sees to it that what was written outlasts a loss of power.
    pub(super) fn sync(&mut self) {
        if let Err(error) = self.segments.sync() {
            self.report(&error);
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
        self.report(&lost.source);
    }

    /// Says in the log what is missing from it, as soon as there is room.
    fn tell(&mut self) {
        if self.untold.is_empty() {
            return;
        }
        let mut notes = Vec::new();
        for (function, count) in &self.untold {
            let text = format!(
                "{count} log entries of this function were left out: they could not be written to the disk"
            );
            let note = Entry::note(function.as_str().into(), None, Severity::Warning, text);
            self.lines.line(&note, &mut notes);
        }
        if self.segments.append(&notes).is_ok() {
            self.untold.clear();
        }
    }

    fn report(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.is_failing, true) {
            // There is nowhere left to tell that this failed as well.
            let _ = writeln!(
                self.reports,
                "error: log entries cannot be kept: {error}; serving goes on, and what is lost is counted"
            );
        }
    }
}
