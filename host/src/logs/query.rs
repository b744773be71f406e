//! Finds kept entries again: while the host runs, and after it died.
//!
//! Segments are read newest first, and of each no more than its index leaves in question. What is read is searched as
//! bytes for what every line that is asked for must hold; only lines that hold it are looked at further.

mod follow;
mod functions;
mod literal;
mod matcher;
mod reader;
mod record;
mod tail;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::SystemTime;

pub use follow::{Follow, News};
pub use functions::logged_functions;
pub use reader::{Found, Unreadable, read};
pub use record::{HttpRequest, Record, RecordPayload};

use super::severity::Severity;

/// Which entries are asked for: those that meet everything that is set.
#[derive(Clone, Debug)]
pub struct Query {
    /// Of this function.
    pub function: Option<String>,
    /// Of this execution.
    pub execution_id: Option<String>,
    /// Of this severity or a higher one.
    pub min_severity: Option<Severity>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Of this time or later.
    pub start: Option<SystemTime>,
    /// Earlier than this time.
    pub end: Option<SystemTime>,
    /// With these words, in this case, in the text or in one value of the JSON payload.
    pub contains: Option<String>,
    /// With a match of this regular expression in the text or in one value of the JSON payload.
    pub regex: Option<String>,
    /// That tell of an execution's end with one of these status codes.
    pub status: Option<RangeInclusive<u16>>,
    /// Of this trace; its id is enough where the entry has `projects/PROJECT/traces/ID`.
    pub trace: Option<String>,
    /// Of executions that this job caused.
    pub job: Option<String>,
    /// How many at most; of more, the last ones that were written.
    pub limit: usize,
    /// In which order.
    pub order: Order,
}

/// The order of entries. Entries of one time are in the order in which they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By time, as one reads.
    #[default]
    OldestFirst,
    /// By time, backwards.
    NewestFirst,
}

impl Default for Query {
    /// The last 20 entries.
    fn default() -> Self {
        Self {
            function: None,
            execution_id: None,
            min_severity: None,
            severity: None,
            start: None,
            end: None,
            contains: None,
            regex: None,
            status: None,
            trace: None,
            job: None,
            limit: 20,
            order: Order::OldestFirst,
        }
    }
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The regular expression is none.
    #[error("not a regular expression: {0}")]
    Regex(#[source] Box<regex::Error>),
    /// The log cannot be read.
    #[error("the log in {} cannot be read: {_1}", _0.display())]
    Read(PathBuf, #[source] std::io::Error),
}

#[cfg(test)]
mod tests;
