//! `host scheduler jobs runs`: what came of a job's due times.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::Value;

use super::super::super::Message;
use super::super::super::client::{Client, ClientArgs, encoded};
use super::super::super::listing::{Item, Listed, Shown};
use super::super::super::time::instant;
use super::shown::text;
use crate::api::LATEST_RUN;
use crate::store::JobName;

/// Look at what came of a job's due times
#[derive(Args)]
pub(super) struct Runs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(List),
    Describe(Describe),
}

/// How many runs are listed where nothing else is said.
const LISTED: NonZeroUsize = NonZeroUsize::new(20).expect("it is not 0");
/// How many are looked at, at most; more than are kept.
const MOST: usize = 1_000;

/// List the latest runs of a job, the newest first: 20 if no --limit is given
#[derive(Args)]
struct List {
    /// The job
    name: JobName,

    #[command(flatten)]
    listed: Listed,

    #[command(flatten)]
    host: ClientArgs,
}

/// Show a run and its attempts
#[derive(Args)]
struct Describe {
    /// The job
    name: JobName,

    /// When the run was due, as `list` shows it [default: the latest]
    #[arg(value_parser = instant)]
    scheduled_time: Option<Timestamp>,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

impl Runs {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::List(list) => list.run(),
            Verb::Describe(describe) => describe.run(),
        }
    }
}

impl List {
    fn run(self) -> Result<ExitCode, Message> {
        let listed = self.listed.or_limit(LISTED);
        let host = self.host.client()?;
        let runs = host.list(&path(&host, &self.name), "runs", listed.needed(MOST))?;
        let items = runs.into_iter().map(|value| Item {
            row: row(&value),
            value,
        });
        let head = [
            "SCHEDULED_TIME",
            "TRIGGER",
            "STATE",
            "ATTEMPTS",
            "STATUS",
            "REASON",
        ];
        listed.show(head, items.collect())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Describe {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let run = match self.scheduled_time {
            Some(time) => encoded(&time.to_string()),
            None => LATEST_RUN.to_owned(),
        };
        let run = host.get(&format!("{}/{run}", path(&host, &self.name)))?;
        self.shown.show(&run)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The path of the runs of the job `name`.
fn path(host: &Client, name: &JobName) -> String {
    format!("{}/jobs/{name}/runs", host.location("host/v1"))
}

fn row(run: &Value) -> [String; 6] {
    let none = Vec::new();
    let attempts = run["attempts"].as_array().unwrap_or(&none);
    let last = attempts.last().unwrap_or(&Value::Null);
    let reason = match text(&run["reason"]) {
        "" => text(&last["reason"]),
        reason => reason,
    };
    [
        text(&run["scheduledTime"]).to_owned(),
        text(&run["trigger"]).to_owned(),
        text(&run["state"]).to_owned(),
        attempts.len().to_string(),
        text(&last["status"]).to_owned(),
        reason.to_owned(),
    ]
}
