//! `host scheduler jobs runs`: what came of a job's due times.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::super::Message;
use super::super::super::format::{DocumentFormat, Format, document, print, table};
use super::super::super::state::State;
use crate::stderr;
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

/// List the latest runs of a job, the newest first
#[derive(Args)]
struct List {
    /// The job
    name: JobName,

    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    limit: u16,

    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,

    #[command(flatten)]
    state: State,
}

/// Show a run and its attempts
#[derive(Args)]
struct Describe {
    /// The job
    name: JobName,

    /// When the run was due, in RFC 3339 [default: the latest]
    scheduled_time: Option<Timestamp>,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = DocumentFormat::Yaml, value_name = "FORMAT")]
    format: DocumentFormat,

    #[command(flatten)]
    state: State,
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
        let runs = self.state.store()?.job_runs(&self.name, self.limit.into());
        let runs = runs.map_err(|error| error.to_string())?;
        let format = match self.format {
            Format::Table if runs.is_empty() => {
                stderr::line!("Listed 0 items.");
                return Ok(ExitCode::SUCCESS);
            }
            Format::Table => {
                let rows: Vec<_> = runs.iter().map(row).collect();
                let head = [
                    "SCHEDULED_TIME",
                    "TRIGGER",
                    "STATE",
                    "ATTEMPTS",
                    "STATUS",
                    "REASON",
                ];
                print(&table(head, &rows))?;
                return Ok(ExitCode::SUCCESS);
            }
            Format::Json => DocumentFormat::Json,
            Format::Yaml => DocumentFormat::Yaml,
        };
        let values = runs.iter().map(value).collect();
        print(&document(&Value::Array(values), format)?)?;
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
        let run = run.map_err(|error| error.to_string())?;
        let run = run.ok_or_else(|| {
            format!(
                "the job `{0}` has no such run; `host scheduler jobs runs list {0}` shows those that it has",
                self.name
            )
        })?;
        print(&document(&value(&run), self.format)?)?;
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
