//! What `host serve` says of itself on stderr.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::config::HostTable;
use crate::diagnostics::{self, DiagnosticsFormat, LogLevel};

#[derive(Args)]
#[command(next_help_heading = "Diagnostics")]
pub(super) struct DiagnosticsArgs {
    /// How much the process says of itself on stderr [default: info]
    #[arg(long, value_name = "LEVEL", value_parser = levels())]
    log_level: Option<LogLevel>,

    /// How it is printed: a line of text, or a JSON object on a line [default: text]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    diagnostics_format: Option<DiagnosticsFormat>,
}

impl DiagnosticsArgs {
    /// Begins to say it.
    pub(super) fn begin(&self, host: &HostTable) {
        let level = self.log_level.or(host.log_level);
        let format = self.diagnostics_format.or(host.diagnostics_format);
        diagnostics::begin(level.unwrap_or_default(), format.unwrap_or_default());
    }
}

fn levels() -> impl TypedValueParser<Value = LogLevel> {
    PossibleValuesParser::new(["error", "warn", "info", "debug"]).map(|name| match &*name {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "debug" => LogLevel::Debug,
        _ => LogLevel::Info,
    })
}

fn formats() -> impl TypedValueParser<Value = DiagnosticsFormat> {
    PossibleValuesParser::new(["text", "json"]).map(|name| match &*name {
        "json" => DiagnosticsFormat::Json,
        _ => DiagnosticsFormat::Text,
    })
}
