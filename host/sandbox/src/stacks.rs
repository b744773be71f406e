//! The stacks of executions whose tasks wait: so many for each, so that none takes those of another.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::parts::Parts;

/// The stacks of a pool that no execution holds.
pub(crate) struct Stacks {
    all: Arc<Semaphore>,
    count: u32,
    /// What one component may have of them, three quarters. So there is always something left for others.
    own: Arc<Semaphore>,
}

/// Those that an execution holds.
pub(crate) struct HeldStacks {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// All stacks are held.
#[derive(Debug, thiserror::Error)]
#[error("all stacks are in use")]
pub(crate) struct NoStack {
    /// Those that the component may have. What others have is of no use to it.
    pub(crate) own: bool,
}

impl Stacks {
    pub(crate) fn new(count: u32) -> Self {
        Self {
            all: Arc::new(Semaphore::new(count as usize)),
            count,
            own: Arc::new(Semaphore::new((count - count / 4) as usize)),
        }
    }

    /// The same stacks, with a share for another component.
    pub(crate) fn with_share(&self) -> Self {
        Self {
            all: Arc::clone(&self.all),
            ..Self::new(self.count)
        }
    }

    /// Takes as many as an execution may come to need of a component with these `parts`: one for each of its components,
    /// as a task that waits keeps other tasks out of its component; and one to run.
    ///
    /// # Errors
    /// If there are not as many.
    pub(crate) fn take(&self, parts: Parts) -> Result<HeldStacks, NoStack> {
        let with_code = parts.components.saturating_add(1).min(parts.core_instances);
        let stacks = with_code.saturating_add(1);
        let take = |of: &Arc<Semaphore>, own| {
            let permit = Arc::clone(of).try_acquire_many_owned(stacks);
            permit.map_err(|_| NoStack { own })
        };
        Ok(HeldStacks {
            _own: take(&self.own, true)?,
            _all: take(&self.all, false)?,
        })
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
        let stacks = Stacks::new(8);
        let held = stacks.take(parts(3, 32)).expect("five of its six");
        assert!(stacks.take(parts(1, 1)).is_err(), "two of its one");
        let others = stacks.with_share();
        let other = others.take(parts(1, 3)).expect("three of three");
        assert!(others.take(parts(1, 1)).is_err(), "none is left");
        drop(held);
        assert!(stacks.take(parts(200, 4)).is_ok(), "no more than have code");
        drop(other);
    }
}
