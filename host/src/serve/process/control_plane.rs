//! What the control plane tells of this process.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::api::{Code, Principal, Status};
use crate::console::Subject;
use crate::logs::LogQueue;
use crate::scheduler::{JobFigures, SchedulerHandle};
use crate::serve::drain::Drain;
use crate::serve::functions::catalog::Catalog;
use crate::serve::metrics::exposition::Figures;
use crate::serve::readiness::Readiness;
use crate::serve::trust::board::TrustBoard;
use host_sandbox::Sandbox;

/// The process, as the console sees it.
pub(in crate::serve) struct ControlPlane {
    pub(in crate::serve) catalog: Arc<Catalog>,
    pub(in crate::serve) readiness: Arc<Readiness>,
    pub(in crate::serve) board: Arc<TrustBoard>,
    pub(in crate::serve) sandbox: Sandbox,
    /// The schedulers: of the store's jobs and of the trigger, if there are such.
    pub(in crate::serve) jobs: Vec<SchedulerHandle>,
    pub(in crate::serve) log: LogQueue,
    pub(in crate::serve) drain: Drain,
    /// When the process began to serve.
    pub(in crate::serve) started: SystemTime,
}

impl Subject for ControlPlane {
    fn problems(&self) -> Vec<String> {
        let mut problems = self.readiness.problems();
        if self.drain.has_begun() {
            problems.push("draining".into());
        }
        problems
    }

    fn notes(&self) -> Vec<String> {
        self.jobs
            .iter()
            .flat_map(SchedulerHandle::disabled)
            .collect()
    }

    async fn principal(&self, _: &str) -> Result<Principal, Status> {
        Err(Status::new(
            Code::Unauthenticated,
            "the access token is not valid",
        ))
    }

    fn discovery(&self) -> Option<String> {
        self.board
            .own_documents()
            .map(|documents| documents.discovery)
    }

    fn keys(&self) -> Option<String> {
        self.board.own_documents().map(|documents| documents.keys)
    }

    fn metrics(&self) -> String {
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH);
        let figures = Figures {
            accounts: self.catalog.accounts(),
            refused_tokens: self.board.refused_tokens(),
            keys: self.board.key_accounts(),
            jobs: self
                .jobs
                .iter()
                .map(SchedulerHandle::figures)
                .reduce(JobFigures::and),
            now: SystemTime::now(),
            sandbox: self.sandbox.usage(),
            log_written: self.log.written(),
            log_dropped: self.log.dropped(),
            log_kept: self.log.storage().stored(),
            log_lost: self.log.storage().lost(),
            log_damaged: self.log.storage().damaged(),
            exported_logs: self.log.exported().logs(),
            exported_spans: self.log.exported().spans(),
            started: started.unwrap_or(Duration::ZERO),
            is_ready: self.problems().is_empty(),
        };
        figures.text()
    }
}
