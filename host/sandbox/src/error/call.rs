//! Why a call has no answer.

use super::Failure;
use crate::line::Line;
use crate::usage::Usage;

/// A call without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the function did not answer: {failure}")]
#[non_exhaustive]
pub struct CallError {
    /// Why.
    pub failure: Failure,
    /// What the execution printed, in order.
    pub log: Vec<Line>,
    /// What it used.
    pub usage: Usage,
}
