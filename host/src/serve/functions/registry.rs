//! Keeps the catalog like the store.
//!
//! A change in the store is loaded beside what serves and takes its place when it is ready. What cannot be loaded
//! leaves the earlier state serving, and is tried again. Who may call does not wait for that: a right that was taken
//! away is gone at once, as is a function that was deleted.

mod batch;
mod follow;
mod retry;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::catalog::Catalog;
use super::load::Loader;
use crate::identity::access::{Access, function_access, project_invokers};
use crate::serve::readiness::Readiness;
use crate::store::{FunctionName, FunctionRecord, ServedFunction, Store, StoreError, Version};
use batch::{Batch, Loaded};
pub(in crate::serve) use follow::follow;
use retry::Retry;

/// What of the store has been taken up.
pub(in crate::serve) struct Registry {
    store: Arc<Store>,
    loader: Loader,
    catalog: Arc<Catalog>,
    readiness: Arc<Readiness>,
    /// The store's version, once it has been read.
    version: Option<Version>,
    functions: HashMap<FunctionName, Known>,
    /// Who may call every function.
    of_project: BTreeSet<String>,
    /// How often all was to be loaded again that reads files.
    round: u64,
    /// What the store does not know yet: what became of functions, or that they are served no longer.
    unrecorded: HashMap<FunctionName, Option<ServedFunction>>,
}

/// What is known of a function in the store.
struct Known {
    /// Its state there.
    updated: String,
    /// Who may call it by that.
    access: Access,
    has_secrets: bool,
    /// The state of it that was last loaded, whether that went well or not.
    tried: Option<String>,
    /// When to load it again, if it could not be.
    retry: Option<Retry>,
    /// Whether its record cannot be read.
    is_damaged: bool,
}

impl Known {
    /// When to load it, if it is to be.
    fn due(&self, now: Instant) -> Option<Instant> {
        match self.tried.as_ref() == Some(&self.updated) {
            true => self.retry.map(|retry| retry.at),
            false => Some(now),
        }
    }
}

