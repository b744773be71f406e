//! Sets the sandbox up while the rest of a start goes on: to reserve the pool takes milliseconds.

use std::panic;
use std::thread::{self, JoinHandle};

use crate::serve::error::ServeError;
use crate::serve::options::ServeOptions;
use host_sandbox::{Sandbox, SandboxError};

/// A sandbox that is being set up.
#[derive(Debug)]
pub(in crate::serve) struct SandboxSetup {
    thread: JoinHandle<Result<Sandbox, SandboxError>>,
}

impl SandboxSetup {
    /// # Errors
    /// When the system gives no thread.
    pub(in crate::serve) fn begin(options: &ServeOptions) -> Result<Self, ServeError> {
        let config = options.sandbox.clone();
        let thread = thread::Builder::new()
            .name("sandbox".into())
            .spawn(move || Sandbox::new(config))?;
        Ok(Self { thread })
    }

    /// Waits for it.
    ///
    /// # Errors
    /// As of [`Sandbox::new`].
    pub(in crate::serve) fn ready(self) -> Result<Sandbox, ServeError> {
        let sandbox = match self.thread.join() {
            Ok(sandbox) => sandbox?,
            Err(panicked) => panic::resume_unwind(panicked),
        };
        if let Some(reason) = sandbox.cache_refused() {
            tracing::warn!("compiled components are not kept: {reason}");
        }
        Ok(sandbox)
    }
}
