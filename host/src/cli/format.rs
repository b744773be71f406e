//! What commands print: aligned tables and YAML for people, JSON for programs.

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::Message;
use crate::safe;

/// How a command prints one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentFormat {
    Json,
    Yaml,
}

/// `rows` below `head`, columns two spaces apart. No cell breaks out of its row.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let head = head.map(str::to_owned);
    let rows = rows.iter().map(|row| row.to_vec());
    columns(
        &std::iter::once(head.to_vec())
            .chain(rows)
            .collect::<Vec<_>>(),
    )
}

/// `rows` of as many cells each, columns two spaces apart. No cell breaks out of its row.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let escaped = |cell: &String| safe::text(cell).into_owned();
    let rows: Vec<Vec<_>> = rows
        .iter()
        .map(|row| row.iter().map(escaped).collect())
        .collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        widths.resize(row.len(), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            // What `format!` pads to is counted in characters.
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// `value` as text with a line feed at its end, and with nothing in it that a terminal would act on.
pub(super) fn document(value: &Value, format: DocumentFormat) -> Result<String, Message> {
    let json = || safe::json(&format!("{value:#}\n")).into_owned();
    if format == DocumentFormat::Json {
        return Ok(json());
    }
    let yaml = super::yaml::text(value).map_err(|error| error.to_string())?;
    // YAML lets stand what JSON can escape, and JSON is YAML.
    Ok(match yaml.contains(safe::is_harmful_in_lines) {
        true => json(),
        false => yaml,
    })
}

/// Prints data, and nothing else, to stdout, with what a terminal would act on escaped. A reader that has seen enough is
/// no failure.
pub(super) fn print(text: &str) -> Result<(), Message> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().write_all(safe::lines(text).as_bytes()) {
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
    fn nothing_that_is_printed_steers_a_terminal_or_passes_for_another_row() {
        let hostile = "a\u{1b}[2J\nb\u{9b}\u{202e}";
        let rows = [[hostile.to_owned(), "1".to_owned()]];
        let table = table(["NAME", "REVISION"], &rows);
        assert_eq!(table.lines().count(), 2, "{table}");
        assert!(!table.contains(safe::is_harmful_in_lines), "{table}");
        let value = serde_json::json!({"name": hostile});
        for format in [DocumentFormat::Json, DocumentFormat::Yaml] {
            let text = document(&value, format).unwrap();
            assert!(!text.contains(safe::is_harmful_in_lines), "{text}");
            let read: Value = serde_saphyr::from_str(&text).unwrap();
            assert_eq!(read, value, "{text}");
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["hello".to_owned(), "1".to_owned()]];
        assert_eq!(
            table(["NAME", "REVISION"], &rows),
            "NAME   REVISION\nhello  1\n"
        );
        // Two columns each, and none for an accent that is written on its own.
        let rows = [
            ["世界".to_owned(), "1".to_owned()],
            ["e\u{301}".to_owned(), "2".to_owned()],
        ];
        assert_eq!(
            table(["A", "B"], &rows),
            "A     B\n世界  1\ne\u{301}     2\n"
        );
    }
}
