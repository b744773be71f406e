//! The way to a clean end: no new connection, running executions finish, then the process goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, watch};

/// Says when to drain. One side asks, any number listen.
#[derive(Clone)]
pub(super) struct Drain {
    asked: watch::Receiver<bool>,
}

/// Asks for the drain.
pub(super) struct DrainHandle {
    ask: watch::Sender<bool>,
}

impl DrainHandle {
    pub(super) fn new() -> (Self, Drain) {
        let (ask, asked) = watch::channel(false);
        (Self { ask }, Drain { asked })
    }

    pub(super) fn begin(&self) {
        self.ask.send_replace(true);
    }
}

impl Drain {
    pub(super) fn has_begun(&self) -> bool {
        *self.asked.borrow()
    }

    /// For who knows nothing of this module: true once the drain begins.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.asked.clone()
    }

    /// Resolves when the drain begins, at once if it has.
    pub(super) async fn begun(&mut self) {
        // A handle that is gone cannot ask any more, and means the end as well.
        let _ = self.asked.wait_for(|asked| *asked).await;
    }
}

/// Counts what has to end before a worker may: connections and executions.
#[derive(Default)]
pub(super) struct Pending {
    count: AtomicUsize,
    done: Notify,
}

/// One thing that has not ended.
pub(super) struct PendingGuard(Arc<Pending>);

impl Pending {
    pub(super) fn guard(self: &Arc<Self>) -> PendingGuard {
        self.count.fetch_add(1, Ordering::Relaxed);
        PendingGuard(Arc::clone(self))
    }

    /// Resolves when nothing is left.
    pub(super) async fn none(&self) {
        loop {
            let done = self.done.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            done.await;
        }
    }
}

impl Drop for PendingGuard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::Release) == 1 {
            self.0.done.notify_waiters();
        }
    }
}
