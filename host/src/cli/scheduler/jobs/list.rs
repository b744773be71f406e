//! `host scheduler jobs list`

use std::process::ExitCode;

use clap::Args;

use super::super::super::Message;
use super::super::super::listing::{Item, Listed};
use super::super::super::state::StateDirectory;
use super::shown::{state, value};

/// Where all jobs are; gcloud's column.
const LOCATION: &str = "local";
/// What all jobs call; gcloud's column.
const TARGET_TYPE: &str = "HTTP";

/// List the jobs
#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    listed: Listed,

    #[command(flatten)]
    state: StateDirectory,
}

impl List {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let records = store.jobs().map_err(|error| error.to_string())?;
        let items = records.iter().map(|record| {
            let settings = &record.settings;
            let row = [
                record.name.to_string(),
                LOCATION.into(),
                format!("{} ({})", settings.schedule, settings.time_zone),
                TARGET_TYPE.into(),
                state(record).into(),
            ];
            let value = value(record, None);
            Item { value, row }
        });
        let head = ["ID", "LOCATION", "SCHEDULE (TZ)", "TARGET_TYPE", "STATE"];
        self.listed.show(head, items.collect())?;
        Ok(ExitCode::SUCCESS)
    }
}
