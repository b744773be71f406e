//! Entries as rows of a table, for people.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::net::IpAddr;
use std::time::SystemTime;

use unicode_width::UnicodeWidthStr;

use super::{StoredEntry, labels};
use crate::logs::entry::timestamp::push_table_time;
use crate::logs::entry::{Content, Entry, Payload, Severity};
use crate::safe;

const LEVEL_WIDTH: usize = 5;
const NAME_WIDTH: usize = 4;
const ID_WIDTH: usize = 12;
const TIME_WIDTH: usize = 23;
const GAP: &[u8] = b"  ";

/// ECMA-48 SGR.
const DIM: &[u8] = b"\x1b[2m";
const YELLOW: &[u8] = b"\x1b[33m";
const RED: &[u8] = b"\x1b[31m";
const RESET: &[u8] = b"\x1b[0m";

/// Renders the rows of one table.
pub(in crate::logs) struct Table {
    colour: bool,
    /// Grows when a row with a longer name is rendered.
    name_width: usize,
}

impl Table {
    /// A table with a NAME column that is wide enough for `name`.
    pub(super) fn new(name: &str, colour: bool) -> Self {
        Self {
            colour,
            name_width: width(&safe::text(name)).max(NAME_WIDTH),
        }
    }

    /// Appends the line above the rows.
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

    /// Appends the row of `entry`. The level is coloured; debug rows are dim as a whole.
    pub(super) fn row(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        let source = match &entry.payload {
            Payload::Written(written) => Cow::Owned(written.place.short_name()),
            _ => Cow::Borrowed(&*entry.function),
        };
        let cells = Cells {
            severity: entry.severity,
            name: &source,
            id: entry.execution_id(),
            time: entry.time,
        };
        // The end of an anonymous execution has no suffix, to save space.
        let origin = &entry.origin;
        let has_suffix = origin.caller.is_some() || matches!(entry.payload, Payload::Note(_));
        self.cells(cells, out, |indent, out| {
            text(&entry.payload, indent, out);
            if has_suffix {
                push_suffix(origin.caller.as_deref(), origin.client, out);
            }
        });
    }

    /// Appends the row of a stored entry, which looks the same.
    pub(super) fn stored_row(&mut self, entry: &StoredEntry, out: &mut Vec<u8>) {
        let source = entry.source();
        let cells = Cells {
            severity: entry.severity,
            name: &source,
            id: entry.execution_id().unwrap_or_default(),
            time: entry.time,
        };
        let caller = entry.labels.get(labels::CALLER).map(String::as_str);
        // As above: only the end of an execution has a latency.
        let request = entry.http_request.as_ref();
        let request = request.filter(|request| caller.is_some() || request.latency.is_none());
        self.cells(cells, out, |indent, out| {
            match &entry.payload {
                // A guest prints one line at a time, so a text with several lines was logged, or is the host's or a
                // client's.
                Content::Text(text) => lines(text, indent, out),
                Content::Json(_) | Content::Audit { .. } => {
                    safe::push(&entry.message(), out);
                }
            }
            if let Some(request) = request {
                push_suffix(caller, request.remote_ip, out);
            }
        });
    }

    fn cells(
        &mut self,
        cells: Cells<'_>,
        out: &mut Vec<u8>,
        text: impl FnOnce(usize, &mut Vec<u8>),
    ) {
        let colour = self.colour.then(|| colour(cells.severity)).flatten();
        let is_dim = colour == Some(DIM);
        out.extend_from_slice(colour.unwrap_or_default());
        let mut width = cell(cells.severity.label(), LEVEL_WIDTH, out);
        if colour.is_some() && !is_dim {
            out.extend_from_slice(RESET);
        }
        let name = cell(cells.name, self.name_width, out);
        self.name_width = self.name_width.max(name - GAP.len());
        width += name;
        width += cell(cells.id, ID_WIDTH, out);
        push_table_time(cells.time, out);
        out.extend_from_slice(GAP);
        width += TIME_WIDTH + GAP.len();
        text(width, out);
        if is_dim {
            out.extend_from_slice(RESET);
        }
        out.push(b'\n');
    }
}

