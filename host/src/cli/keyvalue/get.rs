//! `host keyvalue get`

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::format::print;
use super::BucketArgs;
use crate::store::StoreError;

/// Print a value
///
/// Its bytes go to stdout as they are. On a terminal, what it would act on is escaped, and a line feed follows.
#[derive(Args)]
pub(super) struct Get {
    #[command(flatten)]
    bucket: BucketArgs,

    /// The key
    key: String,
}

impl Get {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let (store, bucket) = self.bucket.find()?;
        let found = store.read_keyvalue(|ledger| ledger.read(&bucket, &self.key))?;
        let found = found.map_err(StoreError::from)?;
        let (_, value) = found.ok_or_else(|| self.bucket.no_key(&self.key))?;
        let mut stdout = std::io::stdout();
        if stdout.is_terminal() {
            print(&format!("{}\n", String::from_utf8_lossy(&value)))?;
            return Ok(ExitCode::SUCCESS);
        }
        match stdout.write_all(&value).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(format!("cannot write to stdout: {error}"))
            }
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}
