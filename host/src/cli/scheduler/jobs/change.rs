//! `host scheduler jobs pause`, `resume` and `run`

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;

use super::super::super::Message;
use super::super::super::state::StateDirectory;
use crate::scheduler;
use crate::stderr;
use crate::store::JobName;

/// Pause a job: it is not due until it is resumed
///
/// Runs of it that wait end: those that were not tried yet as skipped, others as failed. An attempt under way goes on.
#[derive(Args)]
pub(super) struct Pause {
    /// The job
    name: JobName,

    #[command(flatten)]
    state: StateDirectory,
}

/// Resume a job. Due times of the pause are not caught up
#[derive(Args)]
pub(super) struct Resume {
    /// The job
    name: JobName,

    #[command(flatten)]
    state: StateDirectory,
}

/// Run a job now, whatever its schedule says and whether or not it is running
#[derive(Args)]
pub(super) struct Run {
    /// The job
    name: JobName,

    #[command(flatten)]
    state: StateDirectory,
}

impl Pause {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        scheduler::pause(&self.state.store()?, &self.name, Timestamp::now())?;
        stderr::line!("Job has been paused.");
        Ok(ExitCode::SUCCESS)
    }
}

impl Resume {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        scheduler::resume(&self.state.store()?, &self.name, Timestamp::now())?;
        stderr::line!("Job has been resumed.");
        Ok(ExitCode::SUCCESS)
    }
}

impl Run {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let record = store.job(&self.name)?;
        if let Some(error) = scheduler::disabled(&record) {
            return Err(format!("the job `{}` cannot run: {error}", self.name));
        }
        if !store.is_served() {
            return Err("no host serves this store; start one with `host serve`".into());
        }
        store.request_run(&self.name, Timestamp::now())?;
        Ok(ExitCode::SUCCESS)
    }
}
