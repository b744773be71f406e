//! `host config`: the configuration file, looked at without serving.

mod check;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;
use super::format::{DocumentFormat, document, print};
use crate::config::ConfigFile;

/// Check a configuration file, or print its schema
#[derive(Args)]
pub(super) struct Config {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Check(check::Check),
    Schema(Schema),
}

/// Print the JSON Schema of configuration files, which editors use to help and to check
#[derive(Args)]
struct Schema {}

impl Config {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Check(check) => check.run(),
            Verb::Schema(_) => {
                print(&document(&ConfigFile::schema(), DocumentFormat::Json)?)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
