//! The engine with its pool, clock and cache, and how components are loaded into it.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use bytes::Bytes;
use wasmtime::component::Linker;

use super::budget::MemoryBudget;
use super::compiling::Compiling;
use super::config::{FunctionConfig, SandboxConfig};
use super::engine;
use super::error::{LoadError, SandboxError};
use super::function::Function;
use super::generation::Generation;
use super::inspect::Inspection;
use super::linked::{Linked, LinkedComponents};
use super::linker;
use super::lock::lock;
use super::platform::Platform;
use super::state::State;
use super::ticker::Ticker;
use super::warm::Ahead;

/// Runs components that are not trusted. Cheap to clone; all clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    executions: u32,
    wasi_0_2: Platform,
    /// Made when a component first needs it.
    wasi_0_3: OnceLock<Platform>,
    makes_platform: Mutex<()>,
    /// That of an engine for components whose memory starts full, where there is memory for one.
    resident: Option<Linker<State>>,
    ticker: Arc<Ticker>,
    memory: Arc<MemoryBudget>,
    ahead: Arc<Ahead>,
    component_bytes: u64,
    linked: LinkedComponents,
    compiling: Compiling,
}

/// What a sandbox uses and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SandboxUsage {
    /// Memory that all executions hold, in bytes.
    pub memory: u64,
    /// Memory that all executions may hold together, in bytes.
    pub memory_limit: u64,
    /// Components compiled. One whose compiled form was kept is not among them.
    pub compiled: u64,
    /// Time spent on that.
    pub compile_time: Duration,
}

