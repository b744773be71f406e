//! `host auth print-identity-token`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::super::Message;
use super::super::client::{ClientArgs, encoded};
use super::super::format::print;
use crate::config::values::duration;

/// Print a token of a service account
///
/// It is good for an hour at most, and for whoever has it: hand it to nobody but the function.
#[derive(Args)]
pub(super) struct PrintIdentityToken {
    /// The service account that it stands for
    #[arg(long, value_name = "EMAIL")]
    impersonate_service_account: String,

    /// Who is to accept it: the function's URL
    #[arg(long, value_name = "URL")]
    audiences: String,

    /// Tell the account's address in it
    #[arg(long)]
    include_email: bool,

    /// How long it is good, up to an hour
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    lifetime: Duration,

    #[command(flatten)]
    host: ClientArgs,
}

impl PrintIdentityToken {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let body = json!({
            "audience": self.audiences,
            "includeEmail": self.include_email,
            "lifetime": format!("{}s", self.lifetime.as_secs_f64()),
        });
        let account = encoded(&self.impersonate_service_account);
        let path = format!(
            "{}/serviceAccounts/{account}:generateIdToken",
            host.project("v1")
        );
        let answer = host.post(&path, &body)?;
        let token = answer["token"]
            .as_str()
            .ok_or("the host answered without a token")?;
        print(&format!("{token}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
