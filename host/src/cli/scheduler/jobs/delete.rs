//! `host scheduler jobs delete`

use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::confirm::confirm;
use super::super::super::state::StateDirectory;
use crate::stderr;
use crate::store::JobName;

/// Delete a job and its history
#[derive(Args)]
pub(super) struct Delete {
    /// The job
    name: JobName,

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
        store.job(&self.name)?;
        if !self.quiet {
            confirm(&format!("Job [{}] will be deleted.", self.name))?;
        }
        store.delete_job(&self.name)?;
        stderr::line!("Deleted job [{}].", self.name);
        Ok(ExitCode::SUCCESS)
    }
}
