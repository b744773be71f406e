//! Why a text is not a filter.

/// The error of a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the filter is invalid at character {position}: {reason}")]
pub struct FilterError {
    /// The first character that is wrong, counted from 1.
    pub position: usize,
    /// What is wrong and what was expected, in one line.
    pub reason: String,
}
