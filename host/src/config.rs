//! `host.toml`: what a host serves and how, declared in one file.
//!
//! The file says the same things as the command line, under the same names. A key that is not known is an error, and
//! every error names its line and column.

mod error;
mod file;
mod function;
mod host;
mod host_check;
mod issuer;
mod job;
mod job_check;
mod rights;
mod unknown_key;
pub(crate) mod values;

pub use crate::settings::FunctionTable;
pub use error::ConfigError;
pub use file::{ConfigFile, Declared};
pub use host::{HostSettings, HostTable};
pub use issuer::IssuerTable;
pub use job::JobTable;
pub use rights::DeclaredRights;
