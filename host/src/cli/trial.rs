//! Tries whether a component can be served, before anyone depends on it.

use std::io;
use std::path::Path;

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

use super::Message;
use super::state::State;
use crate::function::{Compiler, LoadError, Sandbox, SandboxConfig};
use crate::serve::function_config;
use crate::store::FunctionSettings;

/// What messages call standard input.
pub(super) const STDIN: &str = "standard input";

/// A sandbox for trials. What it compiles is kept for the host.
pub(super) struct Trial {
    sandbox: Sandbox,
    runtime: Runtime,
}

impl Trial {
    pub(super) fn new(state: &State, compiler: Compiler) -> Result<Self, Message> {
        let sandbox = Sandbox::new(SandboxConfig {
            cache: state.compile_cache(),
            compiler,
            ..SandboxConfig::default()
        });
        let runtime = Builder::new_current_thread().enable_time().build();
        Ok(Self {
            sandbox: sandbox.map_err(|error| error.to_string())?,
            runtime: runtime.map_err(|error| format!("cannot start: {error}"))?,
        })
    }

    /// The bytes of the component that comes from standard input.
    ///
    /// # Errors
    /// If it is larger than what is loaded, in one line that names it.
    pub(super) fn read_stdin(&self) -> Result<Bytes, Message> {
        let read = self.sandbox.read_component_from(io::stdin().lock(), STDIN);
        read.map(Bytes::from).map_err(|error| error.named(STDIN))
    }

    /// The bytes of the component at `path`.
    ///
    /// # Errors
    /// If it is no file of a size that is loaded, in one line that names it.
    pub(super) fn read(&self, path: &Path) -> Result<Bytes, Message> {
        let read = self.sandbox.read_component(path);
        read.map(Bytes::from)
            .map_err(|error| error.named(path.display()))
    }

    /// Makes an instance of the component `wasm`, which goes by `name`, as it would be served with `settings`.
    ///
    /// # Errors
    /// Why it could not be served, in one line.
    pub(super) fn run(
        &self,
        name: &str,
        wasm: Bytes,
        settings: &FunctionSettings,
    ) -> Result<(), Message> {
        let mut config = function_config(settings)?;
        config.name = Some(name.to_owned());
        let tried = self.runtime.block_on(async {
            let function = self.sandbox.load_bytes(wasm, config).await?;
            function.try_instance().await
        });
        tried.map_err(|error: LoadError| error.to_string())
    }
}
