//! `host keyvalue list`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::super::Message;
use super::super::listing::{Item, Listed};
use super::BucketArgs;
use crate::store::{PAGE, StoreError};

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
        let (store, bucket) = self.bucket.find()?;
        let mut items = Vec::new();
        let mut after = Some(0);
        // A page at a time, so that a host that serves can go on in between.
        while let Some(number) = after {
            let page = store.read_keyvalue(|ledger| ledger.entries(&bucket, number, PAGE))?;
            let page = page.map_err(StoreError::from)?;
            after = page.last().map(|entry| entry.number);
            items.extend(page.into_iter().map(|entry| Item {
                value: json!({"key": entry.key, "bytes": entry.bytes}),
                row: [entry.key, entry.bytes.to_string()],
            }));
        }
        self.listed.show(["KEY", "BYTES"], items)?;
        Ok(ExitCode::SUCCESS)
    }
}
