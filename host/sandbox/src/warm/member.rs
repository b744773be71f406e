//! A warm instance as its function counts it.

use std::sync::Weak;

use super::pool::WarmPool;
use super::retired::Retired;

/// Counts an instance among those of its function for as long as it is there, idle or not.
pub(crate) struct Member {
    pool: Weak<WarmPool>,
    /// Why it is let go of, if it is now.
    why: Retired,
}

impl Member {
    /// A new one, which is noted by `pool` already.
    pub(super) fn new(pool: Weak<WarmPool>) -> Self {
        let why = Retired::Failed;
        Self { pool, why }
    }

    /// Says why it is about to be let go of, which is otherwise taken for a request that failed.
    pub(crate) fn retires(&mut self, why: Retired) {
        self.why = why;
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.note_retired(self.why);
        }
    }
}
