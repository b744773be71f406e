//! `host functions describe`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::client::ClientArgs;
use super::super::listing::Shown;
use crate::store::FunctionName;

/// Show a function: its settings, revision, component and address
#[derive(Args)]
pub(super) struct Describe {
    /// The function
    name: FunctionName,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

impl Describe {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let path = format!("{}/functions/{}", host.location("host/v1"), self.name);
        self.shown.show(&host.get(&path)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
