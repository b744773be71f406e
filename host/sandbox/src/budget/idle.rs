//! Instances that lie idle, and give way when what they hold is needed.

use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use super::MemoryShare;
use crate::linked::Linked;
use crate::lock::lock;

/// Keeps idle instances of one function.
pub(crate) trait IdleInstances: Send + Sync {
    /// Since when the one lies idle that has done so longest.
    fn oldest(&self) -> Option<Instant>;

    /// Lets go of that one. Answers whether there was one.
    fn evict_oldest(&self) -> bool;

    /// The share of memory that they draw on, beside what is for all.
    fn share(&self) -> Option<&MemoryShare>;

    /// The component that they are of, as long as there is one.
    fn component(&self) -> Option<Arc<Linked>>;
}

/// The idle instances of all functions.
#[derive(Default)]
pub(crate) struct Idle {
    functions: Mutex<Vec<Weak<dyn IdleInstances>>>,
}

impl Idle {
    /// Adds those of a function.
    pub(crate) fn add(&self, function: Weak<dyn IdleInstances>) {
        let mut functions = lock(&self.functions);
        functions.retain(|function| function.strong_count() > 0);
        functions.push(function);
    }

    /// Lets go of the one that has been idle longest, among those that draw on `share` if one is given. Answers whether
    /// there was one.
    pub(super) fn evict(&self, share: Option<&MemoryShare>) -> bool {
        self.evict_where(|function| {
            share.is_none_or(|share| function.share().is_some_and(|own| own.is_same(share)))
        })
    }

    /// The same, among those of the functions that are `meant`.
    pub(super) fn evict_where(&self, meant: impl Fn(&dyn IdleInstances) -> bool) -> bool {
        let mut functions: Vec<_> = {
            let functions = lock(&self.functions);
            functions.iter().filter_map(Weak::upgrade).collect()
        };
        functions.retain(|function| meant(function.as_ref()));
        let mut oldest: Vec<_> = functions
            .iter()
            .filter_map(|function| Some((function.oldest()?, function)))
            .collect();
        oldest.sort_unstable_by_key(|(since, _)| *since);
        // One that was there a moment ago may be in use by now.
        oldest.iter().any(|(_, function)| function.evict_oldest())
    }
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Idle").finish_non_exhaustive()
    }
}
