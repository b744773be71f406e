//! Tries whether a component can be served, before anyone depends on it.

use std::path::Path;

use bytes::Bytes;

use super::Message;
use super::state::StateDirectory;
use crate::store::FunctionSettings;
use crate::{advice, input, serve};
use host_sandbox::compiler::Compiler;
use host_sandbox::{Sandbox, SandboxConfig};

/// A sandbox for trials. What it compiles is kept for the host.
pub(super) struct Trial {
    sandbox: Sandbox,
}

impl Trial {
    pub(super) fn new(state: &StateDirectory, compiler: Compiler) -> Result<Self, Message> {
        let sandbox = Sandbox::new(
            SandboxConfig::default()
                .cache(state.compile_cache())
                .compiler(compiler),
        );
        Ok(Self {
            sandbox: sandbox.map_err(|error| error.to_string())?,
        })
    }

    /// The bytes of the component at `path`, or in standard input, which `flag` names.
    ///
    /// # Errors
    /// If it is no file of a size that is loaded, in one line that names it.
    pub(super) fn read(&self, path: &Path, flag: &'static str) -> Result<Bytes, Message> {
        let read = match input::is_stdin(path) {
            true => {
                let most = SandboxConfig::default().component_bytes;
                let wasm = input::stdin(flag, most)?;
                self.sandbox.read_component_from(&*wasm, input::STDIN)
            }
            false => self.sandbox.read_component(path),
        };
        read.map(Bytes::from)
            .map_err(|error| advice::named(&error, input::name(path)))
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
        serve::try_component(&self.sandbox, name, wasm, settings)
    }
}
