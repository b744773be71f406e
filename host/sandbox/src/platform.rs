//! What components of one generation of WASI run on: an engine with its pool, and what it provides to them.

use wasmtime::component::Linker;
use wasmtime::{Engine, Result};

use super::engine;
use super::generation::Generation;
use super::linker;
use super::stacks::Stacks;
use super::state::State;

/// An engine, and what it provides to components.
pub(crate) struct Platform {
    linker: Linker<State>,
    /// Where an execution takes more than one.
    stacks: Option<Stacks>,
}

impl Platform {
    /// For so many executions at once of components of `generation`.
    ///
    /// # Errors
    /// If wasmtime refuses the settings.
    pub(crate) fn new(generation: Generation, executions: u32) -> Result<Self> {
        let engine = engine::engine(generation, executions)?;
        Ok(match generation {
            Generation::Wasi02 => Self {
                linker: linker::wasi_0_2(&engine)?,
                stacks: None,
            },
            Generation::Wasi03 => Self {
                linker: linker::wasi_0_3(&engine)?,
                stacks: Some(Stacks::new(engine::concurrent_stacks(executions))),
            },
        })
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.linker.engine()
    }

    pub(crate) fn linker(&self) -> &Linker<State> {
        &self.linker
    }

    pub(crate) fn stacks(&self) -> Option<&Stacks> {
        self.stacks.as_ref()
    }
}
