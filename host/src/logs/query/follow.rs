//! Follows the log as it is written.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use memchr::memrchr;

use super::collect::Last;
use super::matcher::Matcher;
use super::reader::{Extent, QueryResult, Reading, Unreadable};
use super::{Order, Query, QueryError};
use crate::logs::forms::StoredEntry;
use crate::logs::segments::{Listing, Sealed, Source, exists, file_of, open, whole_lines};

/// How many bytes of a plain segment are read at once.
const CHUNK: u64 = 1 << 20;

/// Follows the log in a directory across new segments, restarts of the writer, and the removal of old segments. Returns
/// each whole line once, in the order of writing.
#[derive(Debug)]
pub struct Follow {
    directory: PathBuf,
    matcher: Matcher,
    /// The open directory, to detect that it was replaced.
    opened: Option<File>,
    /// `None` until there is a segment.
    position: Option<Position>,
    text: Vec<u8>,
}

/// The entries that were written since the last poll.
#[derive(Debug, Default)]
pub struct NewEntries {
    /// The matching entries, in the order in which they were written.
    pub entries: Vec<StoredEntry>,
    /// Whether more can be read at once, without waiting.
    pub is_behind: bool,
    /// What could not be read and is missing.
    pub unreadable: Unreadable,
}

/// How far the log was read.
#[derive(Debug)]
struct Position {
    number: u64,
    offset: Offset,
}

#[derive(Debug)]
enum Offset {
    /// Up to this byte.
    Plain(File, u64),
    /// Up to this block.
    Sealed(Box<Sealed>, usize),
    /// To the end.
    End,
}

impl Follow {
    /// How long to wait between polls. An entry is returned within 300 ms after it was written.
    pub const INTERVAL: Duration = Duration::from_millis(100);

    /// Reads the entries up to now that match `query`, and begins to follow at exactly this point. The limits and the
    /// order of the query apply to the entries up to now.
    ///
    /// # Errors
    /// If the query is invalid or the directory cannot be read.
    pub fn start(directory: &Path, query: &Query) -> Result<(QueryResult, Self), QueryError> {
        let matcher = Matcher::new(query)?;
        let unreadable = |error| QueryError::Read(directory.to_owned(), error);
        let opened = open(directory).map_err(unreadable)?;
        let listing = Listing::read(directory).map_err(unreadable)?;
        let newest = listing.newest_first().next();
        let position = newest.map(|number| Position::end_of(directory, number));
        let position = position.transpose().map_err(unreadable)?;
        let last = Last::new(query);
        let mut reading = Reading::new(&matcher, Order::NewestFirst, directory, last);
        for number in listing.newest_first() {
            if reading.is_done() {
                break;
            }
            match position
                .as_ref()
                .filter(|position| position.number == number)
            {
                Some(position) => position.read_before(directory, &mut reading),
                None => reading.segment(number, Source::open(directory, number), Extent::Closed),
            }
        }
        let (last, unreadable) = reading.finish();
        let found = last.finish(query.order, unreadable);
        let follow = Self {
            directory: directory.to_owned(),
            matcher,
            opened,
            position,
            text: Vec::new(),
        };
        Ok((found, follow))
    }

