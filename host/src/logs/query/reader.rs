//! Reads segments, newest first, until a query is answered.

use std::collections::BTreeSet;
use std::io;
use std::ops::{AddAssign, Range};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::collect::{Collect, Last};
use super::matcher::Matcher;
use super::tail::Tail;
use super::{Order, Query, QueryError};
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::forms::StoredEntry;
use crate::logs::forms::line_header::LineHeader;
use crate::logs::segments::{Listing, Sealed, Source, file_of};

/// The result of a query.
#[derive(Debug, Default)]
pub struct QueryResult {
    /// The entries, in the requested order.
    pub entries: Vec<StoredEntry>,
    /// Whether entries are, or may be, missing because of the maximum size or the time limit.
    pub is_cut: bool,
    /// What could not be read and is missing.
    pub unreadable: Unreadable,
}

/// The parts of the log that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The number of blocks and segments that are truncated or damaged, or that the disk failed to read.
    pub parts: u64,
    /// The number of single lines, of those that were read, that are not valid entries.
    pub entries: u64,
    /// The files that contain them.
    pub files: BTreeSet<PathBuf>,
}

impl Unreadable {
    /// The number of parts and entries.
    pub(super) fn count(&self) -> u64 {
        self.parts + self.entries
    }
}

impl AddAssign for Unreadable {
    fn add_assign(&mut self, more: Self) {
        self.parts += more.parts;
        self.entries += more.entries;
        self.files.extend(more.files);
    }
}

/// Reads the entries in `directory` that match `query`. A missing directory has no entries.
///
/// The result includes all entries that were written before the call, and possibly some that are written during it.
///
/// # Errors
/// If the query is invalid or the directory cannot be read.
pub fn read(directory: &Path, query: &Query) -> Result<QueryResult, QueryError> {
    let (last, unreadable) = collect(directory, query, Order::NewestFirst, Last::new(query))?;
    Ok(last.finish(query.order, unreadable))
}

/// Adds the entries in `directory` that match `query` to `collected`, roughly in `order`. The limits and the order of the
/// query do not count.
///
/// # Errors
/// If the query is invalid or the directory cannot be read.
pub(super) fn collect<C: Collect>(
    directory: &Path,
    query: &Query,
    order: Order,
    collected: C,
) -> Result<(C, Unreadable), QueryError> {
    let matcher = Matcher::new(query)?;
    let unreadable = |error| QueryError::Read(directory.to_owned(), error);
    let listing = Listing::read(directory).map_err(unreadable)?;
    let mut reading = Reading::new(&matcher, order, directory, collected);
    let newest = listing.newest_first().next();
    let mut numbers: Vec<_> = listing.newest_first().collect();
    if order == Order::OldestFirst {
        numbers.reverse();
    }
    for number in numbers {
        if reading.is_done() {
            break;
        }
        let extent = match Some(number) == newest {
            true => Extent::Active,
            false => Extent::Closed,
        };
        reading.segment(number, Source::open(directory, number), extent);
    }
    Ok(reading.finish())
}

/// How much of a plain segment is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// This number of bytes, which are whole lines.
    UpTo(u64),
    /// All whole lines. An incomplete line at the end is still being written.
    Active,
    /// The whole file. An incomplete line at the end is damage.
    Closed,
}

/// A query in progress.
pub(super) struct Reading<'a, C> {
    matcher: &'a Matcher,
    directory: &'a Path,
    /// The order of the blocks of compressed segments. Those of plain segments are always read newest first.
    order: Order,
    collected: C,
    unreadable: Unreadable,
    // Buffers that are reused for each block.
    text: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl<'a, C: Collect> Reading<'a, C> {
    pub(super) fn new(
        matcher: &'a Matcher,
        order: Order,
        directory: &'a Path,
        collected: C,
    ) -> Self {
        Self {
            matcher,
            directory,
            order,
            collected,
            unreadable: Unreadable::default(),
            text: Vec::new(),
            ranges: Vec::new(),
        }
    }

    /// Whether nothing more is needed.
    pub(super) fn is_done(&self) -> bool {
        self.collected.is_done()
    }

    /// Reads the segment `number`, a plain one up to `extent`. A removed segment is skipped. A segment that cannot be
    /// read is added to the unreadable parts.
    pub(super) fn segment(
        &mut self,
        number: u64,
        source: io::Result<Option<Source>>,
        extent: Extent,
    ) {
        let before = self.unreadable.count();
        let read = source.and_then(|source| match source {
            None => Ok(()),
            Some(Source::Sealed(sealed)) => self.sealed(sealed),
            Some(Source::Plain(file)) => {
                let end = match extent {
                    Extent::UpTo(end) => end,
                    Extent::Active | Extent::Closed => file.metadata()?.len(),
                };
                let tail = Tail::new(file, end)?;
                let is_torn = tail.end() < end && matches!(extent, Extent::Closed);
                self.unreadable.entries += u64::from(is_torn);
                self.plain(tail)
            }
        });
        self.unreadable.parts += u64::from(read.is_err());
        if self.unreadable.count() > before {
            let file = file_of(self.directory, number);
            self.unreadable.files.insert(file);
        }
    }

    fn sealed(&mut self, mut segment: Sealed) -> io::Result<()> {
        self.unreadable.parts += u64::from(!segment.is_whole());
        let mut text = std::mem::take(&mut self.text);
        let mut blocks = self.matcher.blocks(&mut segment)?;
        if self.order == Order::NewestFirst {
            blocks.reverse();
        }
        for number in blocks {
            if self.is_done() {
                break;
            }
            let times = segment.index().blocks[number].times;
            if !times.is_some_and(|(earliest, latest)| self.collected.has_room(earliest, latest)) {
                continue;
            }
            match segment.read(number, &mut text) {
                Ok(()) => self.block(&text),
                Err(_) => self.unreadable.parts += 1,
            }
        }
        self.text = text;
        Ok(())
    }

    fn plain(&mut self, mut tail: Tail) -> io::Result<()> {
        while !self.is_done()
            && let Some(lines) = tail.lines_before()?
        {
            self.block(lines);
        }
        Ok(())
    }

    fn block(&mut self, text: &[u8]) {
        self.ranges.clear();
        self.unreadable.entries += self.matcher.lines(text, &mut self.ranges);
        for range in self.ranges.drain(..).rev() {
            if self.collected.is_done() {
                break;
            }
            let line = &text[range];
            // The header is parsed much faster than the whole line.
            let time: Option<Rfc3339> = LineHeader::parse(line).map(|header| header.time);
            if !time.is_some_and(|time| self.collected.has_room(time, time)) {
                continue;
            }
            match StoredEntry::parse(line) {
                Some(entry) => self.collected.add(entry),
                None => self.unreadable.entries += 1,
            }
        }
    }

    pub(super) fn finish(self) -> (C, Unreadable) {
        (self.collected, self.unreadable)
    }
}
