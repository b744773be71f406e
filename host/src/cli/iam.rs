//! `host iam`: service accounts and the keys of the host's own issuer.

mod keys;
mod service_accounts;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;

/// Service accounts, and the keys that their tokens are signed with
#[derive(Args)]
pub(super) struct Iam {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Subcommand)]
enum Noun {
    ServiceAccounts(Box<service_accounts::ServiceAccounts>),
    Keys(keys::Keys),
}

impl Iam {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.noun {
            Noun::ServiceAccounts(accounts) => accounts.run(),
            Noun::Keys(keys) => keys.run(),
        }
    }
}
