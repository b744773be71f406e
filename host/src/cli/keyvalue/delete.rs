//! `host keyvalue delete`

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::super::Message;
use super::super::client::encoded;
use super::super::confirm::confirm;
use super::BucketArgs;
use crate::counted::counted;
use crate::stderr;

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
        let host = self.bucket.host.client()?;
        let name = self.bucket.name.escape_debug();
        // Before asking, so that nobody confirms what cannot be done.
        let entries = self.bucket.path("entries");
        for key in &self.keys {
            host.get(&format!("{entries}&key={}", encoded(key)))?;
        }
        if self.all {
            host.get(&format!("{entries}&pageSize=1"))?;
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
        let what = match self.all {
            true => json!({ "all": true }),
            false => json!({ "keys": self.keys }),
        };
        let answer = host.post(&self.bucket.path("entries:delete"), &what)?;
        let deleted = answer["deleted"]
            .as_u64()
            .and_then(|deleted| deleted.try_into().ok());
        let deleted = counted(deleted.unwrap_or_default(), "key");
        stderr::line!("Deleted {deleted} of [{name}].");
        Ok(ExitCode::SUCCESS)
    }
}
