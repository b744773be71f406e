//! `host auth print-access-token`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::super::Message;
use super::super::client::{Client, ClientArgs, encoded};
use super::super::format::print;
use crate::config::values::duration;

/// Print a token that opens the control plane
///
/// It is good for an hour at most. Whoever has it can do what its holder can: the owner of the state directory everything,
/// a service account what its roles say. No function takes it.
#[derive(Args)]
pub(super) struct PrintAccessToken {
    /// The service account that it stands for [default: the owner of the host]
    #[arg(long, value_name = "EMAIL")]
    impersonate_service_account: Option<String>,

    /// How long it is good, up to an hour
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    lifetime: Duration,

    #[command(flatten)]
    host: ClientArgs,
}

impl PrintAccessToken {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client_or_new()?;
        let lifetime = json!({ "lifetime": format!("{}s", self.lifetime.as_secs()) });
        let answer = match &self.impersonate_service_account {
            None => host.post("/host/v1/accessTokens", &lifetime)?,
            Some(email) => {
                let project = host.project("v1");
                let email = encoded(email);
                let path = format!("{project}/serviceAccounts/{email}:generateAccessToken");
                host.post(&path, &lifetime)?
            }
        };
        print(&format!("{}\n", token(&answer)?))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A token of the owner that is good for an hour.
pub(super) fn of_owner(host: &Client) -> Result<String, Message> {
    let answer = host.post("/host/v1/accessTokens", &json!({}))?;
    Ok(token(&answer)?.to_owned())
}

fn token(answer: &Value) -> Result<&str, Message> {
    let token = answer["accessToken"].as_str();
    token.ok_or_else(|| "the host answered without a token".into())
}
