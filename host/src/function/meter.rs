//! Memory and tables, counted over the whole instance and over all instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::ResourceLimiter;

use super::outcome::MemoryLimit;
use super::shared::Shared;

/// How many instances, memories and tables one execution may have. A component of many core modules needs several of
/// each; the figure keeps one execution from taking the pool of the whole process.
pub(super) const CORE_PARTS: usize = 32;

/// The memory that all executions of a sandbox hold together, in bytes.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    used: AtomicU64,
    total: u64,
}

impl MemoryBudget {
    pub(super) fn new(total: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            total,
        }
    }

    /// The most that all executions may hold together, in bytes.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    fn take(&self, bytes: u64) -> bool {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.total;
        if !fits {
            self.give_back(bytes);
        }
        fits
    }

    fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes held at this moment.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// Counts what one instance grows. wasmtime's own limiter bounds each memory on its own; this one bounds their sum.
pub(super) struct Meter {
    memory: u64,
    memory_limit: u64,
    table_elements: usize,
    table_limit: usize,
    budget: Arc<MemoryBudget>,
    shared: Arc<Shared>,
}

impl Meter {
    pub(super) fn new(
        memory_limit: u64,
        table_limit: usize,
        budget: Arc<MemoryBudget>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            memory: 0,
            memory_limit,
            table_elements: 0,
            table_limit,
            budget,
            shared,
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_beyond(desired, maximum) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current) as u64;
        let sum = self.memory.saturating_add(more);
        if sum > self.memory_limit {
            let limit = MemoryLimit::Execution(self.memory_limit);
            self.shared.note_memory_refused(limit);
            return Ok(false);
        }
        if !self.budget.take(more) {
            let limit = MemoryLimit::Total(self.budget.total);
            self.shared.note_memory_refused(limit);
            return Ok(false);
        }
        self.memory = sum;
        self.shared.note_memory(sum);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_beyond(desired, maximum) {
            return Ok(false);
        }
        let sum = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if sum > self.table_limit {
            return Ok(false);
        }
        self.table_elements = sum;
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_PARTS
    }

    fn tables(&self) -> usize {
        CORE_PARTS
    }

    fn memories(&self) -> usize {
        CORE_PARTS
    }
}

/// Whether wasmtime will refuse to grow that far, whatever is answered; so it must not be counted.
fn is_beyond(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_some_and(|maximum| desired > maximum)
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.budget.give_back(self.memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(limit: u64, budget: &Arc<MemoryBudget>) -> Meter {
        Meter::new(limit, 10, Arc::clone(budget), Arc::new(Shared::new(0)))
    }

    #[test]
    fn memories_of_an_instance_are_bounded_by_their_sum() {
        let budget = Arc::new(MemoryBudget::new(1000));
        let mut meter = meter(100, &budget);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(60, 100, None).unwrap());
    }

    #[test]
    fn executions_together_stay_within_the_budget_and_give_it_back() {
        let budget = Arc::new(MemoryBudget::new(100));
        let mut first = meter(90, &budget);
        let mut second = meter(90, &budget);
        assert!(first.memory_growing(0, 80, None).unwrap());
        assert!(!second.memory_growing(0, 80, None).unwrap());
        drop(first);
        assert!(second.memory_growing(0, 80, None).unwrap());
        drop(second);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_exceeds_the_declared_maximum_is_refused_and_not_counted() {
        let budget = Arc::new(MemoryBudget::new(1000));
        let mut meter = meter(100, &budget);
        assert!(!meter.memory_growing(0, 60, Some(50)).unwrap());
        assert!(!meter.table_growing(0, 6, Some(5)).unwrap());
        assert_eq!((budget.used(), meter.table_elements), (0, 0));
        assert!(meter.memory_growing(0, 50, Some(50)).unwrap());
    }

    #[test]
    fn tables_of_an_instance_are_bounded_by_their_sum() {
        let budget = Arc::new(MemoryBudget::new(0));
        let mut meter = meter(0, &budget);
        assert!(meter.table_growing(0, 6, None).unwrap());
        assert!(!meter.table_growing(0, 6, None).unwrap());
    }
}
