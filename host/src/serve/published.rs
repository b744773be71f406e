//! What the control plane gives a worker, and replaces while it is in use.

use std::sync::{Arc, Mutex, PoisonError};

/// The present state of something, on one worker.
#[derive(Debug, Default)]
pub(super) struct Published<T> {
    /// Held to copy or replace one pointer.
    current: Mutex<Arc<T>>,
}

impl<T> Published<T> {
    pub(super) fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace(&self, next: Arc<T>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }
}
