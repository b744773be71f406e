//! The schedulers of a process: one for the jobs of the store, and one for the trigger of the command line.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::ServeError;
use super::job_tokens::JobTokens;
use super::options::ServeOptions;
use super::readiness::Readiness;
use crate::logs::LogQueue;
use crate::scheduler::{Job, Scheduler};
use crate::store::{JobName, JobSettings, Store};

/// What readiness calls the scheduler.
const JOBS: &str = "jobs";
/// The name of the trigger's job where the function's name is none.
const TRIGGER: &str = "function";

/// What schedulers are made of.
pub(super) struct Parts<'a> {
    pub(super) options: &'a ServeOptions,
    pub(super) store: Option<&'a Arc<Store>>,
    /// Where the functions answer.
    pub(super) url: &'a str,
    pub(super) tokens: Arc<JobTokens>,
    pub(super) log: &'a LogQueue,
    pub(super) readiness: &'a Arc<Readiness>,
}

impl Parts<'_> {
    /// The schedulers.
    ///
    /// # Errors
    /// If a certificate authority cannot be trusted, or the trigger is no job.
    pub(super) fn schedulers(&self) -> Result<Vec<Scheduler>, ServeError> {
        let stores = [self.store.cloned(), self.trigger()?];
        stores
            .into_iter()
            .flatten()
            .map(|store| self.scheduler(store))
            .collect()
    }

    fn scheduler(&self, store: Arc<Store>) -> Result<Scheduler, ServeError> {
        let readiness = Arc::clone(self.readiness);
        Ok(Scheduler::new(
            store,
            self.options.jobs.reach.clone(),
            Arc::clone(&self.tokens) as _,
            self.log.clone(),
            move |problem| readiness.note(JOBS, problem),
        )?)
    }

    /// The trigger of the command line in a store of its own, of which nothing is left in the end.
    fn trigger(&self) -> Result<Option<Arc<Store>>, ServeError> {
        let (Some(settings), Some(component)) =
            (&self.options.jobs.trigger, &self.options.component)
        else {
            return Ok(None);
        };
        let settings = JobSettings {
            uri: format!("{}/", self.url),
            ..settings.clone()
        };
        let name: Result<JobName, _> = component.name.parse();
        let name = name.or_else(|_| TRIGGER.parse());
        let name = name.map_err(|error| ServeError::Trigger(error.to_string()))?;
        let job = Job::read(&settings).map_err(|error| ServeError::Trigger(error.to_string()))?;
        let store = Store::in_memory()?;
        let next = job.schedule.next_after(Timestamp::now());
        store.create_job(&name, &settings, next)?;
        Ok(Some(Arc::new(store)))
    }
}