/// Appends what follows the text: the caller and the client's address.
fn push_suffix(caller: Option<&str>, client: Option<IpAddr>, out: &mut Vec<u8>) {
    if let Some(caller) = caller {
        out.extend_from_slice(b"  caller=");
        safe::push(caller, out);
    }
    if let Some(client) = client {
        // Writing to a `Vec` cannot fail.
        let _ = write!(out, "  client={client}");
    }
}

/// The cells before the text.
struct Cells<'a> {
    severity: Severity,
    name: &'a str,
    id: &'a str,
    time: SystemTime,
}

fn text(payload: &Payload, indent: usize, out: &mut Vec<u8>) {
    match payload {
        // A line feed that a guest printed is escaped.
        Payload::Printed(text) => safe::push(text, out),
        Payload::Structured(structured) => safe::push(&structured.message(), out),
        Payload::Logged(logged) => lines(&logged.text, indent, out),
        Payload::Note(text) => lines(text, indent, out),
        Payload::Written(written) => match &written.content {
            Content::Text(text) => lines(text, indent, out),
            Content::Json(_) | Content::Audit { .. } => safe::push(&written.content.message(), out),
        },
        Payload::Started | Payload::Finished { .. } => {
            // Writing to a `Vec` cannot fail.
            let _ = write!(out, "{payload}");
        }
    }
}

/// Appends a text that may have several lines. Those after the first are indented, so that text quoted
/// from a guest cannot look like a row.
fn lines(text: &str, indent: usize, out: &mut Vec<u8>) {
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push(b'\n');
            out.resize(out.len() + indent, b' ');
        }
        safe::push(line, out);
    }
}

/// Appends `text`, padded to `least` columns, and the gap after it. Returns the number of columns.
fn cell(text: &str, least: usize, out: &mut Vec<u8>) -> usize {
    let text = safe::text(text);
    out.extend_from_slice(text.as_bytes());
    let shown = width(&text);
    let padding = least.saturating_sub(shown) + GAP.len();
    out.resize(out.len() + padding, b' ');
    shown + padding
}

/// How many columns `text` takes on a terminal (UAX 11): some characters take two, some none.
pub(super) fn width(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.width(),
    }
}

/// Whether tables on stdout are coloured: it is a terminal and `NO_COLOR` (no-color.org) is not set.
pub(super) fn is_stdout_coloured() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !no_colour
}

