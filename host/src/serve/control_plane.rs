//! What the control plane tells of this process.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::catalog::Catalog;
use super::drain::Drain;
use super::exposition::Figures;
use super::readiness::Readiness;
use super::trust_board::TrustBoard;
use crate::console::Subject;
use crate::logs::LogQueue;
use crate::scheduler::{JobFigures, SchedulerHandle};
use host_sandbox::Sandbox;

/// The process, as the console sees it.
pub(super) struct ControlPlane {
    pub(super) catalog: Arc<Catalog>,
    pub(super) readiness: Arc<Readiness>,
    pub(super) board: Arc<TrustBoard>,
    pub(super) sandbox: Sandbox,
    /// The schedulers: of the store's jobs and of the trigger, if there are such.
    pub(super) jobs: Vec<SchedulerHandle>,
    pub(super) log: LogQueue,
    pub(super) drain: Drain,
    /// When the process began to serve.
    pub(super) started: SystemTime,
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
