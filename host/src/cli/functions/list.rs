//! `host functions list`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::listing::{Item, Listed};
use super::super::state::StateDirectory;
use super::{base_url, state, value};
use crate::counted::counted;
use crate::store::FunctionSettings;

/// List the functions
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
        let records = store.functions().map_err(|error| error.to_string())?;
        let url = base_url(&store)?;
        let mut items = Vec::with_capacity(records.len());
        for record in &records {
            let state = state(&store, record)?;
            let row = [
                record.name.to_string(),
                state.to_string(),
                record.revision.to_string(),
                invokers(&record.settings),
                format!("{url}/{}", record.name),
            ];
            let value = value(record, &url, &state);
            items.push(Item { value, row });
        }
        let head = ["NAME", "STATE", "REVISION", "INVOKERS", "URL"];
        self.listed.show(head, items)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Who may call a function, in a word.
fn invokers(settings: &FunctionSettings) -> String {
    let mut names = settings.invokers.iter();
    match (names.len(), settings.invoker_rules.len()) {
        _ if settings.allow_unauthenticated => "anyone".into(),
        (0, 0) => "nobody".into(),
        (1, 0) => names.next().cloned().unwrap_or_default(),
        (names, 0) => format!("{names} members"),
        (0, rules) => counted(rules, "rule"),
        (names, rules) => format!("{}, {}", counted(names, "member"), counted(rules, "rule")),
    }
}
