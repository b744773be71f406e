//! `host scheduler jobs create http`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::super::super::Message;
use super::super::super::listing::Shown;
use super::super::super::state::StateDirectory;
use super::settings::{SettingArgs, checked};
use super::shown::value;
use crate::config::values::{Listed, Pair, header_map, headers};
use crate::store::{JobName, JobSettings};

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
    state: StateDirectory,
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
        let store = self.state.store_or_new()?;
        checked(&store, &settings)?;
        let record = store.create_job(&self.name, &settings, Timestamp::now())?;
        self.shown.show(&value(&record, None))?;
        Ok(ExitCode::SUCCESS)
    }
}
