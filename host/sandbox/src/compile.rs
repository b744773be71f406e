//! Compiling a component: within this process, or in one of its own that is held to bounds.
//!
//! What a compiler needs is not bounded by the size of what it compiles, so a program that loads components which it
//! does not trust has them compiled by a child process. Too much of anything ends the child, and nothing else.

mod child;
mod exchange;
mod native;
mod process;
mod sink;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use wasmtime::Engine;

use super::error::LoadError;
use super::machine;
use super::setters::setters;
pub use child::run_compiler;
pub(crate) use native::load;
#[cfg(feature = "compile-cache")]
pub(crate) use sink::MOST_BYTES;
pub(crate) use sink::{Memory, Sink};

/// How long compiling one component may take, if nothing else is said.
const TIME: Duration = Duration::from_secs(10 * 60);

/// Where a [`Sandbox`](crate::Sandbox) compiles components.
#[derive(Clone, Debug, Default)]
pub enum Compiler {
    /// In this process, without bounds on time and memory.
    #[default]
    InProcess,
    /// In a child process.
    Child(CompilerProcess),
}

/// A program that compiles one component each time it is started, and the bounds that it is held to.
///
/// ```standalone_crate
/// use std::process::ExitCode;
/// use std::time::Duration;
///
/// use host_sandbox::compiler::{Compiler, CompilerProcess, run_compiler};
/// use host_sandbox::{Limits, Sandbox, SandboxConfig};
///
/// fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
///     // This program is its own compiler, when it is started with this argument.
///     if std::env::args().nth(1).as_deref() == Some("compile") {
///         return Ok(run_compiler());
///     }
///     let process = CompilerProcess::new(std::env::current_exe()?, ["compile".into()])
///         .memory(512 << 20)
///         .time(Duration::from_secs(60));
///     let config = SandboxConfig::default().compiler(Compiler::Child(process));
///     let sandbox = Sandbox::new(config)?;
/// #   let component = wat::parse_file("examples/hello.wat")?;
///
///     let runtime = tokio::runtime::Runtime::new()?;
///     let hello = runtime.block_on(sandbox.load_bytes(component, Limits::default()))?;
///     assert!(hello.is_newly_compiled());
///     Ok(ExitCode::SUCCESS)
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompilerProcess {
    /// The program. It is to do nothing but call [`run_compiler`], and must be of the same build as this one.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What it is called in lists of processes. By default the path of the program.
    pub name: Option<OsString>,
    /// Its environment. Nothing else of this process's is passed on.
    pub environment: Vec<(OsString, OsString)>,
    /// Memory that it may take, in bytes. By default half of the machine's (or the container's), but 400 MiB to 2 GiB.
    pub memory: u64,
    /// How long it may take. Default 10 minutes: a few dozen times what a large interpreter takes.
    pub time: Duration,
    /// Is told each second how things stand, and once more when a component of which it was told is done.
    pub progress: Option<fn(&Progress<'_>)>,
}

impl CompilerProcess {
    /// `program`, with these arguments and the default bounds.
    pub fn new(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().collect(),
            name: None,
            environment: Vec::new(),
            memory: machine::to_compile(),
            time: TIME,
            progress: None,
        }
    }
}

setters!(CompilerProcess {
    name: Option<OsString>,
    environment: Vec<(OsString, OsString)>,
    memory: u64,
    time: Duration,
    progress: Option<fn(&Progress<'_>)>,
});

/// How compiling a component goes on.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What the component goes by, if that is known.
    pub name: Option<&'a str>,
    /// The size of the component, in bytes.
    pub bytes: u64,
    /// Since it began.
    pub elapsed: Duration,
    /// For which time this is told, from 1: once for each second.
    pub times: u64,
    /// Whether it is over, well or not.
    pub has_ended: bool,
}

/// A component that is to be compiled.
pub(crate) struct Task<'a> {
    pub(crate) wasm: &'a [u8],
    pub(crate) name: Option<&'a str>,
    /// Set when nobody waits for it any more.
    pub(crate) stop: &'a AtomicBool,
}

impl Compiler {
    /// Compiles a component into `sink`, for `engine`.
    ///
    /// # Errors
    /// [`LoadError`]; then what `sink` has got is worth nothing.
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        task: &Task<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), LoadError> {
        match self {
            Self::InProcess => {
                let compiled = engine.precompile_component(task.wasm);
                sink.write(&compiled.map_err(|error| LoadError::Compile(one_line(&error)))?)
            }
            Self::Child(process) => process::compile(process, engine, task, sink),
        }
    }

    /// The largest compiled component that is taken, in bytes.
    pub(crate) fn most_output(&self) -> u64 {
        match self {
            Self::InProcess => u64::MAX,
            // It was in the child's memory.
            Self::Child(process) => process.memory,
        }
    }
}

fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
