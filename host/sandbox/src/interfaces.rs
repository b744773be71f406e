//! The interfaces that are provided beside the releases of WASI, one file for each.
//!
//! They are drafts, which link with their own version alone. So all versions are listed, and each has its definition.

mod config;
mod keyvalue;
mod logging;

use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::Linker;

use super::interface::InterfaceName;
use super::keyvalue::KeyValueStore;
use super::state::State;
pub(crate) use keyvalue::{Bucket, Cas};

/// What is provided of one package.
struct Provided {
    package: &'static str,
    interfaces: &'static [&'static str],
    versions: &'static [&'static str],
}

const PROVIDED: &[Provided] = &[config::PROVIDED, keyvalue::PROVIDED, logging::PROVIDED];

/// What the functions of an instance find in them.
#[derive(Clone, Default)]
pub(crate) struct Given {
    /// What `wasi:config` has, by key.
    pub(crate) config: Vec<(String, String)>,
    /// What `wasi:keyvalue` opens.
    pub(crate) keyvalue: Option<Arc<dyn KeyValueStore>>,
}

/// Adds all of them to `linker`. What a component does not import costs it nothing.
///
/// # Errors
/// If wasmtime refuses a definition.
pub(crate) fn link(linker: &mut Linker<State>) -> Result<()> {
    config::link(linker)?;
    keyvalue::link(linker)?;
    logging::link(linker)
}

/// Whether `name` is one of them, in a version that is provided.
pub(crate) fn is_provided(name: &InterfaceName<'_>) -> bool {
    versions(name).is_some_and(|mut versions| versions.any(|version| name.links_with(version)))
}

/// The versions in which the interface `name` is provided; none if it is not one of them.
pub(crate) fn versions(
    name: &InterfaceName<'_>,
) -> Option<impl Iterator<Item = &'static str> + use<>> {
    let provided = PROVIDED.iter().find(|provided| {
        provided.package == name.package && provided.interfaces.contains(&name.interface)
    })?;
    Some(provided.versions.iter().copied())
}
