//! What is written from now on, whatever becomes of the files.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use memchr::memrchr;

use super::matcher::Matcher;
use super::reader::{Extent, Found, Reading, Unreadable};
use super::record::Record;
use super::{Query, QueryError};
use crate::logs::segments::{Listing, Sealed, Source, exists, file_of, open, whole_lines};

/// How much of a plain segment is read at once.
const CHUNK: u64 = 1 << 20;

/// Follows the log in a directory: across new segments, restarts of the writer, and the removal of what is old. Whole
/// lines only, each once, in the order in which they were written.
#[derive(Debug)]
pub struct Follow {
    directory: PathBuf,
    matcher: Matcher,
    /// The directory as it was found, held open so that another one in its place can be told from it.
    home: Option<File>,
    /// Nothing until there is a segment.
    place: Option<Place>,
    text: Vec<u8>,
}

/// What is new.
#[derive(Debug, Default)]
pub struct News {
    /// The entries that are asked for, in the order in which they were written.
    pub records: Vec<Record>,
    /// Whether there is more already, so that there is nothing to wait for.
    pub is_behind: bool,
    /// What could not be read, and is missing from them.
    pub unreadable: Unreadable,
}

/// How far the log was read.
#[derive(Debug)]
struct Place {
    number: u64,
    source: Position,
}

#[derive(Debug)]
enum Position {
    /// As far as this offset.
    Plain(File, u64),
    /// As far as this block.
    Sealed(Box<Sealed>, usize),
    /// All of it.
    Done,
}

impl Follow {
    /// How long to wait between polls: an entry is seen well within 300 ms after it was written.
    pub const INTERVAL: Duration = Duration::from_millis(100);

    /// What `query` finds up to now, and what it will find from then on. Nothing falls in between. The limit and the
    /// order are those of the former.
    ///
    /// # Errors
    /// If the query makes no sense or the directory cannot be read.
    pub fn start(directory: &Path, query: &Query) -> Result<(Found, Self), QueryError> {
        let matcher = Matcher::new(query)?;
        let unreadable = |error| QueryError::Read(directory.to_owned(), error);
        let home = open(directory).map_err(unreadable)?;
        let listing = Listing::read(directory).map_err(unreadable)?;
        let newest = listing.newest_first().next();
        let place = newest.map(|number| Place::end_of(directory, number));
        let place = place.transpose().map_err(unreadable)?;
        let mut reading = Reading::new(&matcher, query.limit, directory);
        for number in listing.newest_first() {
            if reading.is_done() {
                break;
            }
            match place.as_ref().filter(|place| place.number == number) {
                Some(place) => place.read_before(directory, &mut reading),
                None => reading.segment(number, Source::open(directory, number), Extent::Closed),
            }
        }
        let found = reading.finish(query.order);
        let follow = Self {
            directory: directory.to_owned(),
            matcher,
            home,
            place,
            text: Vec::new(),
        };
        Ok((found, follow))
    }

    /// What is new since the last time. Never waits; about a mebibyte of the log at a time.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn poll(&mut self) -> Result<News, QueryError> {
        let mut news = News::default();
        let number = self.place.as_ref().map(|place| place.number);
        self.advance(&mut news)
            .map_err(|error| QueryError::Read(self.directory.clone(), error))?;
        if news.unreadable.count() > 0 {
            // Where it has come to, if it has left the one before unread.
            let number = self.place.as_ref().map(|place| place.number).or(number);
            let file = number.map(|number| file_of(&self.directory, number));
            news.unreadable.files.extend(file);
        }
        Ok(news)
    }

    fn advance(&mut self, news: &mut News) -> io::Result<()> {
        if self.has_moved() {
            // A new log in the place of the old one is read from its beginning.
            self.home = open(&self.directory)?;
            self.place = None;
        }
        let Some(place) = &mut self.place else {
            if let Some(first) = Listing::read(&self.directory)?.first() {
                self.place = Some(Place::start_of(&self.directory, first, news));
                news.is_behind = true;
            }
            return Ok(());
        };
        // Looked for before the rest of this one is read: what is in the next one was written after it.
        let next = place.next(&self.directory)?;
        match place.source.read(&mut self.text) {
            Ok(true) => {
                news.is_behind = true;
                let mut found = Vec::new();
                news.unreadable.entries += self.matcher.lines(&self.text, &mut found);
                for line in found {
                    match Record::parse(&self.text[line]) {
                        Some(record) => news.records.push(record),
                        None => news.unreadable.entries += 1,
                    }
                }
                return Ok(());
            }
            Ok(false) => {}
            Err(_) => {
                news.unreadable.parts += 1;
                if matches!(place.source, Position::Sealed(..)) {
                    // The blocks behind a damaged one may be whole.
                    news.is_behind = true;
                    return Ok(());
                }
            }
        }
        if let Some(next) = next {
            self.place = Some(Place::start_of(&self.directory, next, news));
            news.is_behind = true;
        }
        Ok(())
    }

    fn has_moved(&self) -> bool {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let Ok(found) = fs::metadata(&self.directory).map(identity) else {
            return false;
        };
        let known = self.home.as_ref().map(File::metadata);
        !known.is_some_and(|known| known.is_ok_and(|known| identity(known) == found))
    }
}

impl Place {
    /// After what the segment `number` holds now.
    fn end_of(directory: &Path, number: u64) -> io::Result<Self> {
        let source = match Source::open(directory, number)? {
            Some(Source::Plain(file)) => {
                let end = whole_lines(&file, file.metadata()?.len())?;
                Position::Plain(file, end)
            }
            Some(Source::Sealed(sealed)) => {
                let end = sealed.index().blocks.len();
                Position::Sealed(Box::new(sealed), end)
            }
            None => Position::Done,
        };
        Ok(Self { number, source })
    }

    /// Before what the segment `number` holds.
    fn start_of(directory: &Path, number: u64, news: &mut News) -> Self {
        let source = match Source::open(directory, number) {
            Ok(Some(Source::Plain(file))) => Position::Plain(file, 0),
            Ok(Some(Source::Sealed(sealed))) => Position::Sealed(Box::new(sealed), 0),
            Ok(None) => Position::Done,
            Err(_) => {
                news.unreadable.parts += 1;
                Position::Done
            }
        };
        Self { number, source }
    }

    /// Reads what stands before it in its segment.
    fn read_before(&self, directory: &Path, reading: &mut Reading<'_>) {
        match &self.source {
            Position::Plain(file, end) => {
                let source = file.try_clone().map(Source::Plain).map(Some);
                reading.segment(self.number, source, Extent::UpTo(*end));
            }
            Position::Sealed(..) => {
                let source = Source::open(directory, self.number);
                reading.segment(self.number, source, Extent::Closed);
            }
            Position::Done => {}
        }
    }

    /// The segment that comes after this one, if there is one.
    fn next(&self, directory: &Path) -> io::Result<Option<u64>> {
        if exists(directory, self.number + 1) {
            return Ok(Some(self.number + 1));
        }
        if exists(directory, self.number) {
            return Ok(None);
        }
        // It was removed, and perhaps the next one as well.
        Ok(Listing::read(directory)?.after(self.number))
    }
}

impl Position {
    /// Replaces what is in `text` by the whole lines that come next; tells whether there were any.
    fn read(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        match self {
            Self::Plain(file, offset) => read_plain(file, offset, text),
            Self::Sealed(sealed, block) if *block < sealed.index().blocks.len() => {
                *block += 1;
                sealed.read(*block - 1, text).map(|()| true)
            }
            Self::Sealed(..) | Self::Done => Ok(false),
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
