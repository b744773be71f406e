//! Keeps the catalog like the store.
//!
//! A change in the store is loaded beside what serves and takes its place when it is ready. What cannot be loaded
//! leaves the earlier state serving.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::access::{Access, function_access};
use super::catalog::{Catalog, Served};
use super::load::{Loader, in_parallel};
use super::readiness::Readiness;
use crate::store::{FunctionName, FunctionRecord, ServedFunction, Store, StoreError, Version};

/// How often the store is asked whether something has changed.
const POLL: Duration = Duration::from_millis(200);
/// What readiness calls the store.
const STORE: &str = "store";

/// What of the store has been taken up.
pub(super) struct Registry {
    store: Arc<Store>,
    loader: Loader,
    catalog: Arc<Catalog>,
    readiness: Arc<Readiness>,
    /// The store's version, once a look at it has gone well.
    version: Option<Version>,
    /// The state of each function that was last looked at, whether it could be loaded or not.
    seen: HashMap<FunctionName, String>,
}

/// What became of functions.
struct Told {
    served: Vec<(FunctionName, Served)>,
    outcomes: Vec<(FunctionName, ServedFunction)>,
}

impl Registry {
    pub(super) fn new(
        store: Arc<Store>,
        loader: Loader,
        catalog: Arc<Catalog>,
        readiness: Arc<Readiness>,
    ) -> Self {
        Self {
            store,
            loader,
            catalog,
            readiness,
            version: None,
            seen: HashMap::new(),
        }
    }

    /// Takes up what has changed in the store. Blocks; what cannot be loaded is told on stderr and in the store.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(super) fn refresh(&mut self) -> Result<(), StoreError> {
        let version = self.store.version()?;
        if self.version == Some(version) {
            return Ok(());
        }
        let records = self.store.functions()?;
        let states = records.iter();
        let states: HashMap<_, _> = states
            .map(|record| (record.name.clone(), record.updated.clone()))
            .collect();
        let is_changed =
            |record: &FunctionRecord| self.seen.get(&record.name) != Some(&record.updated);
        let changed = records.into_iter().filter(is_changed).collect();
        let loaded = in_parallel(changed, |record: FunctionRecord| {
            let served = self.loader.load_record(&record, &self.store);
            (record, served)
        });
        // Who may call is not put off until a function can be loaded again: a right that was taken away is gone.
        let failed = loaded.iter().filter(|(_, served)| served.is_err());
        let access = failed.map(|(record, _)| {
            let access = function_access(record, &self.loader.public_urls);
            (
                record.name.clone(),
                access.unwrap_or_else(|_| Access::nobody()),
            )
        });
        self.catalog.change_access(access.collect());
        let Told { served, outcomes } = self.told(loaded);
        self.catalog
            .change(served, |name| states.contains_key(name));
        self.readiness.retain(|subject| {
            let name = subject.strip_prefix(FUNCTION);
            name.is_none_or(|name| states.keys().any(|known| known.as_str() == name))
        });
        self.seen = states;
        // Told only now that requests get there.
        self.store.note_served(&outcomes)?;
        self.version = Some(version);
        Ok(())
    }

    /// What can be served of `loaded`, and what the store is told of it.
    fn told(&self, loaded: Vec<(FunctionRecord, Result<Served, String>)>) -> Told {
        let mut all_served = Vec::with_capacity(loaded.len());
        let mut outcomes = Vec::with_capacity(loaded.len());
        for (record, served) in loaded {
            let problem = served.as_ref().err().cloned();
            if let Some(problem) = &problem {
                eprintln!("error: {FUNCTION}{}: {problem}", record.name);
            }
            let subject = format!("{FUNCTION}{}", record.name);
            self.readiness.note(&subject, problem.clone());
            let outcome = ServedFunction {
                updated: record.updated,
                problem,
            };
            outcomes.push((record.name.clone(), outcome));
            all_served.extend(served.ok().map(|served| (record.name, served)));
        }
        Told {
            served: all_served,
            outcomes,
        }
    }
}

/// What readiness calls a function, before its name.
const FUNCTION: &str = "function ";

/// Keeps the catalog like the store, for ever.
pub(super) async fn follow(registry: Registry) {
    let readiness = Arc::clone(&registry.readiness);
    let registry = Arc::new(Mutex::new(registry));
    let mut looks = tokio::time::interval(POLL);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let registry = Arc::clone(&registry);
        // Loading takes long, and this thread answers the control plane.
        let refreshed = tokio::task::spawn_blocking(move || {
            let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
            registry.refresh()
        });
        let problem = match refreshed.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        // Told once, not five times a second.
        if readiness.note(STORE, problem.clone())
            && let Some(problem) = problem
        {
            eprintln!("error: changes of functions are not taken up: {problem}");
        }
    }
}
