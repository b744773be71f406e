//! The form in which entries are written to stdout.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::json_line::JsonLines;
use super::table::{Table, is_stdout_coloured};
use crate::logs::entry::{Entry, Payload};

/// An output format for entries on stdout.
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

/// Renders entries in one format.
pub(in crate::logs) enum Renderer {
    Table(Table),
    Json(JsonLines),
}

impl Renderer {
    /// A renderer for stdout, in colour if it is a terminal and `NO_COLOR` (no-color.org) is not set.
    pub(in crate::logs) fn for_stdout(format: LogFormat, name: &str) -> Self {
        Self::new(format, name, is_stdout_coloured())
    }

    pub(in crate::logs) fn new(format: LogFormat, name: &str, colour: bool) -> Self {
        match format {
            LogFormat::Table => Self::Table(Table::new(name, colour)),
            LogFormat::Json => Self::Json(JsonLines::new()),
        }
    }

    /// Appends what precedes the first entry: the header of a table.
    pub(in crate::logs) fn header(&self, out: &mut Vec<u8>) {
        if let Self::Table(table) = self {
            table.header(out);
        }
    }

    /// Appends `entry` with a line feed. The table is for people who watch their functions, so it leaves out entries of
    /// other logs.
    pub(in crate::logs) fn render(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        match self {
            Self::Table(_) if matches!(entry.payload, Payload::Written(_)) => {}
            Self::Table(table) => table.row(entry, out),
            Self::Json(lines) => lines.line(entry, out),
        }
    }
}