fn colour(severity: Severity) -> Option<&'static [u8]> {
    match severity {
        Severity::Default | Severity::Info | Severity::Notice => None,
        Severity::Debug => Some(DIM),
        Severity::Warning => Some(YELLOW),
        Severity::Error | Severity::Critical | Severity::Alert | Severity::Emergency => Some(RED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::FinishStatus;
    use host_sandbox::{Line, Stream};
    use std::time::{Duration, UNIX_EPOCH};

    fn at(millisecond: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(1_795_442_400_000 + millisecond)
    }

    fn printed(stream: Stream, text: &str) -> Entry {
        let line = Line {
            time: at(125),
            stream,
            text: text.into(),
            context: String::new(),
            remedy: None,
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
        let id = ExecutionId::random();
        let name = || "hello_world".into();
        let mut started = Entry::started(name(), id);
        started.time = at(123);
        let mut hello = printed(Stream::Stdout, "Hello Scheduler!");
        hello.execution = Some(id);
        let took = Duration::from_millis(4);
        let mut finished = Entry::finished(name(), id, took, FinishStatus::Code(200));
        finished.time = at(127);
        assert_eq!(
            rows(&[started, hello, finished], false),
            format!(
                "\
LEVEL  NAME         EXECUTION_ID  TIME_UTC                 LOG
D      hello_world  {id}  2026-11-23 14:00:00.123  Function execution started
I      hello_world  {id}  2026-11-23 14:00:00.125  Hello Scheduler!
D      hello_world  {id}  2026-11-23 14:00:00.127  Function execution took 4 ms, finished with status code: 200
"
            )
        );
    }

    #[test]
    fn a_guest_cannot_forge_rows_or_colours() {
        let text = rows(
            &[printed(Stream::Stdout, "x\nE      forged\x1b[31m\r")],
            true,
        );
        assert_eq!(text.lines().count(), 2);
        assert!(text.ends_with("  x\\nE      forged\\x1b[31m\\r\n"));
    }

    #[test]
    fn a_backtrace_stands_in_the_log_column_whatever_the_level() {
        let mut trap = printed(Stream::Host, "trap\n  0: here");
        for severity in [Severity::Error, Severity::Warning, Severity::Emergency] {
            trap.severity = severity;
            let text = rows(std::slice::from_ref(&trap), false);
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines[1].find("trap"), lines[2].find("  0: here"));
            assert_eq!(lines[2].trim_start(), "0: here");
        }
    }

    #[test]
    fn text_quoted_from_a_guest_is_indented_and_escaped() {
        let text = rows(
            &[printed(Stream::Host, "trap in f\nE      forged\x1b[2J")],
            false,
        );
        let quoted = text.lines().nth(2).unwrap();
        assert!(quoted.starts_with(&" ".repeat(59)));
        assert!(quoted.ends_with("forged\\x1b[2J"));
    }

    #[test]
    fn a_longer_name_widens_its_column_from_there_on() {
        let mut long = printed(Stream::Stdout, "one");
        long.function = "a_much_longer_name".into();
        let text = rows(&[long, printed(Stream::Stdout, "two")], false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1].find("one"), lines[2].find("two"));
    }

    #[test]
    fn columns_are_aligned_for_names_in_any_script() {
        // Wide characters, combining accents, an emoji of several characters, and an escaped character.
        for (name, columns) in [
            ("函数", 4),
            ("e\u{301}te\u{301}", 3),
            ("👩\u{200d}🚀go", 4),
            ("a\x1bb", 6),
        ] {
            let mut entry = printed(Stream::Stdout, "said");
            entry.function = name.into();
            let mut table = Table::new("hello_world", false);
            let mut out = Vec::new();
            table.row(&entry, &mut out);
            let row = String::from_utf8(out).unwrap();
            let before = &row[..row.find(entry.execution_id()).unwrap()];
            assert_eq!(
                width(before),
                LEVEL_WIDTH + 2 + "hello_world".len() + 2,
                "{row}"
            );
            assert_eq!(width(before.trim_end()), LEVEL_WIDTH + 2 + columns, "{row}");
            assert_eq!(Table::new(name, false).name_width, columns.max(NAME_WIDTH));
        }
    }

    #[test]
    fn an_entry_without_an_execution_leaves_its_column_empty() {
        let mut note = Entry::note("f".into(), None, Severity::Info, "about all".into());
        note.time = at(0);
        assert_eq!(
            rows(&[note], false).lines().nth(1),
            Some("I      f                          2026-11-23 14:00:00.000  about all")
        );
    }

    #[test]
    fn in_colour_errors_are_red_and_debug_rows_are_dim() {
        let row = |entry| rows(&[entry], true).lines().nth(1).unwrap().to_owned();
        let error = row(printed(Stream::Stderr, "oops"));
        assert!(error.starts_with("\x1b[31mE      \x1b[0mhello_world  "));
        assert!(error.ends_with("  oops"));
        let started = row(Entry::started("f".into(), ExecutionId::random()));
        assert!(started.starts_with("\x1b[2mD      f "));
        assert!(started.ends_with("Function execution started\x1b[0m"));
        assert!(!row(printed(Stream::Stdout, "hello")).contains('\x1b'));
    }
}
