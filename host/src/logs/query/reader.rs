//! Reads segments, newest first, until a query is answered.

use std::collections::BTreeSet;
use std::io;
use std::ops::{AddAssign, Range};
use std::path::{Path, PathBuf};

use super::matcher::Matcher;
use super::tail::Tail;
use super::{Order, Query, QueryError};
use crate::logs::forms::StoredEntry;
use crate::logs::segments::{Listing, Sealed, Source, file_of};

/// The result of a query.
#[derive(Debug, Default)]
pub struct QueryResult {
    /// The entries, in the requested order.
    pub entries: Vec<StoredEntry>,
    /// What could not be read and is missing.
    pub unreadable: Unreadable,
}

/// The parts of the log that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    let matcher = Matcher::new(query)?;
    let unreadable = |error| QueryError::Read(directory.to_owned(), error);
    let listing = Listing::read(directory).map_err(unreadable)?;
    let mut reading = Reading::new(&matcher, query.limit, directory);
    let newest = listing.newest_first().next();
    for number in listing.newest_first() {
        if reading.is_done() {
            break;
        }
        let extent = match Some(number) == newest {
            true => Extent::Active,
            false => Extent::Closed,
        };
        reading.segment(number, Source::open(directory, number), extent);
    }
    Ok(reading.finish(query.order))
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
pub(super) struct Reading<'a> {
    matcher: &'a Matcher,
    directory: &'a Path,
    limit: usize,
    /// Newest first.
    entries: Vec<StoredEntry>,
    unreadable: Unreadable,
    // Buffers that are reused for each block.
    text: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(matcher: &'a Matcher, limit: usize, directory: &'a Path) -> Self {
        Self {
            matcher,
            directory,
            limit,
            entries: Vec::new(),
            unreadable: Unreadable::default(),
            text: Vec::new(),
            ranges: Vec::new(),
        }
    }

    /// Whether the limit is reached.
    pub(super) fn is_done(&self) -> bool {
        self.entries.len() >= self.limit
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
        for number in self.matcher.blocks(&mut segment)?.into_iter().rev() {
            if self.is_done() {
                break;
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
            if self.entries.len() >= self.limit {
                break;
            }
            match StoredEntry::parse(&text[range]) {
                Some(entry) => self.entries.push(entry),
                None => self.unreadable.entries += 1,
            }
        }
    }

    pub(super) fn finish(mut self, order: Order) -> QueryResult {
        self.entries.reverse();
        self.entries.sort_by_key(|entry| entry.time);
        if order == Order::NewestFirst {
            self.entries.reverse();
        }
        QueryResult {
            entries: self.entries,
            unreadable: self.unreadable,
        }
    }
}
