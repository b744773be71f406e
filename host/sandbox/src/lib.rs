//! The sandbox: components that are not trusted, compiled, bounded and run.
//!
//! This crate knows of components, instances and executions, and of nothing above it: no listener, no token, no
//! command line. It hands out [`Sandbox`], which loads a component as a [`Function`], which can be called. Each call is
//! an execution in a fresh instance, held to its [`Limits`].

#![deny(unsafe_code)]

mod account;
mod budget;
mod cache;
mod call;
mod charges;
mod code;
mod compile;
mod component;
mod declared;
mod engine;
mod error;
mod execution;
mod heads;
mod inspect;
mod instance;
mod interface;
mod limits;
mod linked;
mod memory;
mod meter;
pub mod outbound;
mod outcome;
mod outgoing;
mod output;
mod parts;
mod pipe;
mod request;
mod response;
mod sandbox;
mod shared;
mod size;
mod ticker;
mod trial;
mod turn;

pub use budget::MemoryShare;
pub use call::{CallError, Done};
pub use compile::{Compiler, CompilerProcess, Progress, run_compiler};
pub use component::{Function, FunctionConfig};
pub use engine::SandboxConfig;
pub use error::{LoadError, SandboxError};
pub use inspect::{Inspection, is_provided};
pub use interface::InterfaceName;
pub use limits::{KIB, Limits, MIB};
pub use memory::available as available_memory;
pub use outbound::OutboundPolicy;
pub use outcome::{Ended, Failure, LONG_TURN, MemoryLimit, Observer, Usage};
pub use output::{LEAST_LINE, LINE_LIMIT, Line, Stream};
pub use parts::Parts;
pub use response::ResponseBody;
pub use sandbox::{Sandbox, SandboxUsage};
pub use turn::Turnstile;
