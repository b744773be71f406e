//! Memory and tables of one execution, counted over all of its instances.

use std::sync::Arc;

use super::budget::Budget;
use super::outcome::MemoryLimit;
use super::shared::Shared;

/// Counts what one execution grows. wasmtime's own limiter bounds each memory on its own; this one bounds their sum.
pub(super) struct Meter {
    /// Linear memory, in bytes.
    memory: u64,
    /// What the host holds for the guest, as far as it is charged, in bytes.
    charged: u64,
    memory_limit: u64,
    table_elements: usize,
    table_limit: usize,
    budget: Budget,
    shared: Arc<Shared>,
}

impl Meter {
    pub(super) fn new(
        memory_limit: u64,
        table_limit: usize,
        budget: Budget,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            memory: 0,
            charged: 0,
            memory_limit,
            table_elements: 0,
            table_limit,
            budget,
            shared,
        }
    }

    /// Bytes that are charged for what the host holds.
    pub(super) fn charged(&self) -> u64 {
        self.charged
    }

    /// Whether so many more bytes fit.
    pub(super) fn has_room(&self, more: u64) -> bool {
        self.sum(more) <= self.memory_limit && self.budget.has(more)
    }

    /// Charges `bytes` for what the host holds, in place of what was charged before. Answers whether they fit; if not,
    /// nothing changes.
    pub(super) fn charge(&mut self, bytes: u64) -> bool {
        if bytes <= self.charged {
            self.budget.give_back(self.charged - bytes);
        } else if !self.take(bytes - self.charged) {
            return false;
        }
        self.charged = bytes;
        self.note();
        true
    }

    /// Counts a memory that grows from `current` to `desired` bytes, if it may.
    pub(super) fn grow_memory(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        if is_beyond(desired, maximum) {
            return false;
        }
        let more = desired.saturating_sub(current) as u64;
        if !self.take(more) {
            return false;
        }
        self.memory += more;
        self.note();
        true
    }

    /// Counts a table that grows from `current` to `desired` elements, if it may.
    pub(super) fn grow_table(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        if is_beyond(desired, maximum) {
            return false;
        }
        let sum = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        let fits = sum <= self.table_limit;
        if fits {
            self.table_elements = sum;
        }
        fits
    }

    fn sum(&self, more: u64) -> u64 {
        (self.memory + self.charged).saturating_add(more)
    }

    fn take(&self, more: u64) -> bool {
        let taken = match self.sum(more) <= self.memory_limit {
            true => self.budget.take(more),
            false => Err(MemoryLimit::Execution(self.memory_limit)),
        };
        taken
            .inspect_err(|&limit| self.shared.note_memory_refused(limit))
            .is_ok()
    }

    fn note(&self) {
        self.shared.note_memory(self.memory + self.charged);
    }
}

/// Whether wasmtime will refuse to grow that far, whatever is answered; so it must not be counted.
fn is_beyond(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_some_and(|maximum| desired > maximum)
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.budget.give_back(self.memory + self.charged);
    }
}

#[cfg(test)]
mod tests {
    use super::super::budget::MemoryBudget;
    use super::*;

    fn meter(limit: u64, all: &Arc<MemoryBudget>) -> Meter {
        let budget = Budget::new(Arc::clone(all), None);
        Meter::new(limit, 10, budget, Arc::new(Shared::new(0)))
    }

    #[test]
    fn memories_of_an_instance_are_bounded_by_their_sum() {
        let all = Arc::new(MemoryBudget::new(1000));
        let mut meter = meter(100, &all);
        assert!(meter.grow_memory(0, 60, None));
        assert!(!meter.grow_memory(0, 60, None));
        assert!(meter.grow_memory(60, 100, None));
    }

    #[test]
    fn what_the_host_holds_counts_as_memory_and_is_given_back() {
        let all = Arc::new(MemoryBudget::new(1000));
        let mut meter = meter(100, &all);
        assert!(meter.charge(60));
        assert!(!meter.has_room(41) && meter.has_room(40));
        assert!(!meter.grow_memory(0, 41, None));
        assert!(meter.grow_memory(0, 40, None));
        assert!(!meter.charge(61));
        assert_eq!(meter.charged(), 60, "what does not fit changes nothing");
        assert!(meter.charge(10));
        assert_eq!((meter.shared.memory(), all.used()), (100, 50));
        drop(meter);
        assert_eq!(all.used(), 0);
    }

    #[test]
    fn executions_together_stay_within_the_budget_and_give_it_back() {
        let all = Arc::new(MemoryBudget::new(100));
        let mut first = meter(90, &all);
        let mut second = meter(90, &all);
        assert!(first.grow_memory(0, 80, None));
        assert!(!second.grow_memory(0, 80, None));
        drop(first);
        assert!(second.grow_memory(0, 80, None));
        drop(second);
        assert_eq!(all.used(), 0);
    }

    #[test]
    fn what_exceeds_the_declared_maximum_is_refused_and_not_counted() {
        let all = Arc::new(MemoryBudget::new(1000));
        let mut meter = meter(100, &all);
        assert!(!meter.grow_memory(0, 60, Some(50)));
        assert!(!meter.grow_table(0, 6, Some(5)));
        assert_eq!((all.used(), meter.table_elements), (0, 0));
        assert!(meter.grow_memory(0, 50, Some(50)));
    }

    #[test]
    fn tables_of_an_instance_are_bounded_by_their_sum() {
        let all = Arc::new(MemoryBudget::new(0));
        let mut meter = meter(0, &all);
        assert!(meter.grow_table(0, 6, None));
        assert!(!meter.grow_table(0, 6, None));
    }
}
