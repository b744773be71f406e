//! `host scheduler jobs create http`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::super::super::Message;
use super::super::super::client::ClientArgs;
use super::super::super::listing::Shown;
use super::settings::{SettingArgs, checked};
use super::shown::value;
use crate::api::{Code, job_form};
use crate::config::values::{Listed, Pair, header_map, headers};
use crate::store::{JobName, JobSettings, StoreError};

/// Create a job
#[derive(Args)]
pub(super) struct Create {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Subcommand)]
enum Kind {
    Http(Box<CreateHttp>),
}

/// Create a job that makes an HTTP request whenever it is due
#[derive(Args)]
struct CreateHttp {
    /// The job
    name: JobName,

    /// When it is due: unix-cron, such as `0 * * * *`, or words, such as `every monday 09:00`
    #[arg(long, value_name = "SCHEDULE")]
    schedule: String,

    /// What it calls
    #[arg(long, value_name = "URL")]
    uri: String,

    /// Fields of the request's head
    #[arg(long, value_name = "NAME=VALUE,…", value_parser = headers)]
    headers: Vec<Listed<Pair>>,

    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

impl Create {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let Kind::Http(create) = self.kind;
        create.run()
    }
}

impl CreateHttp {
    fn run(self) -> Result<ExitCode, Message> {
        let headers = header_map(&self.headers)?;
        self.settings.check_headers("--headers", &headers)?;
        let mut settings = JobSettings {
            schedule: self.schedule,
            uri: self.uri,
            headers,
            ..JobSettings::default()
        };
        self.settings.apply(&mut settings)?;
        checked(&settings)?;
        let host = self.host.client_or_new()?;
        let mut job = job_form::document(&settings);
        job["name"] = json!(self.name);
        let created = host.post(&format!("{}/jobs", host.location("v1")), &job);
        let created = created.map_err(|status| match status.code {
            // This names the command that changes it.
            Code::AlreadyExists => StoreError::JobExists(self.name).to_string(),
            _ => status.into(),
        })?;
        self.shown.show(&value(created))?;
        Ok(ExitCode::SUCCESS)
    }
}
