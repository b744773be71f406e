//! `host functions describe`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::listing::Shown;
use super::super::state::StateDirectory;
use super::{base_url, state, value};
use crate::store::FunctionName;

/// Show a function: its settings, revision, component and address
#[derive(Args)]
pub(super) struct Describe {
    /// The function
    name: FunctionName,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    state: StateDirectory,
}

impl Describe {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let record = store.function(&self.name)?;
        let state = state(&store, &record)?;
        let value = value(&record, &base_url(&store)?, &state);
        self.shown.show(&value)?;
        Ok(ExitCode::SUCCESS)
    }
}
