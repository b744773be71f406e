//! `host auth print-identity-token`

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::super::Message;
use super::super::format::print;
use super::super::own_issuer::own_issuer;
use super::super::state::StateDirectory;
use crate::config::values::duration;
use crate::identity::TokenRequest;

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
    state: StateDirectory,
}

impl PrintIdentityToken {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let issuer = own_issuer(&store, None)?;
        let request = TokenRequest {
            account: &self.impersonate_service_account,
            audience: &self.audiences,
            with_email: self.include_email,
            lifetime: self.lifetime,
        };
        let token = issuer.token(&store, request, SystemTime::now());
        let token = token.map_err(|error| error.to_string())?;
        print(&format!("{token}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
