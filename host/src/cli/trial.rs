//! Tries whether a component can be served, before anyone depends on it.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Message;
use crate::store::FunctionSettings;
use crate::{advice, input, serve};
use host_sandbox::compiler::Compiler;
use host_sandbox::{LoadError, Sandbox, SandboxConfig};

/// A sandbox for trials. What it compiles is kept for the host, if there is a place for it.
pub(super) struct Trial {
    sandbox: Sandbox,
}

impl Trial {
    /// A sandbox whose components `compiler` compiles, and keeps in `cache`.
    ///
    /// # Errors
    /// If this machine cannot run one.
    pub(super) fn new(cache: Option<PathBuf>, compiler: Compiler) -> Result<Self, Message> {
        let config = SandboxConfig::default().cache(cache).compiler(compiler);
        let sandbox = Sandbox::new(config);
        Ok(Self {
            sandbox: sandbox.map_err(|error| error.to_string())?,
        })
    }

    /// The bytes of the component at `path`, or in standard input, which `flag` names.
    ///
    /// # Errors
    /// If it is no file of a kind and a size that are loaded, in one line that names it.
    pub(super) fn read(&self, path: &Path, flag: &'static str) -> Result<Bytes, Message> {
        let read = match input::is_stdin(path) {
            true => {
                let most = SandboxConfig::default().component_bytes;
                let wasm = input::stdin(flag, most)?;
                self.sandbox.read_component_from(&*wasm, input::STDIN)
            }
            false => self.sandbox.read_component(path),
        };
        let wasm = read.and_then(|wasm| check_kind(&wasm).map(|()| wasm));
        wasm.map(Bytes::from)
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

/// A host that is sent something else would take it for an archive.
fn check_kind(wasm: &[u8]) -> Result<(), LoadError> {
    match wasm {
        [b'\0', b'a', b's', b'm', ..] => Ok(()),
        [0x7f, b'E', b'L', b'F', ..] => Err(LoadError::Precompiled),
        _ => Err(LoadError::NotWasm),
    }
}
