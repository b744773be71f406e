//! The stacks of executions whose tasks wait: so many for each, so that none takes those of another.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::parts::Parts;

/// The stacks of a pool that no execution holds.
#[derive(Clone)]
pub(crate) struct Stacks(Arc<Semaphore>);

/// Those that an execution holds.
pub(crate) type HeldStacks = OwnedSemaphorePermit;

/// All stacks are held.
#[derive(Debug, thiserror::Error)]
#[error("all stacks are in use")]
pub(crate) struct NoStack;

impl Stacks {
    pub(crate) fn new(count: u32) -> Self {
        Self(Arc::new(Semaphore::new(count as usize)))
    }

    /// Takes as many as an execution may come to need of a component with these `parts`: one for each of its components,
    /// as a task that waits keeps other tasks out of its component; and one to run.
    ///
    /// # Errors
    /// If there are not as many.
    pub(crate) fn take(&self, parts: Parts) -> Result<HeldStacks, NoStack> {
        let with_code = parts.components.saturating_add(1).min(parts.core_instances);
        let stacks = with_code.saturating_add(1);
        let permit = Arc::clone(&self.0).try_acquire_many_owned(stacks);
        permit.map_err(|_| NoStack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composition_takes_one_for_each_of_its_components() {
        let parts = |components, core_instances| Parts {
            components,
            core_instances,
            ..Parts::default()
        };
        let stacks = Stacks::new(7);
        let held = stacks.take(parts(3, 32)).expect("five of seven");
        assert!(stacks.take(parts(1, 3)).is_err(), "three of two");
        let small = stacks.take(parts(1, 1)).expect("two of two");
        drop(held);
        assert!(stacks.take(parts(200, 4)).is_ok(), "no more than have code");
        drop(small);
    }
}
