//! Notices that a store has changed, for all who follow it: it is asked once, however many they are.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Store, Version};

/// How often the store is asked whether it has changed. Who could not follow a change tries again after this time.
pub(crate) const POLL: Duration = Duration::from_millis(200);

impl Store {
    /// The version that [`watch`] saw last; none, if it could not be read. What is seen from now on is a change of it.
    ///
    /// Who asks for this before the first look, and looks after each change, misses nothing.
    pub(crate) fn changes(&self) -> watch::Receiver<Option<Version>> {
        self.seen.subscribe()
    }
}

/// Tells those who follow `store` of its changes, for ever.
pub(crate) async fn watch(store: Arc<Store>) {
    loop {
        let asked = Arc::clone(&store);
        // The disk may be slow, and this thread answers the control plane.
        let version = tokio::task::spawn_blocking(move || asked.version()).await;
        let version = version.ok().and_then(Result::ok);
        store
            .seen
            .send_if_modified(|seen| std::mem::replace(seen, version) != version);
        tokio::time::sleep(POLL).await;
    }
}
