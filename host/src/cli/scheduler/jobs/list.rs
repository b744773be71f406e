//! `host scheduler jobs list`

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::super::super::Message;
use super::super::super::format::{DocumentFormat, Format, document, print, table};
use super::super::super::state::State;
use super::shown::{state, value};
use crate::stderr;

/// Where all jobs are; gcloud's column.
const LOCATION: &str = "local";
/// What all jobs call; gcloud's column.
const TARGET_TYPE: &str = "HTTP";

/// List the jobs
#[derive(Args)]
pub(super) struct List {
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,

    #[command(flatten)]
    state: State,
}

impl List {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let records = store.jobs().map_err(|error| error.to_string())?;
        let format = match self.format {
            Format::Table if records.is_empty() => {
                stderr::line!("Listed 0 items.");
                return Ok(ExitCode::SUCCESS);
            }
            Format::Table => {
                let rows = records.iter().map(|record| {
                    let settings = &record.settings;
                    [
                        record.name.to_string(),
                        LOCATION.into(),
                        format!("{} ({})", settings.schedule, settings.time_zone),
                        TARGET_TYPE.into(),
                        state(record).into(),
                    ]
                });
                let rows: Vec<_> = rows.collect();
                let head = ["ID", "LOCATION", "SCHEDULE (TZ)", "TARGET_TYPE", "STATE"];
                print(&table(head, &rows))?;
                return Ok(ExitCode::SUCCESS);
            }
            Format::Json => DocumentFormat::Json,
            Format::Yaml => DocumentFormat::Yaml,
        };
        let values = records.iter().map(|record| value(record, None)).collect();
        print(&document(&Value::Array(values), format)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
