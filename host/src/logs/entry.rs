//! What a log entry is: its severity, its origin, its payload and its timestamp.
//!
//! Depends on nothing else in `logs`.

pub(in crate::logs) mod json_object;
mod log_entry;
mod origin;
mod payload;
mod severity;
pub(in crate::logs) mod special_fields;
mod structured;
pub(in crate::logs) mod timestamp;
mod written;

pub use log_entry::{Entry, Trace};
pub use origin::Origin;
pub use payload::{Cause, FinishStatus, Logged, Payload, Trigger};
pub use severity::Severity;
pub use structured::Structured;
pub use written::{AUDIT_LOG, Content, FUNCTIONS_LOG, LogPlace, Written, WrittenError};
