//! The forms of entries: the JSON line, and how it is read back; the table; logfmt; `LogEntry` of the Logging API.
//!
//! Depends on `entry`.

mod google_entry;
pub(in crate::logs) mod json_line;
pub(in crate::logs) mod json_text;
pub(in crate::logs) mod labels;
pub(in crate::logs) mod line_header;
mod logfmt;
mod read_format;
pub(in crate::logs) mod stdout_format;
mod stored_entry;
mod table;

pub use google_entry::log_name;
pub use json_line::JsonLines;
pub use read_format::{ReadFormat, ReadRenderer};
pub use stdout_format::LogFormat;
pub use stored_entry::{HttpRequest, StoredEntry};
