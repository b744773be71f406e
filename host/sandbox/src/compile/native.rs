//! Native code becomes a component.

use wasmtime::Engine;
use wasmtime::component::Component;

/// Makes a component of what a compiler made, where it cannot be kept.
pub(crate) fn load(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: these bytes come from this process's own compiler, for this engine. They were in memory, or in a file that this
    // process created for its user alone and has had open since.
    #[allow(unsafe_code)]
    unsafe {
        Component::deserialize(engine, compiled)
    }
}
