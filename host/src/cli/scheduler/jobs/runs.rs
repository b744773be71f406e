//! `host scheduler jobs runs`: what came of a job's due times.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::super::Message;
use super::super::super::listing::{Item, Listed, Shown};
use super::super::super::state::StateDirectory;
use super::super::super::time::instant;
use crate::store::{AttemptRecord, JobName, RunRecord};

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
    state: StateDirectory,
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
    state: StateDirectory,
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
        let runs = self.state.store()?;
        let runs = runs.job_runs(&self.name, listed.needed(MOST))?;
        let items = runs.iter().map(|run| Item {
            value: value(run),
            row: row(run),
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
        let store = self.state.store()?;
        let run = match self.scheduled_time {
            Some(time) => store.job_run(&self.name, time),
            None => store
                .job_runs(&self.name, 1)
                .map(|runs| runs.into_iter().next()),
        };
        let run = run?.ok_or_else(|| {
            format!(
                "the job `{0}` has no such run; `host scheduler jobs runs list {0}` shows those that it has",
                self.name
            )
        })?;
        self.shown.show(&value(&run))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn row(run: &RunRecord) -> [String; 6] {
    let end = run.attempts.last().and_then(|attempt| attempt.end.as_ref());
    let reason = run.reason.as_deref();
    let reason = reason.or_else(|| end.and_then(|end| end.reason.as_deref()));
    [
        run.scheduled.to_string(),
        run.trigger.as_str().into(),
        run.state.as_str().into(),
        run.attempts.len().to_string(),
        end.map_or_else(String::new, |end| end.code.clone()),
        reason.unwrap_or_default().to_owned(),
    ]
}

fn value(run: &RunRecord) -> Value {
    let attempts: Vec<_> = run.attempts.iter().map(attempt_value).collect();
    let mut value = json!({
        "scheduledTime": run.scheduled.to_string(),
        "trigger": run.trigger.as_str(),
        "state": run.state.as_str(),
        "attempts": attempts,
    });
    if let Some(reason) = &run.reason {
        value["reason"] = json!(reason);
    }
    if let Some(ended) = run.ended {
        value["endTime"] = json!(ended.to_string());
    }
    value
}

fn attempt_value(attempt: &AttemptRecord) -> Value {
    let mut value = json!({
        "number": attempt.number,
        "startTime": attempt.started.to_string(),
    });
    let Some(end) = &attempt.end else {
        return value;
    };
    let took = match end.took {
        Some(took) => took.as_secs_f64(),
        // The clock tells it as well as it can.
        None => end
            .time
            .duration_since(attempt.started)
            .as_secs_f64()
            .max(0.0),
    };
    value["duration"] = json!(format!("{took:.3}s"));
    value["status"] = json!(end.code);
    let given = [
        ("httpStatus", json!(end.status)),
        ("reason", json!(end.reason)),
        ("executionId", json!(end.execution)),
    ];
    for (key, given) in given {
        if !given.is_null() {
            value[key] = given;
        }
    }
    value
}
