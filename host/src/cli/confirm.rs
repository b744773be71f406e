//! Asks before something is gone for good.

use std::io::{IsTerminal, Write};

use super::Message;
use crate::stderr;

/// Says what will happen, and goes on if the user wants it.
///
/// # Errors
/// If not, or if nobody is there to be asked.
pub(super) fn confirm(what: &str) -> Result<(), Message> {
    if !std::io::stdin().is_terminal() {
        return Err(
            "standard input is no terminal, so nobody can be asked; say --quiet to go on. Nothing was changed".into(),
        );
    }
    let unreadable = |error| format!("cannot ask: {error}; --quiet does not ask");
    stderr::ask(&format!("{what} Do you want to continue (y/N)? "));
    std::io::stderr().flush().map_err(unreadable)?;
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(unreadable)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err("aborted; nothing was changed".into()),
    }
}
