//! How `host serve` prints and keeps log entries.

use clap::Args;

use super::super::Message;
use super::super::flags::{Flags, HostSection};
use super::super::state::StateDirectory;
use crate::config::HostSettings;
use crate::logs::{Collector, Retention};
use crate::serve::KeptLog;

#[derive(Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct LogArgs {
    #[command(flatten)]
    pub(super) host: Flags<Logs>,

    /// Do not keep log entries on disk
    #[arg(long, conflicts_with_all = ["log_retention", "log_max_size", "log_flush_interval"])]
    no_keep_logs: bool,
}

pub(super) struct Logs;

impl HostSection for Logs {
    const NAME: &'static str = "Logs";
}

impl LogArgs {
    /// Where and for how long log entries are kept; nowhere if there is no place for the state.
    pub(super) fn kept(&self, host: &HostSettings, state: &StateDirectory) -> Option<KeptLog> {
        if self.no_keep_logs || host.keep_logs == Some(false) {
            return None;
        }
        Some(KeptLog {
            directory: state.log_directory().ok()?,
            keeping: Retention {
                age: host.log_retention,
                bytes: host.log_max_size,
                ..Retention::default()
            },
            flush_interval: host.log_flush_interval,
        })
    }
}

/// Where log entries are sent on to, if they are.
pub(super) fn collector(host: &HostSettings) -> Result<Option<Collector>, Message> {
    let headers = host.otlp_headers.as_deref();
    let authorities = host.otlp_ca.as_deref();
    let Some(endpoint) = &host.otlp_endpoint else {
        return match headers.or(authorities) {
            None => Ok(None),
            Some(_) => Err(
                "there is no collector that headers or authorities are for; expected --otlp-endpoint as well".into(),
            ),
        };
    };
    Collector::new(endpoint, headers, authorities)
        .map(Some)
        .map_err(|error| error.to_string())
}
