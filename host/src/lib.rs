//! Your own private, scheduled cloud functions, in one binary, and the library inside it.
//!
//! The front door is the sandbox, which runs components that you do not trust as plugins of your program. A component
//! is a standard WASI HTTP one: it exports `wasi:http/incoming-handler@0.2`.
//!
//! ```
//! use bytes::Bytes;
//! use host::{Limits, Sandbox, SandboxConfig};
//! use http_body_util::Full;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::new(SandboxConfig::default())?;
//! # let component = std::env::var("HELLO_WASM")?;
//! # /*
//! let component = "hello.wasm";
//! # */
//! let hello = sandbox.load(component, Limits::default()).await?;
//!
//! let body = Full::new(Bytes::from(r#"{"name": "plugin"}"#));
//! let done = hello.call(http::Request::post("/").body(body)?).await?;
//!
//! assert_eq!(done.response.body(), "Hello plugin!");
//! assert_eq!(done.log[0].text, "Hello plugin!");
//! println!("{} KiB in {:?}", done.usage.memory / 1024, done.usage.wall);
//! # Ok(())
//! # }
//! ```
//!
//! Each call is an execution in a fresh instance: nothing of one is left for the next. It has no files, no network and
//! no environment but what [`FunctionConfig`] gives it, and is held to its [`Limits`].
//!
//! A component can also be made to be hard to compile. A [`CompilerProcess`] holds that to bounds as well, if your program
//! calls [`run_compiler`] when it is started with the arguments that you name.
//!
//! The rooms of the house, from the ground up: [`settings`] (what can be set), [`store`] (the database), [`function`] (the sandbox), [`logs`] (what
//! executions print), [`identity`] (tokens), [`scheduler`] (jobs), [`config`] (`host.toml`), `console` (the control
//! plane's listener), [`serve`] (the process) and [`cli`] (the command line). Each uses only those below it.

#![deny(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::print_stderr, clippy::print_stdout))]

mod address;
mod authorities;
pub mod cli;
pub mod config;
mod console;
mod counted;
pub mod function;
pub mod identity;
mod input;
mod lingering;
pub mod logs;
mod request_target;
mod safe;
pub mod scheduler;
pub mod serve;
pub mod settings;
mod signals;
mod size;
mod stderr;
pub mod store;
mod timed;
mod tls_failure;

pub use function::{
    CallError, Compiler, CompilerProcess, Done, Failure, Function, FunctionConfig, Limits,
    LoadError, Sandbox, SandboxConfig, SandboxError, run_compiler,
};
