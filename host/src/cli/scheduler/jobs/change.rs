//! `host scheduler jobs pause`, `resume` and `run`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::super::super::Message;
use super::super::super::client::{Client, ClientArgs};
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
    host: ClientArgs,
}

/// Resume a job. Due times of the pause are not caught up
#[derive(Args)]
pub(super) struct Resume {
    /// The job
    name: JobName,

    #[command(flatten)]
    host: ClientArgs,
}

/// Run a job now, whatever its schedule says and whether or not it is running
#[derive(Args)]
pub(super) struct Run {
    /// The job
    name: JobName,

    #[command(flatten)]
    host: ClientArgs,
}

impl Pause {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        host.post(&path(&host, &self.name, ":pause"), &json!({}))?;
        stderr::line!("Job has been paused.");
        Ok(ExitCode::SUCCESS)
    }
}

impl Resume {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        host.post(&path(&host, &self.name, ":resume"), &json!({}))?;
        stderr::line!("Job has been resumed.");
        Ok(ExitCode::SUCCESS)
    }
}

impl Run {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        host.post(&path(&host, &self.name, ":run"), &json!({}))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The path of the job `name`, and what is done with it.
pub(super) fn path(host: &Client, name: &JobName, verb: &str) -> String {
    format!("{}/jobs/{name}{verb}", host.location("v1"))
}
