//! `host scheduler jobs delete`

use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::client::ClientArgs;
use super::super::super::confirm::confirm;
use super::change::path;
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
    host: ClientArgs,
}

impl Delete {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let path = path(&host, &self.name, "");
        // Before asking, so that nobody confirms what cannot be done.
        host.get(&path)?;
        if !self.quiet {
            confirm(&format!("Job [{}] will be deleted.", self.name))?;
        }
        host.delete(&path)?;
        stderr::line!("Deleted job [{}].", self.name);
        Ok(ExitCode::SUCCESS)
    }
}
