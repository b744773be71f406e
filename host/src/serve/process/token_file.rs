//! Keeps the owner's access token fresh, where gcloud reads it from a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use host_tokens::{LONGEST_LIFETIME, SteadyClock};

use crate::identity::{AccessTokenHolder, OwnIssuer, token_file};
use crate::store::Store;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Writes a new token whenever the one in the file of the state `directory` is old, for ever. There is no file unless
/// somebody asked for one.
pub(in crate::serve) async fn keep_fresh(
    directory: PathBuf,
    clock: SteadyClock,
    (issuer, store): (OwnIssuer, Arc<Store>),
) {
    let mut looks = tokio::time::interval(LOOK);
    // The one that an earlier process wrote may name another issuer.
    let mut is_first = true;
    loop {
        looks.tick().await;
        let is_due = std::mem::take(&mut is_first) && token_file::path(&directory).exists();
        let (file, issuer, store) = (
            token_file::path(&directory),
            issuer.clone(),
            Arc::clone(&store),
        );
        let written = tokio::task::spawn_blocking(move || {
            let now = SystemTime::now();
            if !is_due && !token_file::is_stale(&file, now) {
                return Ok(());
            }
            let made = issuer.access_token(
                &store,
                AccessTokenHolder::Owner,
                LONGEST_LIFETIME,
                clock.now().time,
            );
            let token = made.map_err(|error| error.to_string())?.token;
            token_file::write(&file, &token).map_err(|error| error.to_string())
        });
        if let Ok(Err(error)) = written.await {
            tracing::warn!("the access token for gcloud cannot be written: {error}");
        }
    }
}
