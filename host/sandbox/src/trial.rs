//! Whether a function can be started at all, tried before anyone depends on it.

use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::component::Function;
use super::error::LoadError;
use super::instance;
use super::outcome::Failure;
use super::shared::Shared;

/// How long an instance may take to come up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes an instance of `function` and lets it go, without a request.
pub(super) async fn instantiate(function: &Function) -> Result<(), LoadError> {
    let limits = function.limits();
    let account = Account::new(limits.memory, function.budget().clone());
    let shared = Arc::new(Shared::new(limits.log_output, account, false));
    let mut store = instance::store(function, &shared, None, None);
    let mut instance = std::pin::pin!(function.instance_pre().instantiate_async(&mut store));
    let interrupted = std::future::poll_fn(|cx| {
        function.ticker().touch();
        instance.as_mut().poll(cx)
    });
    match tokio::time::timeout(PATIENCE, interrupted).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            let failure = Failure::from_guest(&error, false, shared.account().refused());
            Err(LoadError::Instantiate(failure.to_string()))
        }
        Err(_) => Err(LoadError::Instantiate(format!(
            "it did not come up within {PATIENCE:?}"
        ))),
    }
}
