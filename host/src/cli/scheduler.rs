//! `host scheduler`: jobs, and when schedules come.

mod jobs;
mod next;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;

/// Jobs, and when schedules come
#[derive(Args)]
pub(super) struct Scheduler {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Subcommand)]
enum Noun {
    Jobs(jobs::Jobs),
    Next(next::Next),
}

impl Scheduler {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.noun {
            Noun::Jobs(jobs) => jobs.run(),
            Noun::Next(next) => next.run(),
        }
    }
}
