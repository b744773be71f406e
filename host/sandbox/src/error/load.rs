//! Why a sandbox could not be made or a component not loaded.

use std::path::PathBuf;
use std::time::Duration;

use super::failure::Failure;
use crate::size::Size;

/// A sandbox could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The WebAssembly engine refused its settings.
    #[error("cannot set up the WebAssembly engine: {0}")]
    Engine(String),
    /// The system gave no thread.
    #[error("cannot start the clock that interrupts busy functions: {0}")]
    Thread(#[from] std::io::Error),
}

/// A component was not loaded. Each text says what is wrong, and what to do about the component if that helps.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The path names a directory or a device.
    #[error("{} is not a file; expected a WebAssembly component such as hello.wasm", .0.display())]
    NotAFile(PathBuf),
    /// The system gave no thread to make instances ahead of need.
    #[error("cannot make instances ahead of need: {0}")]
    Thread(std::io::Error),
    /// The file is larger than a component may be.
    #[error("the component has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The bound in bytes.
        limit: u64,
    },
    /// The file is something else.
    #[error(
        "not WebAssembly: a component starts with the bytes `\\0asm`; build one with `cargo build --target wasm32-wasip2`"
    )]
    NotWasm,
    /// The file is a precompiled module or component, which is native code.
    #[error(
        "a precompiled file is native code and is never loaded; give the .wasm it was made from"
    )]
    Precompiled,
    /// The file is a core module.
    #[error(
        "a core WebAssembly module, not a component; build for wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// The file is a package of interfaces.
    #[error(
        "a WIT package: it describes interfaces and has no code; give a component that was built for them"
    )]
    WitPackage,
    /// The component is damaged or uses what is switched off.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// The component has more parts than one execution may hold.
    #[error(
        "the component has {count} {parts}, more than the {limit} that one execution may hold; \
         compose it of fewer components, or link its modules into fewer"
    )]
    Parts {
        /// What it has too many of.
        parts: &'static str,
        /// How many it has.
        count: u32,
        /// The bound.
        limit: u32,
    },
    /// The component has more code, or code that is harder to compile, than any toolchain makes.
    #[error(
        "the component has {count} {what}, more than the {limit} that are compiled; build it with optimizations, or divide it"
    )]
    Code {
        /// What it has too much of.
        what: &'static str,
        /// How much it has.
        count: u64,
        /// The bound.
        limit: u64,
    },
    /// Compiling took too long.
    #[error(
        "compiling the component took more than {} s", .0.as_secs_f64()
    )]
    CompileTime(Duration),
    /// Compiling took too much memory.
    #[error("the component needs more than {limit} MiB of memory to be compiled")]
    CompileMemory {
        /// MiB allowed.
        limit: u64,
    },
    /// The compiled component is too large.
    #[error("the component has more than {limit} MiB once it is compiled")]
    CompiledSize {
        /// MiB allowed.
        limit: u64,
    },
    /// The sandbox compiles nothing any more.
    #[error("compiling the component was stopped")]
    Stopped,
    /// The component answers no HTTP requests.
    #[error(
        "the component exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3, so it cannot answer requests; {0}"
    )]
    NoHandler(String),
    /// The component answers HTTP requests, but by another version of WASI.
    #[error(
        "the component is built for {generation}: it exports {handler}, which this host does not serve; {advice}"
    )]
    OtherWasi {
        /// Which version, in words.
        generation: &'static str,
        /// The export.
        handler: String,
        /// What to do.
        advice: String,
    },
    /// The component needs something this host does not have.
    #[error("the component imports {name}, which this host does not provide; {advice}")]
    UnknownImport {
        /// The import, as the component spells it.
        name: String,
        /// What to do.
        advice: String,
    },
    /// The component and the host do not fit.
    #[error("the component does not fit this host: {0}")]
    Link(String),
    /// The component's memory is larger at its start than it may ever be.
    #[error(
        "the component starts with {} of memory, over its limit of {}", Size(*needs), Size(*limit)
    )]
    Memory {
        /// Bytes at its start.
        needs: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// No instance of it can be made.
    #[error("the component does not start: {0}")]
    Instantiate(Failure),
    /// No instance of it was made in time.
    #[error("the component does not start: it did not come up within {0:?}")]
    StartTime(Duration),
    /// Its outbound settings cannot be used.
    #[error("outbound requests cannot be set up: {0}")]
    Outbound(String),
    /// The engine for components of WASI 0.3, made when one is first loaded, cannot be set up.
    #[error("cannot set up the WebAssembly engine for WASI 0.3: {0}")]
    Engine(String),
    /// The compiler could not be started, broke down, or was ended by someone else.
    #[error(
        "the compiler broke down ({0}); either the component is made to do so, or the system is short of memory"
    )]
    Compiler(String),
}
