//! Why a query failed.

use std::path::PathBuf;

/// The error of a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The regular expression is invalid.
    #[error("not a regular expression: {0}")]
    Regex(#[source] Box<regex::Error>),
    /// The log directory cannot be read.
    #[error("the log in {} cannot be read: {_1}", _0.display())]
    Read(PathBuf, #[source] std::io::Error),
}
