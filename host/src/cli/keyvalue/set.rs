//! `host keyvalue set`

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::BucketArgs;
use crate::store::{LARGEST_VALUE, Quota, StoreError};
use crate::{input, stderr};

/// Set a value
///
/// The quotas of functions do not bind this command. A shared bucket that is not there is made.
#[derive(Args)]
pub(super) struct Set {
    #[command(flatten)]
    bucket: BucketArgs,

    /// The key
    key: String,

    /// The value, or `-` for standard input
    #[arg(allow_hyphen_values = true)]
    value: OsString,
}

impl Set {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let (store, bucket) = self.bucket.find_or_new()?;
        let value = match input::is_stdin(Path::new(&self.value)) {
            true => input::stdin("the value", LARGEST_VALUE as u64)?.to_vec(),
            false => self.value.into_vec(),
        };
        let entry = (self.key, value);
        let set = store.write_keyvalue(|ledger| {
            ledger.set(&bucket, std::slice::from_ref(&entry), Quota::UNLIMITED)
        })?;
        set.map_err(StoreError::from)?;
        stderr::line!(
            "Set [{}] in [{}].",
            entry.0.escape_debug(),
            self.bucket.name.escape_debug()
        );
        Ok(ExitCode::SUCCESS)
    }
}
