//! What the host provides to components: WASI 0.2 as wasmtime has it, with what is bounded, charged and sent replaced.

mod bounds;
mod charged;
mod outgoing;

use wasmtime::Engine;
use wasmtime::component::Linker;

use super::state::State;

/// A linker with all that components may import.
///
/// # Errors
/// If wasmtime refuses a definition.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bounds::bound(&mut linker)?;
    outgoing::link(&mut linker)?;
    charged::levy(&mut linker)?;
    Ok(linker)
}
