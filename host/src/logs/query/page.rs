//! Reads the log page by page, in order of time.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::collect::Collect;
use super::position::Position;
use super::reader::{Unreadable, collect};
use super::{Order, Query, QueryError};
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::forms::StoredEntry;

/// The size of the entries after which a page ends, in bytes of their lines. A page has one entry at least.
pub(super) const MAX_PAGE: usize = 8 << 20;

/// A page of entries.
#[derive(Debug)]
pub struct Page {
    /// The entries, in the order of the query.
    pub entries: Vec<StoredEntry>,
    /// The position of the last entry, if others follow it.
    pub next: Option<Position>,
    /// What could not be read and is missing.
    pub unreadable: Unreadable,
}

/// Reads the entries in `directory` that match `query` and that `is_match` accepts: the first ones in the order of the
/// query, or the first ones after the position `after`. The limit, at least 1, counts these entries. A missing directory
/// has no entries.
///
/// Entries with the same time are ordered by their insert ids. The whole log may be read, but only one page is in memory.
///
/// # Errors
/// If the query is invalid or the directory cannot be read.
pub fn read_page(
    directory: &Path,
    query: &Query,
    after: Option<&Position>,
    is_match: &impl Fn(&StoredEntry) -> bool,
) -> Result<Page, QueryError> {
    let first = First {
        order: query.order,
        limit: query.limit.max(1),
        max_bytes: MAX_PAGE,
        after: after.cloned(),
        is_match,
        entries: BTreeMap::new(),
        bytes: 0,
        end: None,
    };
    let query = from(after, query);
    let (first, unreadable) = collect(directory, &query, query.order, first)?;
    Ok(first.finish(unreadable))
}

/// `query` for the times of the entries after `after`.
fn from(after: Option<&Position>, query: &Query) -> Query {
    let mut query = query.clone();
    let Some(time) = after.map(Position::time) else {
        return query;
    };
    match query.order {
        Order::OldestFirst => query.start = query.start.max(Some(time)),
        Order::NewestFirst => {
            // Entries of the same time may follow.
            let end = time.checked_add(Duration::from_nanos(1)).unwrap_or(time);
            query.end = Some(query.end.map_or(end, |before| before.min(end)));
        }
    }
    query
}

/// The first entries in order.
struct First<'f, F> {
    order: Order,
    limit: usize,
    max_bytes: usize,
    after: Option<Position>,
    is_match: &'f F,
    entries: BTreeMap<Position, StoredEntry>,
    /// The size of the lines of the entries.
    bytes: usize,
    /// The first position that did not fit. Entries from there on are left out.
    end: Option<Position>,
}

impl<F: Fn(&StoredEntry) -> bool> First<'_, F> {
    /// Whether `position` comes before `other`.
    fn is_before(&self, position: &Position, other: &Position) -> bool {
        match self.order {
            Order::OldestFirst => position < other,
            Order::NewestFirst => position > other,
        }
    }

    /// Removes the last entry.
    fn shorten(&mut self) {
        let last = match self.order {
            Order::OldestFirst => self.entries.pop_last(),
            Order::NewestFirst => self.entries.pop_first(),
        };
        if let Some((position, entry)) = last {
            self.bytes -= entry.line.len();
            self.end = Some(position);
        }
    }

    fn finish(self, unreadable: Unreadable) -> Page {
        let last = match self.order {
            Order::OldestFirst => self.entries.last_key_value(),
            Order::NewestFirst => self.entries.first_key_value(),
        };
        let last = last.map(|(position, _)| position.clone());
        let mut entries: Vec<_> = self.entries.into_values().collect();
        if self.order == Order::NewestFirst {
            entries.reverse();
        }
        Page {
            entries,
            next: self.end.and(last),
            unreadable,
        }
    }
}

impl<F: Fn(&StoredEntry) -> bool> Collect for First<'_, F> {
    /// Entries are not written in the exact order of their times, so any part of the log may have one that comes first.
    fn is_done(&self) -> bool {
        false
    }

    fn has_room(&self, earliest: Rfc3339, latest: Rfc3339) -> bool {
        let Some(end) = &self.end else {
            return true;
        };
        let end = Rfc3339::from(end.time());
        match self.order {
            Order::OldestFirst => earliest <= end,
            Order::NewestFirst => latest >= end,
        }
    }

    fn add(&mut self, entry: StoredEntry) {
        let position = Position::of(&entry);
        let is_after = |after: &Position| self.is_before(after, &position);
        let is_within = |end: &Position| self.is_before(&position, end);
        if !self.after.as_ref().is_none_or(is_after)
            || !self.end.as_ref().is_none_or(is_within)
            || !(self.is_match)(&entry)
        {
            return;
        }
        let size = entry.line.len();
        if self.entries.insert(position, entry).is_none() {
            self.bytes += size;
        }
        while self.entries.len() > self.limit
            || (self.bytes > self.max_bytes && self.entries.len() > 1)
        {
            self.shorten();
        }
    }
}
