//! What the control plane tells of this process.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use host_tokens::ControlCaller;
use serde_json::Value;

use crate::api::{Code, Principal, Status};
use crate::console::Subject;
use crate::identity::{ExchangeError, ExchangeErrorCode, ExchangeRequest, OwnIssuer};
use crate::logs::LogQueue;
use crate::scheduler::{JobFigures, SchedulerHandle};
use crate::serve::drain::Drain;
use crate::serve::functions::catalog::Catalog;
use crate::serve::metrics::exposition::Figures;
use crate::serve::readiness::Readiness;
use crate::serve::trust::board::TrustBoard;
use crate::serve::trust::control_callers::{ControlCallers, ControlReason};
use crate::store::Store;
use host_sandbox::Sandbox;

/// How long keys are waited for with which a token may be good.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// Who calls methods.
    pub(in crate::serve) callers: ControlCallers,
    /// What makes access tokens, and where its keys are.
    pub(in crate::serve) issuer: Option<(OwnIssuer, Arc<Store>)>,
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

    async fn principal(&self, token: &str) -> Result<Principal, Status> {
        match self.callers.judge(token, PATIENCE).await {
            Ok(ControlCaller::Owner) => Ok(Principal::Owner),
            Ok(ControlCaller::ServiceAccount { email, .. }) => Ok(Principal::ServiceAccount(email)),
            Ok(ControlCaller::Outside(caller)) => Ok(Principal::Outside {
                principal: caller.principal,
                email: caller.email,
            }),
            Err(refusal) => {
                tracing::debug!(
                    "a caller of the control plane is not known: {}",
                    refusal.why
                );
                let code = match refusal.reason {
                    ControlReason::KeysUnavailable => Code::Unavailable,
                    _ => Code::Unauthenticated,
                };
                Err(Status::new(code, refusal.reason.to_string()))
            }
        }
    }

    async fn exchange(&self, form: &[u8]) -> (u16, Value) {
        let request = match ExchangeRequest::read(form) {
            Ok(request) => request,
            Err(error) => return refused(&error),
        };
        let Some((issuer, store)) = &self.issuer else {
            let message =
                "this host has no issuer of its own, so there is no token to exchange for";
            let code = ExchangeErrorCode::UnsupportedGrantType;
            return refused(&ExchangeError::new(code, message));
        };
        match self
            .callers
            .exchange(&request, (issuer, store), PATIENCE)
            .await
        {
            Ok(answer) => (200, answer.to_json()),
            Err(error) => refused(&error),
        }
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

fn refused(error: &ExchangeError) -> (u16, Value) {
    (error.code.status(), error.to_json())
}
