//! The capacity of a queue, and how much of it each function may use.

use std::collections::HashMap;
use std::sync::Arc;

/// A function that uses no more than this fraction of the limit is admitted while there is any space. (All fractions
/// are given by their denominators.)
const SMALL_SHARE: usize = 64;
/// The fraction that is reserved for functions with a small share.
const RESERVE: usize = 4;
/// The queue counts as filling when more than this fraction is used.
const FILLING: usize = 8;
/// How many functions without entries in the queue are remembered.
const MAX_REMEMBERED: usize = 1000;

/// A size of a queue or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::logs::pipeline) struct QueueSize {
    pub(in crate::logs::pipeline) batches: usize,
    pub(in crate::logs::pipeline) bytes: usize,
}

impl Default for QueueSize {
    fn default() -> Self {
        Self {
            batches: 65_536,
            bytes: 32 * 1024 * 1024,
        }
    }
}

impl QueueSize {
    const NONE: Self = Self {
        batches: 0,
        bytes: 0,
    };

    /// The size of one batch of `bytes`.
    pub(super) fn batch(bytes: usize) -> Self {
        Self { batches: 1, bytes }
    }

    fn fraction(self, denominator: usize) -> Self {
        Self {
            batches: self.batches / denominator,
            bytes: self.bytes / denominator,
        }
    }

    fn plus(self, more: Self) -> Self {
        Self {
            batches: self.batches.saturating_add(more.batches),
            bytes: self.bytes.saturating_add(more.bytes),
        }
    }

    fn minus(self, less: Self) -> Self {
        Self {
            batches: self.batches.saturating_sub(less.batches),
            bytes: self.bytes.saturating_sub(less.bytes),
        }
    }

    fn fits(self, limit: Self) -> bool {
        self.batches <= limit.batches && self.bytes <= limit.bytes
    }
}

/// The limit of a queue, and how much of it is used: in total and by each function.
#[derive(Debug)]
pub(super) struct Capacity {
    limit: QueueSize,
    used: QueueSize,
    by_function: HashMap<Arc<str>, QueueSize>,
}

impl Capacity {
    pub(super) fn new(limit: QueueSize) -> Self {
        Self {
            limit,
            used: QueueSize::NONE,
            by_function: HashMap::new(),
        }
    }

    /// Whether `batch` of `function` fits.
    ///
    /// A function with a small share is admitted while there is any space. Others cannot use the reserve. Once half of
    /// the capacity is used, none of them gets more than a quarter, so that one that prints without end leaves space to
    /// other busy functions.
    pub(super) fn admits(&self, function: &str, batch: QueueSize) -> bool {
        let held = self
            .by_function
            .get(function)
            .copied()
            .unwrap_or(QueueSize::NONE);
        let (own, all) = (held.plus(batch), self.used.plus(batch));
        let is_fair = || self.used.fits(self.limit.fraction(2)) || own.fits(self.limit.fraction(4));
        let unreserved = self.limit.minus(self.limit.fraction(RESERVE));
        let is_small = own.fits(self.limit.fraction(SMALL_SHARE));
        all.fits(self.limit) && (is_small || all.fits(unreserved) && is_fair())
    }

    /// Whether a `batch` of high priority fits, of any function: half of the reserve is for these as well.
    pub(super) fn admits_high_priority(&self, batch: QueueSize) -> bool {
        let reserved = self.limit.fraction(2 * RESERVE);
        self.used.plus(batch).fits(self.limit.minus(reserved))
    }

    /// Whether so much is used that the reader should not wait for more.
    pub(super) fn is_filling(&self) -> bool {
        !self.used.fits(self.limit.fraction(FILLING))
    }

    /// Marks the space of `batch` as used by `function`.
    pub(super) fn reserve(&mut self, function: &Arc<str>, batch: QueueSize) {
        self.used = self.used.plus(batch);
        match self.by_function.get_mut(function) {
            Some(held) => *held = held.plus(batch),
            None => drop(self.by_function.insert(Arc::clone(function), batch)),
        }
    }

