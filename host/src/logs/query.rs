//! Finds stored entries, while the host runs and when it does not.
//!
//! Segments are read newest first, and only the blocks that the index does not rule out. Blocks are searched as bytes
//! for text that every matching line contains; only lines with that text are parsed.
//!
//! Depends on `entry`, `forms` and `segments`.

mod collect;
mod criteria;
mod error;
mod follow;
mod functions;
mod literal;
mod matcher;
mod page;
mod position;
mod reader;
mod sources;
mod tail;
mod time_limit;

pub use criteria::{Log, Order, Predicate, Query};
pub use error::QueryError;
pub use follow::{Follow, NewEntries};
pub use functions::{log_ids, logged_functions};
pub use page::{Page, read_page};
pub use position::{Position, PositionError};
pub use reader::{QueryResult, Unreadable, read};
pub use time_limit::read_page_within;

#[cfg(test)]
mod tests;
