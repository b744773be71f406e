//! Waits until the host that serves has taken up a change of a function.

use std::thread;
use std::time::{Duration, Instant};

use super::state::FunctionState;
use crate::store::{FunctionName, FunctionRecord, Store, StoreError};

/// How long a serving host may take to take up a change.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Why a change that was made is not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettleError {
    /// Somebody else has deleted the function.
    #[error("deployed, and gone again: {0}")]
    Gone(StoreError),
    /// The host has not looked at it in time.
    #[error("{done}, but the host that serves has not taken it up within {PATIENCE:?}")]
    Late {
        /// What was done.
        done: &'static str,
    },
    /// The host cannot serve it.
    #[error(
        "deployed, but the host cannot serve it, and goes on with what it had: {state}: {reason}"
    )]
    Unservable {
        /// What has become of the function.
        state: FunctionState,
        /// Why.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Waits until the host that serves, if one does, has taken `record` up. Tells whether one does.
///
/// # Errors
/// If it cannot serve it, takes longer than [`PATIENCE`], or somebody deletes the function meanwhile.
pub(crate) fn settle(store: &Store, record: &FunctionRecord) -> Result<bool, SettleError> {
    let begun = Instant::now();
    loop {
        let state = FunctionState::of(record, store)?;
        match &state {
            FunctionState::Active => return Ok(true),
            FunctionState::NotServed => return Ok(false),
            FunctionState::Deploying if begun.elapsed() < PATIENCE => {
                // Somebody may have deleted it meanwhile.
                store.function(&record.name).map_err(SettleError::Gone)?;
                thread::sleep(LOOK);
            }
            FunctionState::Deploying => return Err(SettleError::Late { done: "deployed" }),
            FunctionState::Failed(reason) | FunctionState::Damaged(reason) => {
                return Err(SettleError::Unservable {
                    reason: reason.clone(),
                    state,
                });
            }
        }
    }
}

/// Waits until the host that serves, if one does, serves `name` no longer.
///
/// # Errors
/// If it takes longer than [`PATIENCE`].
pub(super) fn settle_deleted(store: &Store, name: &FunctionName) -> Result<(), SettleError> {
    let begun = Instant::now();
    // Somebody may have deployed it anew meanwhile.
    while store.serves_functions()?
        && store.served(name)?.is_some()
        && matches!(store.function(name), Err(StoreError::NoFunction { .. }))
    {
        if begun.elapsed() > PATIENCE {
            return Err(SettleError::Late { done: "deleted" });
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// Why nobody serves the functions of `store`, and what to do.
pub(super) fn not_served(store: &Store) -> &'static str {
    match store.is_served() {
        true => {
            "no host serves the functions of this store: the one that runs serves its component alone; start it with \
             --with-functions"
        }
        false => "no host serves this store; start one with `host serve`",
    }
}
