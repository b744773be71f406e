//! `host functions delete`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::client::ClientArgs;
use super::super::confirm::confirm;
use super::operation;
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
    host: ClientArgs,
}

impl Delete {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let path = format!("{}/functions/{}", host.location("v2"), self.name);
        // Before asking, so that nobody confirms what cannot be done.
        host.get(&path)?;
        if !self.quiet {
            let what = format!(
                "Function [{}] will be deleted, with the keys and values that it keeps.",
                self.name
            );
            confirm(&what)?;
        }
        operation::run(&host, || host.delete(&path))??;
        stderr::line!("Deleted [{}].", self.name);
        Ok(ExitCode::SUCCESS)
    }
}
