//! How permits and memory are shared out: among the workers, and among functions.
//!
//! Where there are several functions, none may have more than three quarters. However greedy one of them is, the others
//! can run.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::serve::options::ServeOptions;
use host_sandbox::memory::MemoryShare;

/// The executions that may run at once on each worker.
pub(in crate::serve) fn permits(options: &ServeOptions) -> usize {
    (options.sandbox.executions as usize / options.workers).max(1)
}

/// Those that may be of one function.
pub(in crate::serve) fn permits_of_one(options: &ServeOptions) -> usize {
    match are_several(options) {
        // The only permit there is must be for all.
        true => (permits(options) * 3 / 4).max(1),
        false => usize::MAX,
    }
}

/// The memory that the executions of each function may hold together.
#[derive(Debug, Default)]
pub(in crate::serve) struct MemoryShares {
    /// Of one function, in bytes, if not all.
    bytes: Option<u64>,
    by_name: Mutex<HashMap<String, MemoryShare>>,
}

impl MemoryShares {
    pub(in crate::serve) fn new(options: &ServeOptions) -> Self {
        Self {
            bytes: are_several(options).then(|| options.sandbox.total_memory / 4 * 3),
            by_name: Mutex::default(),
        }
    }

    /// The share of the function `name`. While one state of it takes another one's place, both draw on it.
    pub(in crate::serve) fn of(&self, name: &str) -> Option<MemoryShare> {
        let bytes = self.bytes?;
        let by_name = self.by_name.lock();
        let mut by_name = by_name.unwrap_or_else(PoisonError::into_inner);
        by_name.retain(|_, share| share.is_in_use());
        let share = by_name
            .entry(name.to_owned())
            .or_insert_with(|| MemoryShare::new(bytes));
        Some(share.clone())
    }
}

/// Functions of the store come and go, so the first must not take what the second will need.
fn are_several(options: &ServeOptions) -> bool {
    options.functions.is_some()
}