impl Sandbox {
    /// Sets up the engine and its pool, and starts the clock that interrupts busy guests.
    ///
    /// # Errors
    /// When the engine refuses its settings or the system gives no thread. A cache that cannot be used is no error:
    /// `cache_refused` tells.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let setup = |error: wasmtime::Error| SandboxError::Engine(format!("{error:#}"));
        let wasi_0_2 = Platform::new(Generation::Wasi02, config.executions).map_err(setup)?;
        let resident = engine::resident_engine(config.executions, config.total_memory);
        let engines = std::iter::once(wasi_0_2.engine().clone()).chain(resident.clone());
        let resident = resident.as_ref().map(linker::wasi_0_2).transpose();
        Ok(Self {
            inner: Arc::new(Inner {
                executions: config.executions,
                wasi_0_2,
                wasi_0_3: OnceLock::new(),
                makes_platform: Mutex::default(),
                resident: resident.map_err(setup)?,
                ticker: Arc::new(Ticker::start(engines.collect())?),
                memory: Arc::new(MemoryBudget::new(config.total_memory)),
                ahead: Arc::default(),
                component_bytes: config.component_bytes,
                linked: LinkedComponents::default(),
                compiling: Compiling::new(config),
            }),
        })
    }

    /// Loads the component file at `path`. Compiles it, off this thread, unless its compiled form is cached.
    ///
    /// ```
    /// use host_sandbox::{Limits, LoadError, Sandbox, SandboxConfig};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("hello.wasm");
    /// # std::fs::write(&path, wat::parse_file("examples/hello.wat")?)?;
    /// let sandbox = Sandbox::new(SandboxConfig::default())?;
    /// // `path` leads to a component that says hello.
    /// let hello = sandbox.load(&path, Limits::default()).await?;
    /// let done = hello.call(http::Request::get("/").body(String::new())?).await?;
    /// assert_eq!(done.response.body(), "Hello plugin!");
    ///
    /// let refused = sandbox.load("Cargo.toml", Limits::default()).await;
    /// assert!(matches!(refused, Err(LoadError::NotWasm)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with it, or what it would need.
    pub async fn load(
        &self,
        path: impl AsRef<Path>,
        config: impl Into<FunctionConfig>,
    ) -> Result<Function, LoadError> {
        let (sandbox, path) = (self.clone(), path.as_ref().to_owned());
        let mut config: FunctionConfig = config.into();
        blocking(move || {
            let wasm = sandbox.read_component(&path)?;
            config.name = config.name.or_else(|| file_name(&path));
            sandbox.function(&wasm, config)
        })
        .await
    }

    /// Loads a component from its bytes, as [`Sandbox::load`] does.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with it, or what it would need.
    pub async fn load_bytes(
        &self,
        wasm: impl Into<Bytes>,
        config: impl Into<FunctionConfig>,
    ) -> Result<Function, LoadError> {
        let (sandbox, wasm, config) = (self.clone(), wasm.into(), config.into());
        blocking(move || {
            sandbox.check_size(wasm.len() as u64)?;
            sandbox.function(&wasm, config)
        })
        .await
    }

    /// The bytes of the component file at `path`, if it is a file of a size that is loaded.
    ///
    /// # Errors
    /// [`LoadError`], if not.
    pub fn read_component(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        let read = |error| LoadError::Read {
            path: path.to_owned(),
            error,
        };
        let file = open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
        if !metadata.is_file() {
            return Err(LoadError::NotAFile(path.to_owned()));
        }
        self.check_size(metadata.len())?;
        let mut wasm = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
        self.read_into(&mut wasm, file).map_err(read)?;
        self.check_size(wasm.len() as u64)?;
        Ok(wasm)
    }

    /// The bytes of a component that comes from `input`, which errors call `name`.
    ///
    /// # Errors
    /// [`LoadError`], if it cannot be read or is larger than what is loaded.
    pub fn read_component_from(&self, input: impl Read, name: &str) -> Result<Vec<u8>, LoadError> {
        let mut wasm = Vec::new();
        let read = self.read_into(&mut wasm, input);
        read.map_err(|error| LoadError::Read {
            path: name.into(),
            error,
        })?;
        self.check_size(wasm.len() as u64)?;
        Ok(wasm)
    }

    /// Reads what the component file at `path` exports, imports and needs, without linking it.
    ///
    /// What this host would serve is compiled; of the rest it is seen whether it is valid.
    ///
    /// # Errors
    /// [`LoadError`] if it is no component that compiles, or is not valid.
    pub async fn inspect(&self, path: impl AsRef<Path>) -> Result<Inspection, LoadError> {
        let (sandbox, path) = (self.clone(), path.as_ref().to_owned());
        blocking(move || {
            let wasm = sandbox.read_component(&path)?;
            sandbox.inspect_bytes(&wasm, file_name(&path).as_deref())
        })
        .await
    }

    /// As [`Sandbox::inspect`], of a component's bytes, which goes by `name` where one is known. Blocks for as long as it
    /// takes to compile.
    ///
    /// # Errors
    /// [`LoadError`] if it is no valid component.
    pub fn inspect_bytes(&self, wasm: &[u8], name: Option<&str>) -> Result<Inspection, LoadError> {
        self.check_size(wasm.len() as u64)?;
        let inspection = inspect(wasm)?;
        match inspection.check(u64::MAX) {
            Ok(()) => {
                let engine = self.inner.platform(inspection.generation())?.engine();
                let compiling = &self.inner.compiling;
                compiling.compile(engine, wasm, &sha256(wasm), name)?;
            }
            Err(_) => validate(wasm)?,
        }
        Ok(inspection)
    }

    /// Compiles nothing any more, and ends compilers that are at work in processes of their own. Who waits for a
    /// component is told [`LoadError::Stopped`]; functions that are loaded go on.
    pub fn stop_compiling(&self) {
        self.inner.compiling.stop();
    }

    /// Why the cache directory of the settings is not used, if it is not.
    #[cfg(feature = "compile-cache")]
    pub fn cache_refused(&self) -> Option<&str> {
        self.inner.compiling.cache_refused()
    }

    /// What it uses at this moment, and has done so far.
    pub fn usage(&self) -> SandboxUsage {
        let inner = &self.inner;
        SandboxUsage {
            memory: inner.memory.used(),
            memory_limit: inner.memory.total(),
            compiled: inner.compiling.compiled(),
            compile_time: inner.compiling.time(),
        }
    }

    #[cfg(test)]
    pub(crate) fn idle_memory(&self) -> u64 {
        self.inner.memory.idle()
    }

    fn function(&self, wasm: &[u8], config: FunctionConfig) -> Result<Function, LoadError> {
        let digest = sha256(wasm);
        let linked = match self.inner.linked.get(&digest) {
            Some(linked) => linked,
            None => {
                let inspection = inspect(wasm)?;
                // What it needs of memory is held against the limit of each function.
                inspection.check(u64::MAX)?;
                let name = config.name.as_deref();
                let platform = self.inner.platform(inspection.generation())?;
                let compiling = &self.inner.compiling;
                let (component, is_new) =
                    compiling.compile(platform.engine(), wasm, &digest, name)?;
                let linked = Linked::new(platform, &component, inspection, is_new)?;
                self.inner.linked.keep(digest, linked)
            }
        };
        let inspection = linked.inspection();
        if let Some(linker) = &self.inner.resident
            && inspection.generation() == Generation::Wasi02
            && inspection.starts_full()
            && config.warm.is_none()
        {
            // It runs elsewhere too.
            let _ = linked.make_resident(linker, |component, engine| {
                self.inner.compiling.load_again(component, &digest, engine)
            });
        }
        if config.warm.as_ref().is_some_and(|warm| warm.least > 0) {
            let started = self.inner.ahead.start();
            started.map_err(LoadError::Thread)?;
        }
        Function::new(
            Arc::clone(&self.inner.ticker),
            Arc::clone(&self.inner.memory),
            &self.inner.ahead,
            linked,
            config,
        )
    }

    /// Reads all there is, but no more than one byte beyond what is allowed.
    fn read_into(&self, wasm: &mut Vec<u8>, input: impl Read) -> std::io::Result<()> {
        let mut input = input.take(self.inner.component_bytes + 1);
        input.read_to_end(wasm).map(drop)
    }

    fn check_size(&self, size: u64) -> Result<(), LoadError> {
        let limit = self.inner.component_bytes;
        if size > limit {
            return Err(LoadError::TooLarge { size, limit });
        }
        Ok(())
    }
}

