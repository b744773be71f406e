//! Lines for whoever watches the process.
//!
//! `eprintln!` panics where stderr cannot be written to: its reader is gone, or its disk is full. What the program does
//! must not depend on that, so every line goes through [`line!`](line), which gives up on a line that cannot be written.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes one line to stderr, if that is possible.
macro_rules! line {
    ($($arguments:tt)*) => { $crate::stderr::write_line(format_args!($($arguments)*)) };
}
pub(crate) use line;

/// Writes `text` and a line feed at once, so that lines of several threads do not mix.
pub(crate) fn write_line(text: fmt::Arguments<'_>) {
    let clear = clear();
    let _ = io::stderr().write_all(format!("{clear}{text}\n").as_bytes());
}

/// Whether the last line of the terminal is a status.
static HAS_STATUS: AtomicBool = AtomicBool::new(false);

/// Goes to the beginning of the terminal's line and erases it (ECMA-48, CR and EL).
const ERASE: &str = "\r\x1b[K";

/// What takes the status away, if there is one.
fn clear() -> &'static str {
    match HAS_STATUS.swap(false, Ordering::Relaxed) {
        true => ERASE,
        false => "",
    }
}

/// Shows `text` on a terminal, in the place of the status before, until the next line comes.
pub(crate) fn status(text: &str) {
    HAS_STATUS.store(true, Ordering::Relaxed);
    ask(&format!("{ERASE}{text}"));
}

/// Takes the status away.
pub(crate) fn clear_status() {
    ask(clear());
}

/// Writes a question, behind which the answer is typed.
pub(crate) fn ask(question: &str) {
    let _ = io::stderr().write_all(question.as_bytes());
}
