//! `host keyvalue set`

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::json;

use super::super::Message;
use super::BucketArgs;
use crate::store::LARGEST_VALUE;
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
        let host = self.bucket.host.client()?;
        let value = match input::is_stdin(Path::new(&self.value)) {
            true => input::stdin("the value", LARGEST_VALUE as u64)?.to_vec(),
            false => self.value.into_vec(),
        };
        let entry = json!({ "value": STANDARD.encode(value) });
        host.put(&self.bucket.entry(&self.key), &entry)?;
        stderr::line!(
            "Set [{}] in [{}].",
            self.key.escape_debug(),
            self.bucket.name.escape_debug()
        );
        Ok(ExitCode::SUCCESS)
    }
}
