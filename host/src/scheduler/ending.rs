//! How a scheduler hears of its end.

use tokio::sync::watch;

/// Tells how far the end has come. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ending {
    /// True once nothing new is to begin.
    begun: watch::Receiver<bool>,
    /// True once nothing is waited for any more.
    over: watch::Receiver<bool>,
}

impl Ending {
    /// That begins as `begun` says. The sender says when it is over.
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

/// Resolves when `stage` is. A sender that is gone cannot say so any more, and means the end as well.
pub(super) async fn reached(stage: &mut watch::Receiver<bool>) {
    let _ = stage.wait_for(|is_reached| *is_reached).await;
}
