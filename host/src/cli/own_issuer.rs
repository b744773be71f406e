//! The host's own issuer, as commands know it.

use std::thread;
use std::time::{Duration, Instant};

use host_tokens::SigningAlgorithm;

use super::Message;
use crate::identity::OwnIssuer;
use crate::store::Store;

/// How long a serving host may take to take up a change.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// Waits until the host that serves, if one does, goes by the accounts, keys and revocations as they are now.
pub(super) fn settle_identity(store: &Store) -> Result<(), Message> {
    let begun = Instant::now();
    while store.is_served() && !store.is_identity_taken_up()? {
        if begun.elapsed() > PATIENCE {
            return Err(format!(
                "done, but the host that serves has not taken it up within {PATIENCE:?}"
            ));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// The issuer of the host that serves from `store`, or served last. New keys of it sign with `algorithm`, or as the
/// newest one does that there is.
pub(super) fn own_issuer(
    store: &Store,
    algorithm: Option<SigningAlgorithm>,
) -> Result<OwnIssuer, Message> {
    OwnIssuer::of(store, algorithm).map_err(|error| error.to_string())
}
