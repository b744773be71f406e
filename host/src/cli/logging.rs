//! `host logging`

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;
use super::functions::Reader;
use crate::api::{Criteria, EVERY_LOG};
use crate::logs::AUDIT_LOG;

/// Read all logs: of functions, of clients, and who changed what
#[derive(Args)]
pub(super) struct Logging {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Read(Box<Read>),
}

/// Show entries of all logs
///
/// The last ones that meet all that is said, oldest first. It does not matter whether a host serves.
#[derive(Args)]
struct Read {
    /// A filter in Google's Logging query language, such as 'severity>=ERROR'
    filter: Option<String>,

    /// Of the log with this id
    #[arg(long, value_name = "ID")]
    log: Option<String>,

    /// Of the audit log: who changed what, and who was refused
    #[arg(long, conflicts_with = "log")]
    audit: bool,

    #[command(flatten)]
    reader: Reader,
}

impl Logging {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Read(read) => read.run(),
        }
    }
}

impl Read {
    fn run(self) -> Result<ExitCode, Message> {
        let log = self.audit.then(|| AUDIT_LOG.to_owned()).or(self.log);
        self.reader.run(Criteria {
            log: Some(log.unwrap_or_else(|| EVERY_LOG.into())),
            filter: self.filter,
            ..Criteria::default()
        })
    }
}
