//! `host functions delete`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::confirm::confirm;
use super::super::state::StateDirectory;
use super::settle_deleted;
use crate::stderr;
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
    state: StateDirectory,
}

impl Delete {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        // Before asking, so that nobody confirms what cannot be done.
        store.function(&self.name)?;
        if !self.quiet {
            let what = format!(
                "Function [{}] will be deleted, with the keys and values that it keeps.",
                self.name
            );
            confirm(&what)?;
        }
        store.delete(&self.name)?;
        stderr::line!("Deleted [{}].", self.name);
        settle_deleted(&store, &self.name)?;
        Ok(ExitCode::SUCCESS)
    }
}
