//! `host functions list`

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::super::Message;
use super::super::format::{DocumentFormat, Format, document, print, table};
use super::super::state::State;
use super::{base_url, state, value};
use crate::stderr;

/// List the functions
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
        let records = store.functions().map_err(|error| error.to_string())?;
        let url = base_url(&store)?;
        let mut rows = Vec::with_capacity(records.len());
        let mut values = Vec::with_capacity(records.len());
        for record in &records {
            let state = state(&store, record)?;
            values.push(value(record, &url, &state));
            let word = state.split(':').next().unwrap_or_default();
            rows.push([
                record.name.to_string(),
                word.to_owned(),
                record.revision.to_string(),
                format!("{url}/{}", record.name),
            ]);
        }
        let format = match self.format {
            Format::Table => {
                if records.is_empty() {
                    stderr::line!("Listed 0 items.");
                    return Ok(ExitCode::SUCCESS);
                }
                print(&table(["NAME", "STATE", "REVISION", "URL"], &rows))?;
                return Ok(ExitCode::SUCCESS);
            }
            Format::Json => DocumentFormat::Json,
            Format::Yaml => DocumentFormat::Yaml,
        };
        print(&document(&Value::Array(values), format)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
