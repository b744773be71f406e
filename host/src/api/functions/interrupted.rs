//! Operations that an earlier process has begun, and not ended.

use std::sync::Arc;
use std::thread;

use jiff::Timestamp;

use crate::api::{Api, Code, Status};

impl Api {
    /// Ends the operations that an earlier process left: those that had changed nothing have failed, and those that had are
    /// done once a host serves what they did. Does not wait for that. At the start of a host, once it is known as the one that
    /// serves, and before it begins any.
    ///
    /// # Errors
    /// If the store fails, or no thread can be started.
    pub(crate) fn end_interrupted_operations(&self) -> Result<(), Status> {
        let aborted = self
            .store()
            .abort_interrupted_operations(Timestamp::now())?;
        if aborted > 0 {
            tracing::warn!(
                "{aborted} operations on functions were interrupted, and have changed nothing"
            );
        }
        let interrupted = self.store().interrupted_operations()?;
        if interrupted.is_empty() {
            return Ok(());
        }
        let deployer = Arc::clone(self.deployer());
        let started = thread::Builder::new()
            .name("interrupted operations".into())
            .spawn(move || {
                for operation in &interrupted {
                    deployer.resume(operation);
                }
            });
        started.map(drop).map_err(|error| {
            let message = format!("interrupted operations are not ended: no thread ({error})");
            Status::new(Code::Unavailable, message)
        })
    }
}
