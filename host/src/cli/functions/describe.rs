//! `host functions describe`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::format::{DocumentFormat, document, print};
use super::super::state::State;
use super::{base_url, state, value};
use crate::store::FunctionName;

/// Show a function: its settings, revision, component and address
#[derive(Args)]
pub(super) struct Describe {
    /// The function
    name: FunctionName,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = DocumentFormat::Yaml, value_name = "FORMAT")]
    format: DocumentFormat,

    #[command(flatten)]
    state: State,
}

impl Describe {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let record = store
            .function(&self.name)
            .map_err(|error| error.to_string())?;
        let state = state(&store, &record)?;
        let value = value(&record, &base_url(&store)?, &state);
        print(&document(&value, self.format)?)?;
        Ok(ExitCode::SUCCESS)
    }
}
