//! How `functions logs read` prints stored entries: as a table, JSON Lines or logfmt.

use super::table::{Table, is_stdout_coloured, width};
use super::{StoredEntry, logfmt};

/// An output format for stored entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFormat {
    /// A table, for people
    Table,
    /// JSON Lines, as they are stored
    Json,
    /// KEY=VALUE pairs, one entry a line
    Logfmt,
}

/// Renders stored entries in one format.
pub struct ReadRenderer {
    format: ReadFormat,
    table: Table,
}

impl ReadRenderer {
    /// A renderer for stdout, with a NAME column that is wide enough for `entries`.
    pub fn for_entries(format: ReadFormat, entries: &[StoredEntry]) -> Self {
        let names = entries.iter().map(StoredEntry::source);
        let widest = names.max_by_key(|name| width(name));
        Self::for_stdout(format, &widest.unwrap_or_default())
    }

    /// A renderer for stdout, with a NAME column as wide as `name`. The table is coloured if stdout is a terminal and
    /// `NO_COLOR` (no-color.org) is not set.
    pub fn for_stdout(format: ReadFormat, name: &str) -> Self {
        Self::new(format, name, is_stdout_coloured())
    }

    fn new(format: ReadFormat, name: &str, colour: bool) -> Self {
        Self {
            format,
            table: Table::new(name, colour),
        }
    }

    /// Appends what precedes the first entry: the header of a table.
    pub fn header(&self, out: &mut Vec<u8>) {
        if self.format == ReadFormat::Table {
            self.table.header(out);
        }
    }

    /// Appends `entry` with a line feed.
    pub fn render(&mut self, entry: &StoredEntry, out: &mut Vec<u8>) {
        match self.format {
            ReadFormat::Table => return self.table.stored_row(entry, out),
            ReadFormat::Json => out.extend_from_slice(entry.line.as_bytes()),
            ReadFormat::Logfmt => logfmt::push(entry, out),
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> StoredEntry {
        StoredEntry::parse(line.as_bytes()).expect("a stored line")
    }

    fn rendered(format: ReadFormat, line: &str) -> String {
        let mut out = Vec::new();
        ReadRenderer::new(format, "hello", false).render(&entry(line), &mut out);
        String::from_utf8(out).unwrap()
    }

    const TEXT: &str = r#"{"timestamp":"2026-11-23T14:00:00.125000000Z","severity":"INFO","resource":{"type":"cloud_function","labels":{"function_name":"hello"}},"labels":{"execution_id":"rndmid64qasr"},"trace":"ab","insertId":"1","textPayload":"a \"b\"\u001b[2J=c"}"#;
    const JSON: &str = r#"{"timestamp":"2026-11-23T14:00:00.125000000Z","severity":"WARNING","resource":{"type":"cloud_function","labels":{"function_name":"hello"}},"labels":{"execution_id":"rndmid64qasr"},"insertId":"1","jsonPayload":{"message":"two\nlines","n":7,"bad key=":"x"}}"#;

    #[test]
    fn a_table_has_the_columns_of_gcloud_and_no_control_characters() {
        assert_eq!(
            rendered(ReadFormat::Table, TEXT),
            "I      hello  rndmid64qasr  2026-11-23 14:00:00.125  a \"b\"\\x1b[2J=c\n"
        );
        assert_eq!(
            rendered(ReadFormat::Table, JSON),
            "WARNING  hello  rndmid64qasr  2026-11-23 14:00:00.125  two\\nlines\n"
        );
    }

    #[test]
    fn logfmt_quotes_values_with_delimiters() {
        assert_eq!(
            rendered(ReadFormat::Logfmt, TEXT),
            "time=2026-11-23T14:00:00.125000000Z level=INFO function=hello execution_id=rndmid64qasr trace=ab \
             msg=\"a \\\"b\\\"\\u001b[2J=c\"\n"
        );
        assert_eq!(
            rendered(ReadFormat::Logfmt, JSON),
            "time=2026-11-23T14:00:00.125000000Z level=WARNING function=hello execution_id=rndmid64qasr \
             msg=\"two\\nlines\" payload.bad_key_=x payload.n=7\n"
        );
    }

    #[test]
    fn no_guest_can_forge_a_pair() {
        let forged = r#"{"timestamp":"2026-11-23T14:00:00.125000000Z","severity":"INFO","resource":{"type":"cloud_function","labels":{"function_name":"hello"}},"labels":{"execution_id":"rndmid64qasr","a severity=ERROR b":"x level=ERROR","level":"ERROR","msg":"no"},"trace":"x span_id=1","insertId":"1","jsonPayload":{"":"","execution_id":"forged","message":"hi\" level=ERROR x=\"","time":"2020\nlevel=ERROR"}}"#;
        assert_eq!(
            rendered(ReadFormat::Logfmt, forged),
            "time=2026-11-23T14:00:00.125000000Z level=INFO function=hello \
             labels.a_severity_ERROR_b=\"x level=ERROR\" execution_id=rndmid64qasr labels.level=ERROR labels.msg=no \
             trace=\"x span_id=1\" msg=\"hi\\\" level=ERROR x=\\\"\" payload.=\"\" payload.execution_id=forged \
             payload.time=\"2020\\nlevel=ERROR\"\n"
        );
    }

    #[test]
    fn an_entry_of_another_log_has_the_name_of_the_log() {
        let audit = r#"{"timestamp":"2026-11-23T14:00:00.125000000Z","severity":"NOTICE","logName":"cloudaudit.googleapis.com/activity","resource":{"type":"project","labels":{}},"labels":{"caller":"x"},"insertId":"1","summary":"a did\nm","protoPayload":{"methodName":"m"}}"#;
        assert_eq!(
            rendered(ReadFormat::Table, audit),
            "NOTICE  (activity)                2026-11-23 14:00:00.125  a did\\nm\n"
        );
        assert_eq!(
            rendered(ReadFormat::Logfmt, audit),
            "time=2026-11-23T14:00:00.125000000Z level=NOTICE log=cloudaudit.googleapis.com/activity labels.caller=x \
             msg=\"a did\\nm\" payload.methodName=m\n"
        );
    }

    #[test]
    fn json_is_the_line_as_it_is_stored() {
        assert_eq!(rendered(ReadFormat::Json, JSON), format!("{JSON}\n"));
    }
}
