//! Your own private, scheduled cloud functions, in one binary.
//!
//! Components run in the sandbox of the crate [`host_sandbox`], which any program can add as a plugin runner.
//!
//! The modules, from the lowest to the highest: [`settings`] (what can be set), [`archive`] (what clients upload),
//! [`store`] (the database), [`logs`] (what executions print), [`identity`] (tokens), [`scheduler`] (jobs), [`config`]
//! (`host.toml`), [`api`] (the control plane's methods), `console` (its listener), [`serve`] (the process) and [`cli`] (the
//! command line). Each uses only those below it.

#![deny(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::print_stderr, clippy::print_stdout))]

mod advice;
pub mod api;
pub mod archive;
mod authorities;
pub mod cli;
pub mod config;
mod console;
mod counted;
pub mod diagnostics;
pub mod execution_id;
mod http_client;
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
mod stderr;
pub mod store;
mod timed;
