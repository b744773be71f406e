//! Memory and tables of one instance, counted over all of its core instances, and on the account of its execution.

use std::sync::Arc;

use super::shared::Shared;

/// Counts what one instance grows. wasmtime's own limiter bounds each memory on its own; this one bounds their sum.
pub(crate) struct Meter {
    /// Linear memory, in bytes.
    memory: u64,
    /// What the host holds for the guest, as far as it is charged, in bytes.
    charged: u64,
    table_elements: usize,
    table_limit: usize,
    shared: Arc<Shared>,
}

impl Meter {
    pub(crate) fn new(table_limit: usize, shared: Arc<Shared>) -> Self {
        Self {
            memory: 0,
            charged: 0,
            table_elements: 0,
            table_limit,
            shared,
        }
    }

    /// Counts for another execution from now on, which begins with what the instance has.
    pub(crate) fn bind(&mut self, shared: Arc<Shared>) {
        let earlier = self.shared.account();
        earlier.give_back(std::mem::take(&mut self.charged));
        earlier.hand_over(self.memory);
        shared.account().take_over(self.memory);
        self.shared = shared;
    }

    /// The part of its limits that the instance has used for good: of `memory`, and of table elements, whichever is more.
    pub(crate) fn used_of(&self, memory: u64) -> f64 {
        let memory = self.memory as f64 / memory.max(1) as f64;
        let tables = self.table_elements as f64 / self.table_limit.max(1) as f64;
        memory.max(tables)
    }

    /// Linear memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// Bytes that are charged for what the host holds.
    pub(crate) fn charged(&self) -> u64 {
        self.charged
    }

    /// Whether so many more bytes fit.
    pub(crate) fn has_room(&self, more: u64) -> bool {
        self.shared.account().has_room(more)
    }

    /// Charges `bytes` for what the host holds, in place of what was charged before. Answers whether they fit; if not,
    /// nothing changes.
    pub(crate) fn charge(&mut self, bytes: u64) -> bool {
        if bytes <= self.charged {
            self.shared.account().give_back(self.charged - bytes);
        } else if !self.shared.account().take(bytes - self.charged) {
            return false;
        }
        self.charged = bytes;
        true
    }

    /// Counts a memory that grows from `current` to `desired` bytes, if it may.
    pub(crate) fn grow_memory(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        if is_beyond(desired, maximum) {
            return false;
        }
        let more = desired.saturating_sub(current) as u64;
        if !self.shared.account().take(more) {
            return false;
        }
        self.memory += more;
        true
    }

    /// Counts a table that grows from `current` to `desired` elements, if it may.
    pub(crate) fn grow_table(
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
}

/// Whether wasmtime will refuse to grow that far, whatever is answered; so it must not be counted.
fn is_beyond(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_some_and(|maximum| desired > maximum)
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.shared.account().give_back(self.memory + self.charged);
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Account;
    use super::super::budget::{Budget, MemoryBudget};
    use super::*;

    fn meter(limit: u64, all: &Arc<MemoryBudget>) -> Meter {
        let account = Account::new(limit, Budget::new(Arc::clone(all), None));
        Meter::new(10, Arc::new(Shared::new(0, account, false)))
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
        assert_eq!((meter.shared.account().most(), all.used()), (100, 50));
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
