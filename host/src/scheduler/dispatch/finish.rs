//! The scheduler while the host ends.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::super::{round, shutdown};
use super::work::Work;
use crate::store::StoreError;

/// How long attempts may take at least that are under way when the host ends; those at its own functions have as long as
/// these have.
const DRAIN: Duration = Duration::from_secs(30);

impl Work {
    /// Waits for the attempts under way, and writes down how they end. Nothing new begins.
    pub(super) async fn finish(
        mut self,
        mut gone: watch::Receiver<bool>,
        over: &watch::Sender<bool>,
    ) {
        let mut patience = pin!(async {
            tokio::join!(shutdown::reached(&mut gone), tokio::time::sleep(DRAIN));
        });
        let mut error = self.write_down().await.err();
        while self.going > 0 {
            tokio::select! {
                ended = self.ended.recv() => self.note_ended(ended),
                // Those that are left end at once, and the loop goes on until it has heard of them.
                () = &mut patience, if !*over.borrow() => {
                    over.send_replace(true);
                    continue;
                }
            }
            error = self.write_down().await.err();
        }
        if let Some(error) = error {
            tracing::error!(
                "how attempts of jobs ended is not written down, so they are made again: {error}"
            );
        }
    }

    /// Writes down how attempts ended. Those that it fails with are kept.
    async fn write_down(&mut self) -> Result<(), StoreError> {
        let unwritten = Arc::new(std::mem::take(&mut self.unwritten));
        let (ours, now) = (Arc::clone(&unwritten), self.clock.now());
        let written = self.blocking(move |store| round::write_down(store, &ours, now));
        let written = written.await;
        if written.is_err() {
            self.unwritten.extend(unwritten.iter().cloned());
        }
        written
    }
}