    /// Reads what was written since the last call, about a mebibyte at most. Never waits.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn poll(&mut self) -> Result<NewEntries, QueryError> {
        let mut new = NewEntries::default();
        let number = self.position.as_ref().map(|position| position.number);
        self.advance(&mut new)
            .map_err(|error| QueryError::Read(self.directory.clone(), error))?;
        if new.unreadable.count() > 0 {
            // The current segment, if the previous one could not be opened.
            let number = self
                .position
                .as_ref()
                .map(|position| position.number)
                .or(number);
            let file = number.map(|number| file_of(&self.directory, number));
            new.unreadable.files.extend(file);
        }
        Ok(new)
    }

    fn advance(&mut self, new: &mut NewEntries) -> io::Result<()> {
        if self.was_replaced() {
            // A log that replaces the old one is read from its beginning.
            self.opened = open(&self.directory)?;
            self.position = None;
        }
        let Some(position) = &mut self.position else {
            if let Some(first) = Listing::read(&self.directory)?.first() {
                self.position = Some(Position::start_of(&self.directory, first, new));
                new.is_behind = true;
            }
            return Ok(());
        };
        // Must be checked before the rest of this segment is read: the next one is begun after the last write to this.
        let next = position.next(&self.directory)?;
        match position.offset.read(&mut self.text) {
            Ok(true) => {
                new.is_behind = true;
                let mut found = Vec::new();
                new.unreadable.entries += self.matcher.lines(&self.text, &mut found);
                for line in found {
                    match StoredEntry::parse(&self.text[line]) {
                        Some(entry) => new.entries.push(entry),
                        None => new.unreadable.entries += 1,
                    }
                }
                return Ok(());
            }
            Ok(false) => {}
            Err(_) => {
                new.unreadable.parts += 1;
                if matches!(position.offset, Offset::Sealed(..)) {
                    // The blocks after a damaged one may be intact.
                    new.is_behind = true;
                    return Ok(());
                }
            }
        }
        if let Some(next) = next {
            self.position = Some(Position::start_of(&self.directory, next, new));
            new.is_behind = true;
        }
        Ok(())
    }

    fn was_replaced(&self) -> bool {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let Ok(found) = fs::metadata(&self.directory).map(identity) else {
            return false;
        };
        let known = self.opened.as_ref().map(File::metadata);
        !known.is_some_and(|known| known.is_ok_and(|known| identity(known) == found))
    }
}

impl Position {
    /// After the current content of the segment `number`.
    fn end_of(directory: &Path, number: u64) -> io::Result<Self> {
        let offset = match Source::open(directory, number)? {
            Some(Source::Plain(file)) => {
                let end = whole_lines(&file, file.metadata()?.len())?;
                Offset::Plain(file, end)
            }
            Some(Source::Sealed(sealed)) => {
                let end = sealed.index().blocks.len();
                Offset::Sealed(Box::new(sealed), end)
            }
            None => Offset::End,
        };
        Ok(Self { number, offset })
    }

    /// At the beginning of the segment `number`.
    fn start_of(directory: &Path, number: u64, new: &mut NewEntries) -> Self {
        let offset = match Source::open(directory, number) {
            Ok(Some(Source::Plain(file))) => Offset::Plain(file, 0),
            Ok(Some(Source::Sealed(sealed))) => Offset::Sealed(Box::new(sealed), 0),
            Ok(None) => Offset::End,
            Err(_) => {
                new.unreadable.parts += 1;
                Offset::End
            }
        };
        Self { number, offset }
    }

    /// Reads the part of the segment before this position.
    fn read_before(&self, directory: &Path, reading: &mut Reading<'_, Last>) {
        match &self.offset {
            Offset::Plain(file, end) => {
                let source = file.try_clone().map(Source::Plain).map(Some);
                reading.segment(self.number, source, Extent::UpTo(*end));
            }
            Offset::Sealed(..) => {
                let source = Source::open(directory, self.number);
                reading.segment(self.number, source, Extent::Closed);
            }
            Offset::End => {}
        }
    }

    /// The number of the next segment, if there is one.
    fn next(&self, directory: &Path) -> io::Result<Option<u64>> {
        if exists(directory, self.number + 1) {
            return Ok(Some(self.number + 1));
        }
        if exists(directory, self.number) {
            return Ok(None);
        }
        // It was removed, and perhaps also the next one.
        Ok(Listing::read(directory)?.after(self.number))
    }
}

impl Offset {
    /// Reads the next whole lines and replaces the content of `text`. Returns whether there were any.
    fn read(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        match self {
            Self::Plain(file, offset) => read_plain(file, offset, text),
            Self::Sealed(sealed, block) if *block < sealed.index().blocks.len() => {
                *block += 1;
                sealed.read(*block - 1, text).map(|()| true)
            }
            Self::Sealed(..) | Self::End => Ok(false),
        }
    }
}

fn read_plain(file: &File, offset: &mut u64, text: &mut Vec<u8>) -> io::Result<bool> {
    let mut size = CHUNK;
    loop {
        let left = file.metadata()?.len().saturating_sub(*offset);
        let count = size.min(left);
        text.resize(count as usize, 0);
        file.read_exact_at(text, *offset)?;
        if let Some(end) = memrchr(b'\n', text) {
            text.truncate(end + 1);
            *offset += end as u64 + 1;
            return Ok(true);
        }
        if count == left {
            return Ok(false);
        }
        size *= 2;
    }
}
