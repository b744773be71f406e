//! The schedulers of a process: one for the jobs of the store, and one for the trigger of the command line.

use std::sync::Arc;

use jiff::Timestamp;

use crate::logs::LogQueue;
use crate::scheduler::{Job, OwnListener, Reach, Scheduler};
use crate::serve::error::ServeError;
use crate::serve::options::ServeOptions;
use crate::serve::readiness::Readiness;
use crate::serve::trust::job_tokens::JobTokens;
use crate::store::{JobName, JobSettings, Store};

/// What readiness calls the scheduler of the store's jobs.
const JOBS: &str = "jobs";
/// What it calls the scheduler of the trigger.
const TRIGGER_JOB: &str = "trigger";
/// The name of the trigger's job where the function's name is none.
const TRIGGER: &str = "function";

/// What schedulers are made of.
pub(in crate::serve) struct SchedulerParts<'a> {
    pub(in crate::serve) options: &'a ServeOptions,
    pub(in crate::serve) store: Option<&'a Arc<Store>>,
    /// Where the functions answer.
    pub(in crate::serve) own: OwnListener,
    pub(in crate::serve) tokens: Arc<JobTokens>,
    pub(in crate::serve) log: &'a LogQueue,
    pub(in crate::serve) readiness: &'a Arc<Readiness>,
}

impl SchedulerParts<'_> {
    /// The schedulers.
    ///
    /// # Errors
    /// If a certificate authority cannot be trusted, or the trigger is no job.
    pub(in crate::serve) fn schedulers(&self) -> Result<Vec<Scheduler>, ServeError> {
        let jobs = self.store.cloned().map(|store| {
            let own = Some(self.own.clone());
            let reach = self.options.jobs.reach.clone();
            self.scheduler(JOBS, store, Reach { own, ..reach })
        });
        let trigger = self.trigger()?.map(|store| {
            let reach = Reach {
                own: Some(self.own.clone()),
                is_own_only: true,
                ..Reach::default()
            };
            self.scheduler(TRIGGER_JOB, store, reach)
        });
        [jobs, trigger].into_iter().flatten().collect()
    }

    /// A scheduler that reports to readiness as `subject`.
    fn scheduler(
        &self,
        subject: &'static str,
        store: Arc<Store>,
        reach: Reach,
    ) -> Result<Scheduler, ServeError> {
        let readiness = Arc::clone(self.readiness);
        Ok(Scheduler::new(
            subject,
            store,
            reach,
            Arc::clone(&self.tokens) as _,
            self.log.clone(),
            move |problem| readiness.note(subject, problem),
        )?)
    }

    /// The trigger of the command line in a store of its own, of which nothing is left in the end.
    fn trigger(&self) -> Result<Option<Arc<Store>>, ServeError> {
        let (Some(settings), Some(component)) =
            (&self.options.jobs.trigger, &self.options.component)
        else {
            return Ok(None);
        };
        // Its token is for the component by the address that callers know it by.
        let public = self.options.identity.public_urls.first();
        let public = public.filter(|_| settings.oidc_account.is_some()).cloned();
        let settings = JobSettings {
            uri: format!("{}/", self.own.url()),
            oidc_audience: settings.oidc_audience.clone().or(public),
            ..settings.clone()
        };
        let name: Result<JobName, _> = component.name.parse();
        let name = name.or_else(|_| TRIGGER.parse());
        let name = name.map_err(|error| ServeError::Trigger(error.to_string()))?;
        Job::accept(&settings).map_err(|error| ServeError::Trigger(error.to_string()))?;
        let store = Store::in_memory()?;
        store.create_job(&name, &settings, Timestamp::now())?;
        Ok(Some(Arc::new(store)))
    }
}
