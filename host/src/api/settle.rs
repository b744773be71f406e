//! Waiting until the process that serves goes by a change, so that whoever made it can rely on it.

use std::thread;
use std::time::{Duration, Instant};

use super::Api;

/// How long that may take. The change is kept, and taken up later, if it takes longer.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(5);

impl Api {
    /// Waits until the host that serves, if one does, goes by the accounts, keys and revocations as they are now.
    pub(super) fn settle_identity(&self) {
        let begun = Instant::now();
        let is_waited_for =
            || self.store().is_served() && matches!(self.store().is_identity_taken_up(), Ok(false));
        while is_waited_for() && begun.elapsed() < PATIENCE {
            thread::sleep(LOOK);
        }
    }
}
