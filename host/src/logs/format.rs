//! In which form entries are written.

use std::io::{self, IsTerminal};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entry::Entry;
use super::json::JsonLines;
use super::table::Table;

/// A form of log entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// A table, for people
    Table,
    /// JSON Lines with Cloud Logging's field names, for machines
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            _ => Err(format!(
                "`{text}` is no format of log entries; expected table or json"
            )),
        }
    }
}

/// Renders entries in one form.
pub(super) enum Renderer {
    Table(Table),
    Json(JsonLines),
}

impl Renderer {
    /// For stdout: in colour if it is a terminal and `NO_COLOR` (no-color.org) is not set.
    pub(super) fn for_stdout(format: LogFormat, name: &str) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::new(format, name, io::stdout().is_terminal() && !no_color)
    }

    pub(super) fn new(format: LogFormat, name: &str, colour: bool) -> Self {
        match format {
            LogFormat::Table => Self::Table(Table::new(name, colour)),
            LogFormat::Json => Self::Json(JsonLines::new()),
        }
    }

    /// What stands before the first entry.
    pub(super) fn header(&self, out: &mut Vec<u8>) {
        if let Self::Table(table) = self {
            table.header(out);
        }
    }

    pub(super) fn render(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        match self {
            Self::Table(table) => table.row(entry, out),
            Self::Json(lines) => lines.line(entry, out),
        }
    }
}
