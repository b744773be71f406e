//! Reads segments newest first, as far as a query needs it.

use std::collections::BTreeSet;
use std::io;
use std::ops::{AddAssign, Range};
use std::path::{Path, PathBuf};

use super::matcher::Matcher;
use super::record::Record;
use super::tail::Tail;
use super::{Order, Query, QueryError};
use crate::logs::segments::{Listing, Sealed, Source, file_of};

/// What a query found.
#[derive(Debug, Default)]
pub struct Found {
    /// The entries, in the order that was asked for.
    pub records: Vec<Record>,
    /// What could not be read, and is missing from them.
    pub unreadable: Unreadable,
}

/// What could not be read of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Blocks or segments, because they are cut or damaged or the disk failed, with all entries in them.
    pub parts: u64,
    /// Single entries among others: lines that are none, of those that were looked at.
    pub entries: u64,
    /// The files that they are in.
    pub files: BTreeSet<PathBuf>,
}

impl Unreadable {
    /// How much it is.
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

/// The entries in `directory` that `query` asks for. One that is not there holds none.
///
/// Entries that are being written while it runs may be among them or not; all that were written before are.
///
/// # Errors
/// If the query makes no sense or the directory cannot be read.
pub fn read(directory: &Path, query: &Query) -> Result<Found, QueryError> {
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
            true => Extent::AsFarAsWritten,
            false => Extent::Closed,
        };
        reading.segment(number, Source::open(directory, number), extent);
    }
    Ok(reading.finish(query.order))
}

/// How much of a plain segment is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Extent {
    /// So many bytes, which are whole lines.
    UpTo(u64),
    /// All whole lines. What stands behind them is being written.
    AsFarAsWritten,
    /// All, which should be whole lines.
    Closed,
}

/// A query on its way through the segments.
pub(super) struct Reading<'a> {
    matcher: &'a Matcher,
    directory: &'a Path,
    limit: usize,
    /// The newest first.
    records: Vec<Record>,
    unreadable: Unreadable,
    /// Made once, used for each block.
    text: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(matcher: &'a Matcher, limit: usize, directory: &'a Path) -> Self {
        Self {
            matcher,
            directory,
            limit,
            records: Vec::new(),
            unreadable: Unreadable::default(),
            text: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Whether as many were found as were asked for.
    pub(super) fn is_done(&self) -> bool {
        self.records.len() >= self.limit
    }

    /// Looks through the segment `number`, of a plain one as far as `extent` says. One that is gone holds nothing; one that
    /// fails is counted and named.
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
                    Extent::AsFarAsWritten | Extent::Closed => file.metadata()?.len(),
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
        self.places.clear();
        self.unreadable.entries += self.matcher.lines(text, &mut self.places);
        for place in self.places.drain(..).rev() {
            if self.records.len() >= self.limit {
                break;
            }
            match Record::parse(&text[place]) {
                Some(record) => self.records.push(record),
                None => self.unreadable.entries += 1,
            }
        }
    }

    pub(super) fn finish(mut self, order: Order) -> Found {
        self.records.reverse();
        self.records.sort_by_key(|record| record.time);
        if order == Order::NewestFirst {
            self.records.reverse();
        }
        Found {
            records: self.records,
            unreadable: self.unreadable,
        }
    }
}
