//! The log as its reader sees it: the rows of the table.

use crate::{Host, Reply};

/// Width of the columns that have one: LEVEL, EXECUTION_ID, TIME_UTC.
const LEVEL: usize = 5;
const EXECUTION_ID: usize = 12;
const TIME: usize = 23;

/// One log entry as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `D`, `I`, `E`, or the name of another severity.
    pub level: String,
    /// The function's name.
    pub name: String,
    /// The execution's id.
    pub execution_id: String,
    /// As in `2026-11-23 14:00:00.123`.
    pub time: String,
    /// What it says; the host's own words may have several lines.
    pub text: String,
}

impl Row {
    /// Reads the first line of an entry that belongs to an execution.
    fn parse(line: &str) -> Option<Self> {
        let (level, rest) = line.split_once(' ')?;
        let rest = rest.trim_start();
        let (name, rest) = rest.split_once(' ')?;
        let rest = rest.trim_start();
        let (execution_id, rest) = (rest.get(..EXECUTION_ID)?, rest.get(EXECUTION_ID + 2..)?);
        let (time, text) = (rest.get(..TIME)?, rest.get(TIME + 2..)?);
        let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_id(execution_id) && time.starts_with("20")).then(|| Self {
            level: level.to_owned(),
            name: name.to_owned(),
            execution_id: execution_id.to_owned(),
            time: time.to_owned(),
            text: text.to_owned(),
        })
    }

    /// How far the LOG column stands to the right.
    fn indent(&self) -> usize {
        LEVEL + 2 + self.name.len().max(4) + 2 + EXECUTION_ID + 2 + TIME + 2
    }
}

impl Host {
    /// All entries of the execution that made `reply`, as soon as it has ended.
    #[track_caller]
    pub fn entries_of(&self, reply: &Reply) -> Vec<Row> {
        self.entries_of_execution(reply.execution_id())
    }

    /// All entries of the execution called `id`, as soon as it has ended.
    #[track_caller]
    pub fn entries_of_execution(&self, id: &str) -> Vec<Row> {
        self.wait_for_log(|line| line.contains(id) && line.contains("Function execution took"));
        let mut rows: Vec<Row> = Vec::new();
        let mut follows = false;
        for line in self.log() {
            match (Row::parse(&line), rows.last_mut()) {
                (Some(row), _) => {
                    follows = row.execution_id == id;
                    rows.extend(follows.then_some(row));
                }
                (None, Some(row)) if follows => {
                    row.text.push('\n');
                    row.text.push_str(line.get(row.indent()..).unwrap_or(&line));
                }
                _ => {}
            }
        }
        rows
    }

    /// What the execution that made `reply` printed and what was said of it, without its first and last entry: level
    /// and text of each.
    #[track_caller]
    pub fn printed_by(&self, reply: &Reply) -> Vec<(String, String)> {
        let entries = self.entries_of(reply);
        let [_start, printed @ .., _finish] = entries.as_slice() else {
            panic!("an execution starts and finishes: {entries:?}");
        };
        printed
            .iter()
            .map(|row| (row.level.clone(), row.text.clone()))
            .collect()
    }

    /// How the finish entry of the execution that made `reply` ends: `status code: 200`, or `status: 'timeout'`.
    #[track_caller]
    pub fn finish_of(&self, reply: &Reply) -> String {
        let entries = self.entries_of(reply);
        let finish = entries
            .last()
            .and_then(|row| row.text.split_once(", finished with "));
        match finish {
            Some((_, status)) => status.to_owned(),
            None => panic!("the last entry is no finish: {entries:?}"),
        }
    }

    /// Waits until `count` executions have a start entry.
    #[track_caller]
    pub fn wait_for_starts(&self, count: usize) {
        let mut started = 0;
        self.wait_for_log(|line| {
            started += usize::from(line.ends_with("Function execution started"));
            started >= count
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_by_its_columns() {
        let line = "I      hello  rndmid64qasr  2026-11-23 14:00:00.125  Hello  Scheduler!";
        let row = Row::parse(line).expect("it is a row");
        assert_eq!((row.level.as_str(), row.name.as_str()), ("I", "hello"));
        assert_eq!(row.execution_id, "rndmid64qasr");
        assert_eq!(row.time, "2026-11-23 14:00:00.125");
        assert_eq!(row.text, "Hello  Scheduler!");
        assert_eq!(line.get(row.indent()..), Some("Hello  Scheduler!"));
    }

    #[test]
    fn the_header_and_further_lines_of_an_entry_are_no_rows() {
        for line in [
            "LEVEL  NAME   EXECUTION_ID  TIME_UTC                 LOG",
            "                                                        0:   0x1562 - recurses.wasm!descend",
        ] {
            assert_eq!(Row::parse(line), None, "{line}");
        }
    }
}
