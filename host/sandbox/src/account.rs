//! The memory of one execution: what its instance has and what the host holds for it, together.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use super::budget::Budget;
use super::error::MemoryLimit;
use super::limits::KIB;
use super::lock::lock;

/// Bytes of bodies that no execution is charged for: as much as stands unread of one that is being sent. So ordinary
/// answers cost nothing that is shared.
const FREE: u64 = 128 * KIB;

/// What one execution holds, in bytes. Whoever takes some gives it back.
#[derive(Debug)]
pub(crate) struct Account {
    limit: u64,
    budget: Budget,
    held: AtomicU64,
    /// The most that was held.
    most: AtomicU64,
    /// What stands unread in all outgoing bodies. It is charged as far as it is over [`FREE`].
    bodies: Mutex<u64>,
    refused: OnceLock<MemoryLimit>,
}

impl Account {
    /// At most `limit` bytes, drawn on `budget`.
    pub(crate) fn new(limit: u64, budget: Budget) -> Self {
        Self {
            limit,
            budget,
            held: AtomicU64::new(0),
            most: AtomicU64::new(0),
            bodies: Mutex::new(0),
            refused: OnceLock::new(),
        }
    }

    /// The most that was held so far.
    pub(crate) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }

    /// The first bound that was met.
    pub(crate) fn refused(&self) -> Option<MemoryLimit> {
        self.refused.get().copied()
    }

    /// Whether so many more bytes fit.
    pub(crate) fn has_room(&self, more: u64) -> bool {
        self.with(more).is_some() && self.budget.has(more)
    }

    /// Takes so many bytes. Answers whether they fit; if not, nothing is taken.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let taken = match self.with(bytes) {
            Some(_) => self.budget.take(bytes),
            None => Err(MemoryLimit::Execution(self.limit)),
        };
        if let Err(limit) = taken {
            self.refused.get_or_init(|| limit);
            return false;
        }
        self.take_over(bytes);
        true
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.budget.give_back(bytes);
    }

    /// Takes over so many bytes, which the account of an earlier execution has taken.
    pub(crate) fn take_over(&self, bytes: u64) {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.fetch_max(held, Ordering::Relaxed);
    }

    /// Notes that so many bytes were in use for it, which others hold.
    pub(crate) fn note(&self, bytes: u64) {
        self.most.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Hands so many bytes over to the account of a later execution.
    pub(crate) fn hand_over(&self, bytes: u64) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Notes that so many more bytes of a body stand unread. Answers whether they fit; if not, nothing is noted.
    pub(crate) fn hold_body(&self, bytes: u64) -> bool {
        let mut bodies = lock(&self.bodies);
        let more = charged(*bodies + bytes) - charged(*bodies);
        let fits = more == 0 || self.take(more);
        if fits {
            *bodies += bytes;
        }
        fits
    }

    /// Notes that so many bytes of a body were read, or let go.
    pub(crate) fn release_body(&self, bytes: u64) {
        let mut bodies = lock(&self.bodies);
        let less = charged(*bodies) - charged(*bodies - bytes);
        *bodies -= bytes;
        if less > 0 {
            self.give_back(less);
        }
    }

    /// What would be held with `more`, if the execution may have that.
    fn with(&self, more: u64) -> Option<u64> {
        let held = self.held.load(Ordering::Relaxed);
        held.checked_add(more).filter(|sum| *sum <= self.limit)
    }
}

/// What is charged where so many bytes of bodies stand unread.
fn charged(bodies: u64) -> u64 {
    bodies.saturating_sub(FREE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::budget::MemoryBudget;
    use super::*;

    #[test]
    fn bodies_are_charged_as_far_as_they_are_not_free() {
        let all = Arc::new(MemoryBudget::new(FREE));
        let account = Account::new(1000, Budget::new(Arc::clone(&all), None));
        assert!(account.hold_body(FREE));
        assert_eq!(all.used(), 0);
        assert!(account.hold_body(600));
        assert_eq!((all.used(), account.most()), (600, 600));
        assert!(!account.hold_body(401), "it would be beyond the limit");
        assert_eq!(account.refused(), Some(MemoryLimit::Execution(1000)));
        assert!(account.take(400) && !account.has_room(1));
        account.release_body(FREE + 100);
        assert_eq!(all.used(), 400, "what is read is given back");
        account.release_body(500);
        account.give_back(400);
        assert_eq!(all.used(), 0);
    }
}
