//! Following one execution: what it prints and how it ends.

use http::StatusCode;

use super::error::Failure;
use super::line::Line;
use super::usage::Usage;

/// The end of an execution.
#[derive(Debug)]
pub struct Ended {
    /// The status of its response head, if it came to that.
    pub status: Option<StatusCode>,
    /// Why it failed, if it did. With a status it failed after the head: that cut the response body short, unless the
    /// guest had finished it.
    pub failure: Option<Failure>,
    /// What it used.
    pub usage: Usage,
    /// What it printed since the observer was last told.
    pub lines: Vec<Line>,
}

/// Follows one execution. Its methods are called on the thread that runs the execution and must not block.
pub trait Observer: Send + 'static {
    /// The execution goes on but has to wait, or its slice is over; `lines` are what it printed since the last call.
    fn waiting(&mut self, lines: Vec<Line>);

    /// The execution has ended. Called once.
    fn ended(&mut self, ended: Ended);
}
