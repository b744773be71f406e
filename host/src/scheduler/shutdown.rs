//! How a scheduler learns that the host ends.

use tokio::sync::watch;

/// Shows how far the shutdown has come. Cheap to clone.
#[derive(Clone)]
pub(super) struct Shutdown {
    /// True once nothing new is to begin.
    begun: watch::Receiver<bool>,
    /// True once nothing is waited for any more.
    over: watch::Receiver<bool>,
}

impl Shutdown {
    /// One that begins when `begun` is true. The sender says when it is over.
    pub(super) fn new(begun: watch::Receiver<bool>) -> (watch::Sender<bool>, Self) {
        let (sender, over) = watch::channel(false);
        (sender, Self { begun, over })
    }

    pub(super) fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }

    /// Resolves when it begins, at once if it has.
    pub(super) async fn begun(&mut self) {
        reached(&mut self.begun).await;
    }

    /// Resolves when nothing is waited for any more.
    pub(super) async fn over(&mut self) {
        reached(&mut self.over).await;
    }
}

/// Resolves when `stage` is true. A sender that is gone means the same.
pub(super) async fn reached(stage: &mut watch::Receiver<bool>) {
    let _ = stage.wait_for(|is_reached| *is_reached).await;
}
