//! `host functions list`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::client::ClientArgs;
use super::super::listing::{Item, Listed};
use super::{Invokers, text};

/// List the functions
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
        let path = format!("{}/functions", host.location("host/v1"));
        let functions = host.list(&path, "functions", usize::MAX)?;
        let items = functions.into_iter().map(|value| {
            let row = [
                text(&value["name"]).to_owned(),
                text(&value["state"]).to_owned(),
                value["revision"].to_string(),
                Invokers::of(&value).to_string(),
                text(&value["url"]).to_owned(),
            ];
            Item { value, row }
        });
        let head = ["NAME", "STATE", "REVISION", "INVOKERS", "URL"];
        self.listed.show(head, items.collect())?;
        Ok(ExitCode::SUCCESS)
    }
}
