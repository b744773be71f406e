//! What the host provides to components: WASI as wasmtime has it, with what is bounded, charged and sent replaced.

mod bounds;
mod charged;
mod outgoing;
mod wasi_0_3;

use wasmtime::Engine;
use wasmtime::component::Linker;

use super::interfaces;
use super::state::State;

/// A linker with all that components of WASI 0.2 may import.
///
/// # Errors
/// If wasmtime refuses a definition.
pub(crate) fn wasi_0_2(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bounds::bound(&mut linker)?;
    outgoing::link(&mut linker)?;
    charged::levy(&mut linker)?;
    interfaces::link(&mut linker)?;
    Ok(linker)
}

/// A linker with all that components of WASI 0.3 may import. Those of today import 0.2 as well, for their language's
/// standard library.
///
/// # Errors
/// If wasmtime refuses a definition, as an engine without concurrency makes it do.
pub(crate) fn wasi_0_3(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = wasi_0_2(engine)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    wasi_0_3::bound(&mut linker)?;
    Ok(linker)
}
