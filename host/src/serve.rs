//! The serving process: its workers, its listener, and its way from start to drain.
//!
//! One worker per core, each a thread with a runtime and an accept queue of its own; a request stays on its worker from
//! accept to last byte. The control plane and the signals have a thread of their own, so a busy worker delays neither.

mod access;
mod addresses;
mod admission;
mod announce;
mod answer;
mod authenticate;
mod batched;
mod body;
mod caller;
mod catalog;
mod component;
mod confined;
mod connection;
mod control_plane;
mod cookies;
mod credentials;
mod declared;
mod descriptors;
mod drain;
mod error;
mod exposition;
mod fields;
mod forwarded;
mod inherited;
mod invoke;
mod job_exposition;
mod job_tokens;
mod jobs;
mod listener;
mod load;
mod loads;
mod metrics;
mod options;
mod own_identity;
mod peer;
mod prefixed;
mod protocol;
mod published;
mod readiness;
mod record;
mod refusals;
mod registry;
mod reload;
mod routes;
mod run;
mod sandbox_setup;
mod service_manager;
mod serving;
mod shares;
mod stall;
mod start;
mod stream_task;
mod streams;
mod tls;
mod token_counters;
mod trace;
mod trust_board;
mod upload;
mod verdicts;
mod watch;
mod watched;
mod worker;

pub(crate) use access::{Access as FunctionAccess, component_access, function_access};
pub use error::ServeError;
pub(crate) use load::function_config;
pub use options::{
    ComponentAccess, ComponentOptions, IdentityOptions, JobOptions, KeptLog, ServeOptions, TlsFiles,
};
pub(crate) use refusals::REFUSED;
pub use run::run;
pub(crate) use tls::{TlsError, check as check_tls};