impl Registry {
    pub(in crate::serve) fn new(
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
            functions: HashMap::new(),
            of_project: BTreeSet::new(),
            round: 0,
            unrecorded: HashMap::new(),
        }
    }

    /// Takes up all that has changed in the store. Blocks; what cannot be loaded is told on stderr and in the store.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(in crate::serve) fn refresh(&mut self) -> Result<(), StoreError> {
        self.look()?;
        if let Some(batch) = self.due(Instant::now()) {
            self.take_up(batch.load());
        }
        self.tell()
    }

    /// Takes up what needs no loading: who may call, and what is gone.
    fn look(&mut self) -> Result<(), StoreError> {
        self.read()?;
        self.tell()
    }

    fn read(&mut self) -> Result<(), StoreError> {
        let version = self.store.version()?;
        if self.version == Some(version) {
            return Ok(());
        }
        let records = self.store.functions()?;
        let of_project = project_invokers(&self.store)?;
        let is_for_all = of_project != self.of_project;
        self.of_project = of_project;
        let mut before = std::mem::take(&mut self.functions);
        let mut changed = Vec::new();
        for record in records {
            let known = match before.remove(&record.name) {
                Some(known)
                    if known.updated == record.updated
                        && known.is_damaged == record.damage.is_some() =>
                {
                    match is_for_all {
                        true => Known {
                            access: self.access(&record),
                            ..known
                        },
                        false => known,
                    }
                }
                known => self.known(&record, known),
            };
            // What opens a function to all waits until it is loaded as it was when that was said.
            if (is_for_all || known.tried.as_ref() != Some(&known.updated))
                && let Access::Private(_) = known.access
            {
                changed.push((record.name.clone(), known.access.clone()));
            }
            self.functions.insert(record.name, known);
        }
        self.catalog.change_access(changed);
        if !before.is_empty() {
            self.forget(before.into_keys());
        }
        self.version = Some(version);
        Ok(())
    }

    /// What is known by `record` of a function of which that is `known` until now.
    fn known(&self, record: &FunctionRecord, known: Option<Known>) -> Known {
        Known {
            updated: record.updated.clone(),
            access: self.access(record),
            has_secrets: !record.settings.secrets.is_empty(),
            // One that was damaged, or is no longer, is in the same state as before by its time alone.
            tried: known
                .filter(|known| known.updated != record.updated)
                .and_then(|known| known.tried),
            retry: None,
            is_damaged: record.damage.is_some(),
        }
    }

    /// Who may call the function of `record`. A policy that cannot be read lets nobody in.
    fn access(&self, record: &FunctionRecord) -> Access {
        let access = function_access(record, &self.of_project, &self.loader.public_urls);
        access.unwrap_or_else(|_| Access::nobody())
    }

    /// Serves these functions no longer.
    fn forget(&mut self, gone: impl Iterator<Item = FunctionName>) {
        self.catalog
            .change(Vec::new(), |name| self.functions.contains_key(name));
        self.readiness.retain(|subject| {
            let name = subject.strip_prefix(FUNCTION);
            name.is_none_or(|name| self.functions.keys().any(|known| known.as_str() == name))
        });
        self.unrecorded.extend(gone.map(|name| (name, None)));
    }

    /// What is to be loaded by now. Nothing is, while the store cannot be read: what came of it would not be served.
    fn next_batch(&mut self, now: Instant) -> Option<Batch> {
        self.read().ok()?;
        self.due(now)
    }

    /// What is to be loaded by now.
    fn due(&self, now: Instant) -> Option<Batch> {
        let is_due = |known: &Known| known.due(now).is_some_and(|due| due <= now);
        let due = self.functions.iter().filter(|(_, known)| is_due(known));
        let due: Vec<_> = due
            .map(|(name, known)| (name.clone(), known.updated.clone()))
            .collect();
        (!due.is_empty()).then(|| Batch {
            due,
            round: self.round,
            loader: self.loader.clone(),
            store: Arc::clone(&self.store),
            of_project: self.of_project.clone(),
        })
    }

    /// How long nothing is to be loaded, as far as is known.
    fn pause(&self, now: Instant) -> Duration {
        let due = self.functions.values().filter_map(|known| known.due(now));
        due.min()
            .map_or(Duration::MAX, |due| due.saturating_duration_since(now))
    }

    /// Has what failed be loaded again, and what may come out otherwise because it reads files.
    fn load_again(&mut self) {
        self.round += 1;
        for known in self.functions.values_mut() {
            if known.has_secrets || known.retry.is_some() {
                known.tried = None;
                known.retry = None;
            }
        }
    }

    /// Serves what could be loaded.
    fn take_up(&mut self, loaded: Vec<Loaded>) {
        // Who may call is what the store says now, not what it said when loading began.
        if self.read().is_err() {
            // All of it is due as before, and loaded again once the store can be read.
            return;
        }
        let mut all_served = Vec::with_capacity(loaded.len());
        let mut outcomes = Vec::with_capacity(loaded.len());
        for Loaded {
            name,
            updated,
            round,
            served,
        } in loaded
        {
            // It may have been deleted meanwhile.
            let Some(known) = self.functions.get_mut(&name) else {
                continue;
            };
            let problem = served.as_ref().err().cloned();
            known.retry = problem.as_ref().map(|_| match known.retry {
                Some(retry) if known.tried.as_ref() == Some(&updated) => retry.next(Instant::now()),
                _ => Retry::first(Instant::now()),
            });
            // What was read from files before they were to be read again does not count.
            known.tried = (round == self.round).then(|| updated.clone());
            if let Ok(mut served) = served {
                if let Access::Private(_) = known.access {
                    served.access = known.access.clone();
                }
                all_served.push((name.clone(), served));
            }
            let subject = format!("{FUNCTION}{name}");
            if self.readiness.note(&subject, problem.clone())
                && let Some(problem) = &problem
            {
                tracing::error!("{subject}: {problem}");
            }
            outcomes.push((name, Some(ServedFunction { updated, problem })));
        }
        self.catalog
            .change(all_served, |name| self.functions.contains_key(name));
        // Told only now that requests get there.
        self.unrecorded.extend(outcomes);
    }

    /// Tells the store what it does not know yet.
    fn tell(&mut self) -> Result<(), StoreError> {
        if self.unrecorded.is_empty() {
            return Ok(());
        }
        let unrecorded = self.unrecorded.iter();
        self.store
            .note_served(unrecorded.map(|(name, served)| (name, served.as_ref())))?;
        self.unrecorded.clear();
        Ok(())
    }
}

/// What readiness calls a function, before its name.
const FUNCTION: &str = "function ";
