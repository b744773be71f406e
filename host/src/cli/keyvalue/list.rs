//! `host keyvalue list`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::super::Message;
use super::super::listing::{Item, Listed};
use super::BucketArgs;
use crate::store::StoreError;

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
        let entries = store.read_keyvalue(|ledger| ledger.entries(&bucket, 0, usize::MAX))?;
        let entries = entries.map_err(StoreError::from)?.into_iter();
        let items = entries.map(|entry| Item {
            value: json!({"key": entry.key, "bytes": entry.bytes}),
            row: [entry.key, entry.bytes.to_string()],
        });
        let items = items.collect();
        self.listed.show(["KEY", "BYTES"], items)?;
        Ok(ExitCode::SUCCESS)
    }
}
