//! Lines for whoever watches the process.
//!
//! `eprintln!` panics where stderr cannot be written to: its reader is gone, or its disk is full. What the program does
//! must not depend on that, so every line goes through [`line!`](line), which gives up on a line that cannot be written.
//! Whatever a line quotes, nothing in it steers the terminal.

use std::fmt;
use std::io::{self, Write};

use crate::safe;

/// Writes one line to stderr, if that is possible.
macro_rules! line {
    ($($arguments:tt)*) => { $crate::stderr::write_line(format_args!($($arguments)*)) };
}
pub(crate) use line;

/// Writes `text` and a line feed at once, so that lines of several threads do not mix.
pub(crate) fn write_line(text: fmt::Arguments<'_>) {
    let text = format!("{text}\n");
    let _ = io::stderr().write_all(safe::lines(&text).as_bytes());
}

/// Writes a question, behind which the answer is typed.
pub(crate) fn ask(question: &str) {
    let _ = io::stderr().write_all(safe::lines(question).as_bytes());
}
