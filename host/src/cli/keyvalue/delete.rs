//! `host keyvalue delete`

use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::confirm::confirm;
use super::BucketArgs;
use crate::counted::counted;
use crate::stderr;
use crate::store::StoreError;

/// Delete keys and their values
#[derive(Args)]
pub(super) struct Delete {
    #[command(flatten)]
    bucket: BucketArgs,

    /// The keys
    #[arg(required_unless_present = "all")]
    keys: Vec<String>,

    /// Delete all of the bucket
    #[arg(long, conflicts_with = "keys")]
    all: bool,

    /// Do not ask
    #[arg(long, short)]
    quiet: bool,
}

impl Delete {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let (store, bucket) = self.bucket.find()?;
        let name = self.bucket.name.escape_debug();
        // Before asking, so that nobody confirms what cannot be done.
        for key in &self.keys {
            let found = store.read_keyvalue(|ledger| ledger.exists(&bucket, key))?;
            if !found.map_err(StoreError::from)? {
                return Err(self.bucket.no_key(key));
            }
        }
        if !self.quiet {
            confirm(&match self.all {
                true => format!("All keys of [{name}] will be deleted."),
                false => format!(
                    "{} of [{name}] will be deleted.",
                    counted(self.keys.len(), "key")
                ),
            })?;
        }
        let deleted = store.write_keyvalue(|ledger| match self.all {
            true => ledger.clear(&bucket),
            false => ledger.delete(&bucket, &self.keys),
        })?;
        let deleted = deleted.map_err(StoreError::from)?;
        stderr::line!("Deleted {} of [{name}].", counted(deleted, "key"));
        Ok(ExitCode::SUCCESS)
    }
}
