//! Waiting until the process that serves goes by a change, so that whoever made it can rely on it.

use std::thread;
use std::time::{Duration, Instant};

use super::{Api, Code, Status};

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

    /// As [`settle_identity`](Self::settle_identity), for what has to be in force when it is answered.
    ///
    /// # Errors
    /// If the host that serves has not taken the change up.
    pub(super) fn enforce_identity(&self) -> Result<(), Status> {
        self.settle_identity();
        match self.store().is_served() && !self.store().is_identity_taken_up()? {
            false => Ok(()),
            true => Err(Status::new(
                Code::DeadlineExceeded,
                format!("done, but the host that serves has not taken it up within {PATIENCE:?}"),
            )),
        }
    }
}
