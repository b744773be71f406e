//! `host auth`: tokens, made and explained.

mod doctor;
mod explain;
mod gcloud_env;
mod print_access_token;
mod print_identity_token;
mod revoke;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;

/// Make, explain and revoke tokens, and look at issuers
#[derive(Args)]
pub(super) struct Auth {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    PrintIdentityToken(print_identity_token::PrintIdentityToken),
    PrintAccessToken(print_access_token::PrintAccessToken),
    GcloudEnv(gcloud_env::GcloudEnv),
    Explain(explain::Explain),
    Doctor(doctor::Doctor),
    Revoke(revoke::Revoke),
}

impl Auth {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::PrintIdentityToken(print) => print.run(),
            Verb::PrintAccessToken(print) => print.run(),
            Verb::GcloudEnv(print) => print.run(),
            Verb::Explain(explain) => explain.run(),
            Verb::Doctor(doctor) => doctor.run(),
            Verb::Revoke(revoke) => revoke.run(),
        }
    }
}
