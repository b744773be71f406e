//! What can be set, each setting defined once.
//!
//! A list of `settings!` says name, type, default and help; the type says what is allowed. From a list come
//! the values in force (for a function also the row of the store), the table of `host.toml` with its schema, the flags
//! (`cli/flags.rs`), what `describe` shows, and the table in `docs/configuration.md`.
//!
//! To add a setting, add it to the list of functions (`settings/function.rs`) or of hosts (`config/host.rs`), and use the field.

mod definition;
mod function;
pub(crate) mod values;

pub use definition::{Change, Flag, Setting, Settings, Value};
pub(crate) use definition::{initial, plain, settings, values};
pub use function::{ClaimValues, FunctionSettings, FunctionTable, InvokerRule, Outlet, Rights};

#[cfg(test)]
mod tests;
