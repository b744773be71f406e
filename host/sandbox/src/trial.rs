//! Instances without a request: to see whether a function can be started at all, and to have one ahead of need.

use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::budget::Budget;
use super::error::{Failure, LoadError};
use super::instance::{Binding, Instance};
use super::runnable::Runnable;
use super::shared::Shared;

/// How long an instance may take to come up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes an instance without a request. Idle ones give way to it.
pub(crate) async fn instantiate(runnable: &Runnable) -> Result<Instance, LoadError> {
    let binding = binding(runnable, runnable.budget.clone());
    finish(runnable, &binding, Instance::make(runnable, &binding)).await
}

/// Makes an instance without a request, if there is room for it.
pub(crate) async fn instantiate_beside(runnable: &Runnable) -> Result<Instance, LoadError> {
    let binding = binding(runnable, runnable.budget.without_eviction());
    finish(
        runnable,
        &binding,
        Instance::make_beside(runnable, &binding),
    )
    .await
}

fn binding(runnable: &Runnable, budget: Budget) -> Binding {
    let limits = runnable.limits();
    let account = Account::new(limits.memory, budget);
    Binding {
        shared: Arc::new(Shared::new(limits.log_output, account, false)),
        turns: None,
        traceparent: None,
    }
}

async fn finish(
    runnable: &Runnable,
    binding: &Binding,
    instance: impl Future<Output = wasmtime::Result<Instance>>,
) -> Result<Instance, LoadError> {
    let mut instance = std::pin::pin!(instance);
    let interrupted = std::future::poll_fn(|cx| {
        runnable.ticker.touch();
        instance.as_mut().poll(cx)
    });
    match tokio::time::timeout(PATIENCE, interrupted).await {
        Ok(Ok(instance)) => Ok(instance),
        Ok(Err(error)) => {
            let refused = binding.shared.account().refused();
            Err(LoadError::Instantiate(Failure::from_guest(
                &error, false, refused,
            )))
        }
        Err(_) => Err(LoadError::StartTime(PATIENCE)),
    }
}
