//! `host keyvalue get`

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::super::Message;
use super::super::format::print;
use super::BucketArgs;

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
        let host = self.bucket.host.client()?;
        let entry = host.get(&self.bucket.entry(&self.key))?;
        let value = STANDARD.decode(entry["value"].as_str().unwrap_or_default());
        let value = value.map_err(|error| format!("the answer has no value: {error}"))?;
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
