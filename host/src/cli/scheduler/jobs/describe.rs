//! `host scheduler jobs describe`

use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::listing::Shown;
use super::super::super::state::StateDirectory;
use super::shown::value;
use crate::store::JobName;

/// Show a job: its settings, when it is due next, and how its last attempt went
#[derive(Args)]
pub(super) struct Describe {
    /// The job
    name: JobName,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    state: StateDirectory,
}

impl Describe {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let record = store.job(&self.name)?;
        let runs = store.job_runs(&self.name, usize::from(u8::MAX))?;
        let last = runs
            .into_iter()
            .find_map(|run| run.attempts.into_iter().last());
        self.shown.show(&value(&record, last.as_ref()))?;
        Ok(ExitCode::SUCCESS)
    }
}
