//! Instances without a request: to see whether a function can be started at all, and to have one ahead of need.

use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::error::{Failure, LoadError};
use super::instance::{Binding, Instance};
use super::runnable::Runnable;
use super::shared::Shared;

/// How long an instance may take to come up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes an instance without a request.
pub(crate) async fn instantiate(runnable: &Runnable) -> Result<Instance, LoadError> {
    let limits = runnable.limits();
    let account = Account::new(limits.memory, runnable.budget.clone());
    let shared = Arc::new(Shared::new(limits.log_output, account, false));
    let binding = Binding {
        shared: Arc::clone(&shared),
        turns: None,
        traceparent: None,
    };
    let mut instance = std::pin::pin!(Instance::make(runnable, &binding));
    let interrupted = std::future::poll_fn(|cx| {
        runnable.ticker.touch();
        instance.as_mut().poll(cx)
    });
    match tokio::time::timeout(PATIENCE, interrupted).await {
        Ok(Ok(instance)) => Ok(instance),
        Ok(Err(error)) => {
            let refused = shared.account().refused();
            Err(LoadError::Instantiate(Failure::from_guest(
                &error, false, refused,
            )))
        }
        Err(_) => Err(LoadError::StartTime(PATIENCE)),
    }
}
