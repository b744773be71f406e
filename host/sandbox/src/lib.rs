//! Runs WebAssembly components that nobody trusts.
//!
//! A [`Sandbox`] loads a component as a [`Function`]. Each call of it is an execution in a fresh instance: nothing of one
//! is left for the next, unless the function is [`Warm`]. It has no files, no network and no environment but what [`FunctionConfig`] gives it, and is held
//! to its [`Limits`].
//!
//! A component is a standard WASI HTTP one: it exports `wasi:http/incoming-handler@0.2` or `wasi:http/handler@0.3`.
//!
//! ```
//! use bytes::Bytes;
//! use host_sandbox::{Limits, Sandbox, SandboxConfig};
//! use http_body_util::Full;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let component = wat::parse_str(HELLO)?;
//!
//! let sandbox = Sandbox::new(SandboxConfig::default())?;
//! let limits = Limits::default().memory(16 << 20);
//! let hello = sandbox.load_bytes(component, limits).await?;
//!
//! let body = Full::new(Bytes::from("anything"));
//! let done = hello.call(http::Request::post("/").body(body)?).await?;
//!
//! assert_eq!(done.response.status(), 200);
//! assert_eq!(done.response.body(), "Hello plugin!");
//! println!("{} KiB in {:?}", done.usage.memory / 1024, done.usage.wall);
//! # Ok(())
//! # }
//!
//! // Real components come from a toolchain; `Sandbox::load` takes their files.
#![doc = concat!("const HELLO: &str = r#\"", include_str!("../examples/hello.wat"), "\"#;")]
//! ```
//!
//! # Components that are hard to compile
//!
//! A component can also be made to be hard to compile. A [`CompilerProcess`](compiler::CompilerProcess) holds that to
//! bounds as well, if your program calls [`run_compiler`](compiler::run_compiler) when it is started with the arguments
//! that you name.
//!
//! # Features
//!
//! - `outbound` (default): functions may call the addresses that their `OutboundPolicy` names. Without it, all calls are
//!   refused, and no TLS client is built.
//! - `compile-cache` (default): compiled components can be kept on disk.
//!
//! # Modules
//!
//! The types that most programs need are here. [`execution`] is for servers, which start executions themselves;
//! [`inspection`], [`memory`], [`output`] and `outbound` have the details of what is here.

#![deny(unsafe_code)]

mod account;
mod budget;
#[cfg(feature = "compile-cache")]
mod cache;
mod call;
mod charges;
mod code;
mod compile;
mod compiling;
mod config;
mod declared;
mod engine;
mod error;
pub mod execution;
mod field_size;
mod forward;
mod function;
mod generation;
mod handler;
mod head;
mod inspect;
mod instance;
mod interface;
mod interfaces;
pub mod keyvalue;
mod limits;
mod line;
mod linked;
mod linker;
mod lock;
mod machine;
mod meter;
mod observer;
#[cfg(not(feature = "outbound"))]
#[path = "no_outbound.rs"]
mod outbound;
#[cfg(feature = "outbound")]
pub mod outbound;
mod outgoing;
mod parts;
mod pipe;
mod platform;
mod printed;
mod provided;
mod request;
mod requests;
mod run_queue;
mod runnable;
mod sandbox;
mod setters;
mod shared;
mod size;
mod stacks;
mod state;
mod stdio;
mod ticker;
mod trial;
mod usage;
mod warm;

pub use call::Done;
pub use config::{FunctionConfig, SandboxConfig};
pub use error::{CallError, Failure, LoadError, SandboxError};
pub use function::Function;
pub use limits::Limits;
pub use line::{Line, Stream};
#[cfg(feature = "outbound")]
pub use outbound::OutboundPolicy;
pub use sandbox::Sandbox;
pub use usage::Usage;
pub use warm::{Retired, Warm, WarmUsage};

/// Compiling components within bounds.
pub mod compiler {
    pub use crate::compile::{Compiler, CompilerProcess, Progress, run_compiler};
}

/// What a component exports, imports and is made of.
pub mod inspection {
    pub use crate::generation::Generation;
    pub use crate::inspect::Inspection;
    pub use crate::interface::InterfaceName;
    pub use crate::parts::Parts;
    pub use crate::provided::is_provided;
}

/// Memory: units, what there is, and who may have how much of it.
pub mod memory {
    pub use crate::budget::MemoryShare;
    pub use crate::error::MemoryLimit;
    pub use crate::limits::{KIB, MIB};
    pub use crate::machine::available;
    pub use crate::sandbox::SandboxUsage;
}

/// What executions print.
pub mod output {
    pub use crate::line::{LEAST_LINE, LINE_LIMIT, Level, Remedy};
}

/// Its examples are compiled with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
