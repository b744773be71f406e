//! How `host serve` prints and keeps log entries.

use std::time::Duration;

use clap::Args;

use super::super::state::State;
use crate::config::HostTable;
use crate::config::values::{bytes, duration};
use crate::logs::{Keeping, LogFormat};
use crate::serve::KeptLog;

#[derive(Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct LogArgs {
    /// How log entries are printed [default: table]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) log_format: Option<LogFormat>,

    /// How long log entries are kept on disk [default: 30d]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    log_retention: Option<Duration>,

    /// How much of the log is kept on disk [default: 10Gi]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    log_max_size: Option<u64>,

    /// Do not keep log entries on disk
    #[arg(long, conflicts_with_all = ["log_retention", "log_max_size"])]
    no_keep_logs: bool,
}

impl LogArgs {
    /// Where and for how long log entries are kept; nowhere if there is no place for the state.
    pub(super) fn kept(&self, host: &HostTable, state: &State) -> Option<KeptLog> {
        if self.no_keep_logs || host.keep_logs == Some(false) {
            return None;
        }
        let mut keeping = Keeping::default();
        if let Some(age) = self.log_retention.or(host.log_retention.map(|age| age.0)) {
            keeping.age = age;
        }
        if let Some(size) = self.log_max_size.or(host.log_max_size.map(|size| size.0)) {
            keeping.bytes = size;
        }
        Some(KeptLog {
            directory: state.log_directory().ok()?,
            keeping,
        })
    }
}
