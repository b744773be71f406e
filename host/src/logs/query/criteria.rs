//! What a query asks for.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::logs::entry::Severity;
use crate::logs::forms::StoredEntry;

/// The criteria for entries. An entry must meet all that are set.
#[derive(Clone, Debug)]
pub struct Query {
    /// In this log.
    pub log: Log,
    /// Of this function.
    pub function: Option<String>,
    /// Of a function with this name, whatever the case of its ASCII letters.
    pub function_in_any_case: Option<String>,
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
    /// With this text, case-sensitive, in the text payload or in one value of the JSON payload.
    pub contains: Option<String>,
    /// With a match of this regular expression in the text payload or in one value of the JSON payload.
    pub regex: Option<String>,
    /// The end of an execution with one of these status codes.
    pub status: Option<RangeInclusive<u16>>,
    /// Of this trace. The id also matches entries with `projects/PROJECT/traces/ID`.
    pub trace: Option<String>,
    /// Of executions that this job caused.
    pub job: Option<String>,
    /// That this accepts.
    pub predicate: Option<Predicate>,
    /// The maximum number of entries. If there are more, the last ones written are returned.
    pub limit: usize,
    /// The size of the lines after which no entry is added, in bytes.
    pub max_bytes: usize,
    /// After how long no other part of the log is read; `None` for no limit.
    pub time_limit: Option<Duration>,
    /// The order of the result.
    pub order: Order,
}

/// A criterion that is code. It is asked last, because the entry must be parsed for it.
#[derive(Clone)]
pub struct Predicate(Arc<dyn Fn(&StoredEntry) -> bool + Send + Sync>);

impl Predicate {
    /// Accepts the entries that `accepts` does.
    pub fn new(accepts: impl Fn(&StoredEntry) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(accepts))
    }

    /// Whether it accepts `entry`.
    pub(super) fn accepts(&self, entry: &StoredEntry) -> bool {
        (self.0)(entry)
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Predicate")
    }
}

/// Which logs are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Log {
    /// That of the functions.
    #[default]
    Functions,
    /// The one with this id, which is not that of the functions.
    Other(String),
    /// All logs.
    All,
}

/// The order of entries. Entries with the same time are in the order in which they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By time, ascending.
    #[default]
    OldestFirst,
    /// By time, descending.
    NewestFirst,
}

impl Default for Query {
    /// The last 20 entries.
    fn default() -> Self {
        Self {
            log: Log::Functions,
            function: None,
            function_in_any_case: None,
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
            predicate: None,
            limit: 20,
            max_bytes: usize::MAX,
            time_limit: None,
            order: Order::OldestFirst,
        }
    }
}
