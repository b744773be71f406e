//! Compiled components: found where they are kept, or compiled, one at a time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::Engine;
use wasmtime::component::Component;

#[cfg(feature = "compile-cache")]
use super::cache::{CompileCache, Compiled, KeptSink};
use super::code::Code;
#[cfg(not(feature = "compile-cache"))]
use super::compile::Memory;
use super::compile::{Compiler, Task, load};
use super::config::SandboxConfig;
use super::error::LoadError;

/// Compiles components.
pub(crate) struct Compiling {
    #[cfg(feature = "compile-cache")]
    cache: Option<CompileCache>,
    #[cfg(feature = "compile-cache")]
    cache_refused: Option<String>,
    compiler: Compiler,
    /// Held by who compiles: one component at a time takes as much memory as compiling may.
    turn: Mutex<()>,
    /// Set once nothing is compiled any more.
    stopped: AtomicBool,
    compiled: AtomicU64,
    /// Time spent on compiling, in nanoseconds.
    time: AtomicU64,
}

impl Compiling {
    pub(crate) fn new(config: SandboxConfig) -> Self {
        #[cfg(feature = "compile-cache")]
        let (cache, cache_refused) = match config.cache.as_deref().map(CompileCache::open) {
            None => (None, None),
            Some(Ok(cache)) => (Some(cache), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        Self {
            #[cfg(feature = "compile-cache")]
            cache,
            #[cfg(feature = "compile-cache")]
            cache_refused,
            compiler: config.compiler,
            turn: Mutex::new(()),
            stopped: AtomicBool::new(false),
            compiled: AtomicU64::new(0),
            time: AtomicU64::new(0),
        }
    }

    /// Compiles nothing any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Components that were compiled.
    pub(crate) fn compiled(&self) -> u64 {
        self.compiled.load(Ordering::Relaxed)
    }

    /// Time spent on that.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_nanos(self.time.load(Ordering::Relaxed))
    }

    /// Why there is no cache although there should be one.
    #[cfg(feature = "compile-cache")]
    pub(crate) fn cache_refused(&self) -> Option<&str> {
        self.cache_refused.as_deref()
    }

    /// The compiled component of `wasm` for `engine`, and whether it was not found compiled. `digest` is the SHA-256 of it.
    ///
    /// # Errors
    /// Why it does not compile.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        wasm: &[u8],
        digest: &[u8; 32],
        name: Option<&str>,
    ) -> Result<(Component, bool), LoadError> {
        if let Some(component) = self.kept(engine, digest) {
            return Ok((component, false));
        }
        Code::of(wasm)?.check()?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever compiled until now may have compiled the same.
        if let Some(component) = self.kept(engine, digest) {
            return Ok((component, false));
        }
        if self.stopped.load(Ordering::Relaxed) {
            return Err(LoadError::Stopped);
        }
        let begun = Instant::now();
        let task = Task {
            wasm,
            name,
            stop: &self.stopped,
        };
        let component = self.compile_anew(engine, &task, digest)?;
        let time = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.compiled.fetch_add(1, Ordering::Relaxed);
        self.time.fetch_add(time, Ordering::Relaxed);
        Ok((component, true))
    }

    /// Loads a component with this `digest` into another `engine`, which runs the same code.
    ///
    /// # Errors
    /// If the engine does not take it.
    pub(crate) fn load_again(
        &self,
        component: &Component,
        digest: &[u8; 32],
        engine: &Engine,
    ) -> Result<Component, LoadError> {
        if let Some(component) = self.kept(engine, digest) {
            return Ok(component);
        }
        let serialized = component.serialize();
        let loaded = serialized.and_then(|compiled| load(engine, &compiled));
        loaded.map_err(|error| LoadError::Compiler(format!("{error:#}")))
    }
}

fn load_new(engine: &Engine, compiled: &[u8]) -> Result<Component, LoadError> {
    let loaded = load(engine, compiled);
    loaded.map_err(|error| LoadError::Compiler(format!("{error:#}")))
}

#[cfg(feature = "compile-cache")]
impl Compiling {
    fn kept(&self, engine: &Engine, digest: &[u8; 32]) -> Option<Component> {
        self.cache.as_ref()?.load(engine, digest)
    }

    fn compile_anew(
        &self,
        engine: &Engine,
        task: &Task<'_>,
        digest: &[u8; 32],
    ) -> Result<Component, LoadError> {
        let entry = self.cache.as_ref();
        let entry = entry.and_then(|cache| cache.entry(engine, digest).ok());
        let mut sink = KeptSink::new(entry, self.compiler.most_output());
        self.compiler.compile(engine, task, &mut sink)?;
        let bytes = match sink.finish() {
            Compiled::Bytes(bytes) => bytes,
            Compiled::Entry(mut entry) => {
                // Once it is kept it is mapped from there.
                if entry.keep().is_ok()
                    && let Some(component) = self.kept(engine, digest)
                {
                    return Ok(component);
                }
                let bytes = entry.read_back();
                bytes.map_err(|error| LoadError::Compiler(error.to_string()))?
            }
        };
        load_new(engine, &bytes)
    }
}

#[cfg(not(feature = "compile-cache"))]
impl Compiling {
    fn kept(&self, _: &Engine, _: &[u8; 32]) -> Option<Component> {
        None
    }

    fn compile_anew(
        &self,
        engine: &Engine,
        task: &Task<'_>,
        _: &[u8; 32],
    ) -> Result<Component, LoadError> {
        let mut sink = Memory::new(self.compiler.most_output());
        self.compiler.compile(engine, task, &mut sink)?;
        load_new(engine, &sink.into_bytes())
    }
}