impl Inner {
    /// What components of `generation` run on.
    fn platform(&self, generation: Generation) -> Result<&Platform, LoadError> {
        if generation == Generation::Wasi02 {
            return Ok(&self.wasi_0_2);
        }
        let _one_makes_it = lock(&self.makes_platform);
        if let Some(platform) = self.wasi_0_3.get() {
            return Ok(platform);
        }
        let platform = Platform::new(generation, self.executions)
            .map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        self.ticker.add(platform.engine().clone());
        Ok(self.wasi_0_3.get_or_init(|| platform))
    }
}

fn sha256(wasm: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest(&SHA256, wasm).as_ref());
    hash
}

/// Opens without waiting for a writer, as a named pipe would have us do.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        options.custom_flags(flags);
    }
    options.read(true).open(path)
}

/// What the component `wasm` says of itself, if it is one.
fn inspect(wasm: &[u8]) -> Result<Inspection, LoadError> {
    check_kind(wasm)?;
    Inspection::of(wasm)
}

/// Whether `wasm` is valid by the rules of released WebAssembly, which are more than these engines run.
fn validate(wasm: &[u8]) -> Result<(), LoadError> {
    wasmparser::validate(wasm)
        .map(drop)
        .map_err(|error| LoadError::Compile(error.to_string()))
}

/// Tells a component from the other files that people have at hand.
fn check_kind(wasm: &[u8]) -> Result<(), LoadError> {
    match wasm {
        [b'\0', b'a', b's', b'm', 0x01, 0, 0, 0, ..] => Err(LoadError::CoreModule),
        [b'\0', b'a', b's', b'm', ..] => Ok(()),
        [0x7f, b'E', b'L', b'F', ..] => Err(LoadError::Precompiled),
        _ => Err(LoadError::NotWasm),
    }
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Compiling takes long and reading may; neither belongs on a thread that serves.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(LoadError::Compiler(error.to_string())))
}
