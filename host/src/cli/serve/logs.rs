//! How `host serve` prints and keeps log entries.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::super::Message;
use super::super::state::State;
use crate::config::HostTable;
use crate::config::values::{FlushInterval, bytes, duration};
use crate::logs::{Collector, FLUSH_INTERVAL, LogFormat, Retention};
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

    /// How long a log entry may wait to be written to disk: kill -9 loses none that is older [default: 200ms]
    #[arg(long, value_name = "TIME")]
    log_flush_interval: Option<FlushInterval>,

    /// Do not keep log entries on disk
    #[arg(long, conflicts_with_all = ["log_retention", "log_max_size", "log_flush_interval"])]
    no_keep_logs: bool,

    /// Send log entries, and a span for each execution, to this collector as well: OTLP over HTTP, such as
    /// http://127.0.0.1:4318
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,

    /// Send the headers of this file along, one `name: value` a line
    #[arg(long, value_name = "FILE")]
    otlp_headers: Option<PathBuf>,

    /// Trust these certificate authorities (PEM) as well, of the collector
    #[arg(long, value_name = "FILE")]
    otlp_ca: Option<PathBuf>,
}

impl LogArgs {
    /// Where and for how long log entries are kept; nowhere if there is no place for the state.
    pub(super) fn kept(&self, host: &HostTable, state: &State) -> Option<KeptLog> {
        if self.no_keep_logs || host.keep_logs == Some(false) {
            return None;
        }
        let mut keeping = Retention::default();
        if let Some(age) = self.log_retention.or(host.log_retention.map(|age| age.0)) {
            keeping.age = age;
        }
        if let Some(size) = self.log_max_size.or(host.log_max_size.map(|size| size.0)) {
            keeping.bytes = size;
        }
        let interval = self.log_flush_interval.or(host.log_flush_interval);
        Some(KeptLog {
            directory: state.log_directory().ok()?,
            keeping,
            flush_interval: interval.map_or(FLUSH_INTERVAL, |interval| interval.0),
        })
    }

    /// Where log entries are sent on to, if they are.
    pub(super) fn collector(&self, host: &HostTable) -> Result<Option<Collector>, Message> {
        let endpoint = self.otlp_endpoint.as_ref().or(host.otlp_endpoint.as_ref());
        let headers = self.otlp_headers.as_ref().or(host.otlp_headers.as_ref());
        let authorities = self.otlp_ca.as_ref().or(host.otlp_ca.as_ref());
        let Some(endpoint) = endpoint else {
            return match headers.or(authorities) {
                None => Ok(None),
                Some(_) => Err(
                    "there is no collector that headers or authorities are for; expected --otlp-endpoint as well".into(),
                ),
            };
        };
        let authorities = authorities.map(PathBuf::as_path);
        Collector::new(endpoint, headers.map(PathBuf::as_path), authorities)
            .map(Some)
            .map_err(|error| error.to_string())
    }
}
