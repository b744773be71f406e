//! `host functions delete`

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::state::State;
use crate::store::FunctionName;

/// Delete a function
#[derive(Args)]
pub(super) struct Delete {
    /// The function
    name: FunctionName,

    /// Do not ask
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    state: State,
}

impl Delete {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        // Before asking, so that nobody confirms what cannot be done.
        store
            .function(&self.name)
            .map_err(|error| error.to_string())?;
        if !self.quiet && std::io::stdin().is_terminal() && !self.is_confirmed()? {
            return Err("aborted; the function is still there".into());
        }
        store
            .delete(&self.name)
            .map_err(|error| error.to_string())?;
        eprintln!("Deleted [{}].", self.name);
        Ok(ExitCode::SUCCESS)
    }

    fn is_confirmed(&self) -> Result<bool, Message> {
        let unreadable = |error| format!("cannot ask: {error}; --quiet does not ask");
        eprint!(
            "Function [{}] will be deleted. Do you want to continue (y/N)? ",
            self.name
        );
        std::io::stderr().flush().map_err(unreadable)?;
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(unreadable)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}
