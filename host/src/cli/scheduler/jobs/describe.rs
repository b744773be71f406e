//! `host scheduler jobs describe`

use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::client::ClientArgs;
use super::super::super::listing::Shown;
use super::change::path;
use super::shown::value;
use crate::store::JobName;

/// Show a job: its settings, when it is due next, and how its last attempt went
#[derive(Args)]
pub(super) struct Describe {
    /// The job
    name: JobName,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

impl Describe {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let job = host.get(&path(&host, &self.name, ""))?;
        self.shown.show(&value(job))?;
        Ok(ExitCode::SUCCESS)
    }
}
