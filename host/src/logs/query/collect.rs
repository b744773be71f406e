//! What a reading keeps of the entries that it finds.

use super::Order;
use super::reader::{QueryResult, Unreadable};
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
}

impl Last {
    /// At most `limit` entries.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: Vec::new(),
            limit,
        }
    }

    /// The entries in `order`.
    pub(super) fn finish(mut self, order: Order, unreadable: Unreadable) -> QueryResult {
        self.entries.reverse();
        self.entries.sort_by_key(|entry| entry.time);
        if order == Order::NewestFirst {
            self.entries.reverse();
        }
        QueryResult {
            entries: self.entries,
            unreadable,
        }
    }
}

impl Collect for Last {
    fn is_done(&self) -> bool {
        self.entries.len() >= self.limit
    }

    fn has_room(&self, _earliest: Rfc3339, _latest: Rfc3339) -> bool {
        true
    }

    fn add(&mut self, entry: StoredEntry) {
        self.entries.push(entry);
    }
}