    /// Releases the space of processed entries.
    pub(super) fn release(&mut self, processed: &Processed) {
        for (function, size) in &processed.sizes {
            self.used = self.used.minus(*size);
            if let Some(held) = self.by_function.get_mut(function) {
                *held = held.minus(*size);
            }
        }
        // Functions are deployed and deleted.
        if self.by_function.len() > MAX_REMEMBERED {
            self.by_function.retain(|_, held| *held != QueueSize::NONE);
        }
    }
}

/// The entries that a reader has processed.
#[derive(Clone, Debug, Default)]
pub(in crate::logs::pipeline) struct Processed {
    pub(in crate::logs::pipeline) batches: u64,
    pub(in crate::logs::pipeline) entries: u64,
    /// Their sizes, by the function whose share they used.
    sizes: Vec<(Arc<str>, QueueSize)>,
}

impl Processed {
    /// Adds an entry of `bytes` in a batch of `function`.
    pub(in crate::logs::pipeline) fn add_entry(&mut self, function: &Arc<str>, bytes: usize) {
        self.entries += 1;
        self.add(function, QueueSize { batches: 0, bytes });
    }

    /// Adds a batch of `function`, all of whose entries were added.
    pub(in crate::logs::pipeline) fn add_batch(&mut self, function: &Arc<str>) {
        self.batches += 1;
        self.add(function, QueueSize::batch(0));
    }

    fn add(&mut self, function: &Arc<str>, more: QueueSize) {
        match self.sizes.last_mut() {
            Some((last, size)) if last == function => *size = size.plus(more),
            _ => self.sizes.push((Arc::clone(function), more)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: QueueSize = QueueSize {
        batches: 640,
        bytes: 640_000,
    };

    /// Adds batches of `bytes` until one does not fit. Returns how many did.
    fn fill(capacity: &mut Capacity, function: &str, bytes: usize) -> usize {
        let batch = QueueSize::batch(bytes);
        (0..)
            .take_while(|_| {
                let fits = capacity.admits(function, batch);
                if fits {
                    capacity.reserve(&function.into(), batch);
                }
                fits
            })
            .count()
    }

    #[test]
    fn one_function_alone_gets_half_of_the_capacity() {
        // Bytes and batches have the same limits.
        for bytes in [1_000, 1] {
            let mut capacity = Capacity::new(LIMIT);
            assert_eq!(fill(&mut capacity, "loud", bytes), 321);
        }
    }

    #[test]
    fn a_function_with_a_small_share_is_admitted_beside_busy_ones() {
        for bytes in [1_000, 1, 64_000] {
            let mut capacity = Capacity::new(LIMIT);
            for loud in ["a", "b", "c", "d"] {
                fill(&mut capacity, loud, bytes);
            }
            for quiet in 0..8 {
                assert!(fill(&mut capacity, &format!("quiet {quiet}"), 1_000) >= 10);
            }
        }
    }

    #[test]
    fn a_batch_larger_than_the_capacity_is_not_admitted() {
        let capacity = Capacity::new(LIMIT);
        assert!(!capacity.admits("a", QueueSize::batch(640_001)));
        assert!(capacity.admits("a", QueueSize::batch(480_000)));
    }

    #[test]
    fn processed_entries_use_no_capacity() {
        let mut capacity = Capacity::new(LIMIT);
        let (name, mut processed): (Arc<str>, _) = ("loud".into(), Processed::default());
        for _ in 0..fill(&mut capacity, "loud", 1_000) {
            processed.add_entry(&name, 400);
            processed.add_entry(&name, 600);
            processed.add_batch(&name);
        }
        capacity.release(&processed);
        assert_eq!(capacity.used, QueueSize::NONE);
        assert_eq!(fill(&mut capacity, "loud", 1_000), 321);
    }
}
