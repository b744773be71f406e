//! What commands print: aligned tables and YAML for people, JSON for programs.

use clap::ValueEnum;
use serde_json::Value;

use super::Message;

/// How a command prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// An aligned table
    Table,
    /// JSON
    Json,
    /// YAML
    Yaml,
}

/// How a command prints one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DocumentFormat {
    /// JSON
    Json,
    /// YAML
    Yaml,
}

/// `rows` below `head`, columns two spaces apart.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let lines = std::iter::once(&head).chain(rows);
    columns(&lines.map(|row| row.to_vec()).collect::<Vec<_>>())
}

/// `rows` of as many cells each, columns two spaces apart.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let length = |cell: &String| cell.chars().count();
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(row.len(), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = length(cell).max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// `value` as text with a line feed at its end.
pub(super) fn document(value: &Value, format: DocumentFormat) -> Result<String, Message> {
    match format {
        DocumentFormat::Json => Ok(format!("{value:#}\n")),
        DocumentFormat::Yaml => serde_yaml_ng::to_string(value).map_err(|error| error.to_string()),
    }
}

/// Prints data, and nothing else, to stdout. A reader that has seen enough is no failure.
pub(super) fn print(text: &str) -> Result<(), Message> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("cannot write to stdout: {error}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["hello".to_owned(), "1".to_owned()]];
        assert_eq!(
            table(["NAME", "REVISION"], &rows),
            "NAME   REVISION\nhello  1\n"
        );
    }
}
