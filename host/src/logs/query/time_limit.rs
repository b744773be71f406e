//! Reads a page of the log within a time limit.
//!
//! The first entries in order can be in any part of the log, so a search that stops in the middle has no page. It is
//! divided into spans of time instead: each is searched completely, one after another in the order of the query.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::page::{MAX_PAGE, Page, read_page};
use super::position::Position;
use super::reader::Unreadable;
use super::{Order, Query, QueryError};
use crate::logs::forms::StoredEntry;
use crate::logs::segments::{Listing, Source};

/// The length of the first span.
const FIRST_SPAN: Duration = Duration::from_secs(3_600);
/// By how much a span is longer than the one before, if that was searched fast.
const GROWTH: u32 = 8;
/// A search of a span that takes this fraction of the limit is not fast.
const FAST: u32 = 10;
/// How old the active segment is at most, unless the operator chose otherwise.
const ACTIVE: Duration = Duration::from_secs(24 * 3_600);

/// As [`read_page`](super::read_page), but the search stops some time after `limit`. The page then has what was found and
/// the position to go on from, and may be empty.
///
/// # Errors
/// If the query is invalid or the directory cannot be read.
pub fn read_page_within(
    directory: &Path,
    query: &Query,
    after: Option<&Position>,
    limit: Duration,
    is_match: &impl Fn(&StoredEntry) -> bool,
) -> Result<Page, QueryError> {
    let begun = Instant::now();
    let mut spans = Spans::new(directory, query, after)?;
    let mut found = Page {
        entries: Vec::new(),
        next: None,
        unreadable: Unreadable::default(),
    };
    let (mut bytes, mut after) = (0, after);
    loop {
        let (start, end) = spans.current();
        let part = Query {
            start,
            end,
            limit: query.limit.max(1) - found.entries.len(),
            ..query.clone()
        };
        let searched = Instant::now();
        let page = read_page(directory, &part, after.take(), is_match)?;
        bytes += page
            .entries
            .iter()
            .map(|entry| entry.line.len())
            .sum::<usize>();
        found.entries.extend(page.entries);
        found.unreadable += page.unreadable;
        let is_full =
            page.next.is_some() || found.entries.len() >= query.limit.max(1) || bytes >= MAX_PAGE;
        found.next = page.next.or_else(|| spans.rest());
        if found.next.is_none() || is_full || begun.elapsed() >= limit {
            return Ok(found);
        }
        spans.advance(searched.elapsed() < limit / FAST);
    }
}

/// The spans of time of a search, one after another in its order.
struct Spans {
    order: Order,
    /// The times of the query.
    start: Option<SystemTime>,
    end: Option<SystemTime>,
    /// Where the log begins, or later.
    oldest: SystemTime,
    newest: SystemTime,
    length: Duration,
    /// The boundary at which the current span begins, in the order of the search; `None` for the first one.
    from: Option<SystemTime>,
}

impl Spans {
    fn new(directory: &Path, query: &Query, after: Option<&Position>) -> Result<Self, QueryError> {
        let now = SystemTime::now();
        let oldest = oldest(directory, now)
            .map_err(|error| QueryError::Read(directory.to_owned(), error))?;
        let mut spans = Self {
            order: query.order,
            start: query.start,
            end: query.end,
            oldest,
            newest: now,
            length: FIRST_SPAN,
            from: None,
        };
        let time = after.map(Position::time);
        match query.order {
            // The first span has all entries that are even older or newer than expected.
            Order::OldestFirst => spans.oldest = oldest.max(later(query.start, time)),
            Order::NewestFirst => spans.newest = now.min(earlier(query.end, time, now)),
        }
        Ok(spans)
    }

    /// The boundary at which the current span ends, in the order of the search; `None` for the last one.
    fn to(&self) -> Option<SystemTime> {
        match self.order {
            Order::OldestFirst => {
                let to = self.from.unwrap_or(self.oldest).checked_add(self.length)?;
                (to < self.newest && self.end.is_none_or(|end| to < end)).then_some(to)
            }
            Order::NewestFirst => {
                let to = self.from.unwrap_or(self.newest).checked_sub(self.length)?;
                (to > self.oldest && self.start.is_none_or(|start| to > start)).then_some(to)
            }
        }
    }

    /// The start and the end of the current span.
    fn current(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        match self.order {
            Order::OldestFirst => (self.from.or(self.start), self.to().or(self.end)),
            Order::NewestFirst => (self.to().or(self.start), self.from.or(self.end)),
        }
    }

    /// The position of the entries behind the current span, if there can be any.
    fn rest(&self) -> Option<Position> {
        self.to().map(Position::before_all_at)
    }

    fn advance(&mut self, was_fast: bool) {
        self.from = self.to();
        if was_fast {
            self.length = self.length.saturating_mul(GROWTH);
        }
    }
}

fn later(one: Option<SystemTime>, other: Option<SystemTime>) -> SystemTime {
    one.max(other).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn earlier(one: Option<SystemTime>, other: Option<SystemTime>, now: SystemTime) -> SystemTime {
    let times = one.into_iter().chain(other);
    times.min().unwrap_or(now)
}

/// About the time of the oldest entry in `directory`. It decides how the search is divided, not what it finds.
fn oldest(directory: &Path, now: SystemTime) -> std::io::Result<SystemTime> {
    let first = Listing::read(directory)?.first();
    let times = match first.map(|number| Source::open(directory, number)) {
        Some(Ok(Some(Source::Sealed(sealed)))) => {
            let mut blocks = sealed.index().blocks.iter();
            blocks.find_map(|block| block.times)
        }
        _ => None,
    };
    let earliest = times.and_then(|(earliest, _)| earliest.as_str().parse().ok());
    let earliest = earliest.map(|time: jiff::Timestamp| time.into());
    Ok(earliest.or_else(|| now.checked_sub(ACTIVE)).unwrap_or(now))
}
