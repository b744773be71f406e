//! `host keyvalue list`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::listing::{Item, Listed};
use super::BucketArgs;

/// List the keys, in the order in which they came
#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    bucket: BucketArgs,

    #[command(flatten)]
    listed: Listed,
}

impl List {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.bucket.host.client()?;
        let entries = host.list(&self.bucket.path("entries"), "entries", usize::MAX)?;
        let items = entries.into_iter().map(|value| {
            let key = value["key"].as_str().unwrap_or_default().to_owned();
            let row = [key, value["bytes"].to_string()];
            Item { value, row }
        });
        let items = items.collect();
        self.listed.show(["KEY", "BYTES"], items)?;
        Ok(ExitCode::SUCCESS)
    }
}
