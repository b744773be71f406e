//! What a reading keeps of the entries that it finds.

use std::time::Instant;

use super::reader::{QueryResult, Unreadable};
use super::{Order, Query};
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::forms::StoredEntry;

/// Keeps some of the entries that match a query.
pub(super) trait Collect {
    /// Whether no other entry is needed.
    fn is_done(&self) -> bool;

    /// Whether an entry of one of these times may be kept.
    fn has_room(&self, earliest: Rfc3339, latest: Rfc3339) -> bool;

    /// Adds an entry. It may be left out, or replace another.
    fn add(&mut self, entry: StoredEntry);
}

/// The entries that were written last. They are added newest first.
#[derive(Debug)]
pub(super) struct Last {
    entries: Vec<StoredEntry>,
    limit: usize,
    max_bytes: usize,
    /// The size of the lines of the entries.
    bytes: usize,
    /// When the search ends, whatever was found.
    deadline: Option<Instant>,
}

impl Last {
    /// As many entries as `query` asks for.
    pub(super) fn new(query: &Query) -> Self {
        Self {
            entries: Vec::new(),
            limit: query.limit,
            max_bytes: query.max_bytes,
            bytes: 0,
            deadline: query
                .time_limit
                .and_then(|limit| Instant::now().checked_add(limit)),
        }
    }

    /// The entries in `order`.
    pub(super) fn finish(mut self, order: Order, unreadable: Unreadable) -> QueryResult {
        let is_cut = (self.is_full() || self.is_late()) && self.entries.len() < self.limit;
        self.entries.reverse();
        self.entries.sort_by_key(|entry| entry.time);
        if order == Order::NewestFirst {
            self.entries.reverse();
        }
        QueryResult {
            entries: self.entries,
            is_cut,
            unreadable,
        }
    }

    fn is_full(&self) -> bool {
        self.bytes >= self.max_bytes
    }

    fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Collect for Last {
    fn is_done(&self) -> bool {
        self.entries.len() >= self.limit || self.is_full() || self.is_late()
    }

    fn has_room(&self, _earliest: Rfc3339, _latest: Rfc3339) -> bool {
        true
    }

    fn add(&mut self, entry: StoredEntry) {
        self.bytes += entry.line.len();
        self.entries.push(entry);
    }
}
