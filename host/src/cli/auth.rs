//! `host auth`: tokens, made and explained.

mod doctor;
mod explain;
mod known_issuers;
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
    Explain(explain::Explain),
    Doctor(doctor::Doctor),
    Revoke(revoke::Revoke),
}

impl Auth {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::PrintIdentityToken(print) => print.run(),
            Verb::Explain(explain) => explain.run(),
            Verb::Doctor(doctor) => doctor.run(),
            Verb::Revoke(revoke) => revoke.run(),
        }
    }
}
