//! `host scheduler jobs list`

use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::client::ClientArgs;
use super::super::super::listing::{Item, Listed};
use super::shown::{location, text, value};

/// What all jobs call; gcloud's column.
const TARGET_TYPE: &str = "HTTP";

/// List the jobs
#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    listed: Listed,

    #[command(flatten)]
    host: ClientArgs,
}

impl List {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let jobs = host.list(&format!("{}/jobs", host.location("v1")), "jobs", usize::MAX)?;
        let items = jobs.into_iter().map(|job| {
            let location = location(&job).to_owned();
            let value = value(job);
            let [name, schedule, zone, state] =
                ["name", "schedule", "timeZone", "state"].map(|field| text(&value[field]));
            let row = [
                name.to_owned(),
                location,
                format!("{schedule} ({zone})"),
                TARGET_TYPE.into(),
                state.to_owned(),
            ];
            Item { value, row }
        });
        let head = ["ID", "LOCATION", "SCHEDULE (TZ)", "TARGET_TYPE", "STATE"];
        self.listed.show(head, items.collect())?;
        Ok(ExitCode::SUCCESS)
    }
}
