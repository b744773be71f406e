//! Functions that are loaded, while the registry goes on.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::serve::functions::catalog::Served;
use crate::serve::functions::load::{Loader, in_parallel};
use crate::store::{FunctionName, Store};

/// Functions to be loaded, each with the state that is known of it.
pub(super) struct Batch {
    pub(super) due: Vec<(FunctionName, String)>,
    pub(super) round: u64,
    pub(super) loader: Loader,
    pub(super) store: Arc<Store>,
    /// Who may call every function.
    pub(super) of_project: BTreeSet<String>,
}

/// What came of loading a function.
pub(super) struct Loaded {
    pub(super) name: FunctionName,
    /// The state that was loaded.
    pub(super) updated: String,
    /// The round in which loading began.
    pub(super) round: u64,
    /// The function, or why it cannot be served.
    pub(super) served: Result<Served, String>,
}

impl Batch {
    /// Loads all of them. Blocks.
    pub(super) fn load(mut self) -> Vec<Loaded> {
        let due = std::mem::take(&mut self.due);
        let loaded = in_parallel(due, |(name, updated)| self.load_one(name, updated));
        loaded.into_iter().flatten().collect()
    }

    /// Loads `name` as it is by now, which may be later than `updated`: another deployment takes the component of the
    /// one before away. Nothing, if it is gone.
    fn load_one(&self, name: FunctionName, updated: String) -> Option<Loaded> {
        let (updated, served) = match self.store.function_and_component(&name) {
            Ok(None) => return None,
            Ok(Some((record, wasm))) => {
                let served = self.loader.load_record(&record, &self.of_project, wasm);
                (record.updated, served)
            }
            Err(error) => (updated, Err(error.to_string())),
        };
        Some(Loaded {
            name,
            updated,
            round: self.round,
            served,
        })
    }
}
