//! Entries as rows of a table, for people.

use std::ops::Range;

use super::entry::{Entry, Payload};
use super::safe;
use super::severity::Severity;
use super::timestamp::Clock;

const LEVEL_WIDTH: usize = 5;
const NAME_WIDTH: usize = 4;
const ID_WIDTH: usize = 12;
const TIME_WIDTH: usize = 23;
const GAP: &[u8] = b"  ";

const RESET: &[u8] = b"\x1b[0m";

/// Writes rows of one table.
pub(super) struct Table {
    colour: bool,
    name_width: usize,
    clock: Clock,
}

impl Table {
    /// A table whose NAME column suits functions named like `name`.
    pub(super) fn new(name: &str, colour: bool) -> Self {
        Self {
            colour,
            name_width: name.chars().count().max(NAME_WIDTH),
            clock: Clock::default(),
        }
    }

    /// The line above the rows.
    pub(super) fn header(&self, out: &mut Vec<u8>) {
        let line = format!(
            "{:LEVEL_WIDTH$}  {:name_width$}  {:ID_WIDTH$}  {:TIME_WIDTH$}  LOG\n",
            "LEVEL",
            "NAME",
            "EXECUTION_ID",
            "TIME_UTC",
            name_width = self.name_width,
        );
        out.extend_from_slice(line.as_bytes());
    }

    /// Appends the row of `entry`.
    pub(super) fn row(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        let colour = self.colour.then(|| colour(entry.severity)).flatten();
        if let Some(colour) = colour {
            out.extend_from_slice(colour);
        }
        let start = out.len();
        cell(entry.severity.label(), LEVEL_WIDTH, out);
        cell(&entry.function, self.name_width, out);
        cell(entry.execution_id(), ID_WIDTH, out);
        self.clock.table(entry.time, out);
        out.extend_from_slice(GAP);
        let before = start..out.len();
        text(entry, before, out);
        if colour.is_some() {
            out.extend_from_slice(RESET);
        }
        out.push(b'\n');
    }
}

/// Only the host's own words may have several lines; they stand below each other. A guest's line feed is escaped, so that
/// it cannot make up rows.
fn text(entry: &Entry, before: Range<usize>, out: &mut Vec<u8>) {
    let text = entry.text();
    let Payload::Note(_) = entry.payload else {
        return safe::push(&text, out);
    };
    let indent = String::from_utf8_lossy(&out[before]).chars().count();
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push(b'\n');
            out.resize(out.len() + indent, b' ');
        }
        safe::push(line, out);
    }
}

fn cell(text: &str, width: usize, out: &mut Vec<u8>) {
    safe::push(text, out);
    let padding = width.saturating_sub(text.chars().count()) + GAP.len();
    out.resize(out.len() + padding, b' ');
}

/// ECMA-48 SGR: dim for the host's routine, yellow and red for trouble.
fn colour(severity: Severity) -> Option<&'static [u8]> {
    match severity {
        Severity::Default | Severity::Info | Severity::Notice => None,
        Severity::Debug => Some(b"\x1b[2m"),
        Severity::Warning => Some(b"\x1b[33m"),
        Severity::Error | Severity::Critical | Severity::Alert | Severity::Emergency => {
            Some(b"\x1b[31m")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{ExecutionId, Line, Stream};
    use std::time::{Duration, UNIX_EPOCH};

    fn printed(stream: Stream, text: &str) -> Entry {
        let line = Line {
            time: UNIX_EPOCH + Duration::from_millis(1_795_442_400_125),
            stream,
            text: text.into(),
        };
        Entry::printed("hello_world".into(), ExecutionId::random(), line)
    }

    fn rows(entries: &[Entry], colour: bool) -> String {
        let mut table = Table::new("hello_world", colour);
        let mut out = Vec::new();
        table.header(&mut out);
        for entry in entries {
            table.row(entry, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_have_the_shape_of_functions_logs_read() {
        let entry = printed(Stream::Stdout, "Hello Scheduler!");
        let id = entry.execution_id().to_owned();
        assert_eq!(
            rows(&[entry], false),
            format!(
                "LEVEL  NAME         EXECUTION_ID  TIME_UTC                 LOG\n\
                 I      hello_world  {id}  2026-11-23 14:00:00.125  Hello Scheduler!\n"
            )
        );
    }

    #[test]
    fn a_guest_cannot_make_up_rows_or_colours() {
        let text = rows(&[printed(Stream::Stdout, "x\nE      forged\x1b[31m")], true);
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn a_backtrace_stands_in_the_log_column() {
        let text = rows(&[printed(Stream::Host, "trap\n  0: here")], false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1].find("trap"),
            Some(lines[2].find("  0: here").unwrap())
        );
    }

    #[test]
    fn errors_are_red_where_there_is_colour() {
        let text = rows(&[printed(Stream::Stderr, "oops")], true);
        assert!(text.contains("\x1b[31mE ") && text.ends_with("oops\x1b[0m\n"));
    }
}
