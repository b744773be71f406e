//! The serving process: its workers, its listener, and its way from start to drain.
//!
//! One worker per core, each a thread with a runtime and an accept queue of its own; a request stays on its worker from
//! accept to last byte. The control plane and the signals have a thread of their own, so a busy worker delays neither.
//!
//! From the lowest to the highest: `trust` (tokens), `functions` (what is served), `request`, `listener`,
//! `metrics` and `process`, which puts them together. Each uses only those before it, and what stands here.

mod drain;
mod error;
mod functions;
mod keyvalue;
mod listener;
mod metrics;
mod options;
mod process;
mod published;
mod readiness;
mod request;
mod trust;
mod watch;
mod watched;

pub use error::ServeError;
pub(crate) use error::TlsError;
pub(crate) use functions::load::{function_config, try_component};
pub use keyvalue::BucketOptions;
pub(crate) use listener::tls::check as check_tls;
pub use options::{
    ComponentAccess, ComponentOptions, IdentityOptions, JobOptions, KeptLog, ServeOptions, TlsFiles,
};
pub use process::run::run;
pub(crate) use request::refusals::REFUSED;
