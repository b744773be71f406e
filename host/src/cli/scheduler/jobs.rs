//! `host scheduler jobs`: the noun's verbs.

mod change;
mod create;
mod delete;
mod describe;
mod list;
mod runs;
mod settings;
mod shown;
mod update;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::super::Message;

/// Create, change, list, pause, run and delete jobs, and look at what came of them
#[derive(Args)]
pub(super) struct Jobs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Create(create::Create),
    Update(update::Update),
    List(list::List),
    Describe(describe::Describe),
    Pause(change::Pause),
    Resume(change::Resume),
    Run(change::Run),
    Delete(delete::Delete),
    Runs(runs::Runs),
}

impl Jobs {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Create(create) => create.run(),
            Verb::Update(update) => update.run(),
            Verb::List(list) => list.run(),
            Verb::Describe(describe) => describe.run(),
            Verb::Pause(pause) => pause.run(),
            Verb::Resume(resume) => resume.run(),
            Verb::Run(run) => run.run(),
            Verb::Delete(delete) => delete.run(),
            Verb::Runs(runs) => runs.run(),
        }
    }
}
