//! How places and memory are shared out: among the workers, and among functions.
//!
//! Where there are several functions, none may have more than three quarters. However greedy one of them is, the others
//! can run.

use super::options::ServeOptions;

/// The executions that may run at once on each worker.
pub(super) fn places(options: &ServeOptions) -> usize {
    (options.sandbox.executions as usize / options.workers).max(1)
}

/// Those that may be of one function.
pub(super) fn places_of_one(options: &ServeOptions) -> usize {
    match are_several(options) {
        // The only place there is must be for all.
        true => (places(options) * 3 / 4).max(1),
        false => usize::MAX,
    }
}

/// The memory that the executions of one function may hold, in bytes, if not all.
pub(super) fn memory_of_one(options: &ServeOptions) -> Option<u64> {
    are_several(options).then(|| options.sandbox.total_memory / 4 * 3)
}

/// Functions of the store come and go, so the first must not take what the second will need.
fn are_several(options: &ServeOptions) -> bool {
    options.functions.is_some()
}
