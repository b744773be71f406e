//! `host functions logs`

mod damage;
mod follow;
mod read;
mod reader;
mod screen;
mod selection;
mod source;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::super::Message;
pub(in crate::cli) use reader::Reader;

/// Read what functions printed, and what the host says of them
#[derive(Args)]
pub(super) struct Logs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Read(Box<read::Read>),
}

impl Logs {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Read(read) => read.run(),
        }
    }
}
