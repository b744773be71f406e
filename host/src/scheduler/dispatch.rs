//! The scheduler at work: it sleeps until something is due, plays a round, and makes the attempts that the round begins.

mod finish;
mod work;

use std::sync::Arc;

use tokio::sync::watch;

use super::attempt::{Minter, TokenSource};
use super::client::{Reach, TargetClient};
use super::counters::{Counters, JobFigures};
use super::disabled::Disabled;
use crate::logs::LogQueue;
use crate::store::Store;
use work::Work;

/// Why there is no scheduler.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchedulerError {
    /// A certificate authority that cannot be trusted.
    #[error(
        "a certificate authority of jobs cannot be trusted: {0}; expected its X.509 certificate"
    )]
    Authority(#[from] rustls::Error),
}

/// Tells what a scheduler counts. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SchedulerHandle {
    counters: Arc<Counters>,
    disabled: Arc<Disabled>,
}

impl SchedulerHandle {
    /// What was counted.
    pub(crate) fn figures(&self) -> JobFigures {
        self.counters.read()
    }

    /// Which jobs cannot run, and why, a line each.
    pub(crate) fn disabled(&self) -> Vec<String> {
        self.disabled.lines()
    }
}

/// Takes what keeps the scheduler from its work, if anything does, and returns whether that is new.
type Tell = Box<dyn Fn(Option<String>) -> bool + Send + Sync>;

/// Runs the jobs of a store.
pub struct Scheduler {
    subject: &'static str,
    store: Arc<Store>,
    client: TargetClient,
    minter: Minter,
    log: LogQueue,
    handle: SchedulerHandle,
    tell: Tell,
}

impl Scheduler {
    /// Known as `subject`, for the jobs of `store`, whose attempts go where `reach` lets them. `tell` takes after each round what keeps the
    /// scheduler from its work, if anything does, and answers whether that is news.
    ///
    /// # Errors
    /// If a certificate authority cannot be trusted.
    pub fn new(
        subject: &'static str,
        store: Arc<Store>,
        reach: Reach,
        tokens: Arc<dyn TokenSource>,
        log: LogQueue,
        tell: impl Fn(Option<String>) -> bool + Send + Sync + 'static,
    ) -> Result<Self, SchedulerError> {
        Ok(Self {
            subject,
            store,
            client: TargetClient::new(reach)?,
            minter: Minter::new(tokens),
            log,
            handle: SchedulerHandle::default(),
            tell: Box::new(tell),
        })
    }

    /// What it is known as, unlike others of its process.
    pub fn subject(&self) -> &'static str {
        self.subject
    }

    /// Tells what it counts while it runs.
    pub fn handle(&self) -> SchedulerHandle {
        self.handle.clone()
    }

    /// Runs jobs until `end` says so. Then nothing begins any more, and attempts under way may end: all until `gone` says that
    /// this host answers nobody any more, and half a minute at least. What does not end by then is made again at the next
    /// start, and so is what was turned away because of the end.
    pub async fn run(self, end: watch::Receiver<bool>, gone: watch::Receiver<bool>) {
        let (mut work, over) = Work::new(self, end);
        work.go_on().await;
        work.finish(gone, &over).await;
    }
}
