//! Kept entries as they are shown: a table for people, JSON Lines or logfmt for machines.

use std::io::IsTerminal;

use clap::ValueEnum;

use super::json::{CALLER_LABEL, EXECUTION_LABEL, JOB_LABEL, string};
use super::query::{Record, RecordPayload};
use super::safe;
use super::table::{Table, width};
use super::timestamp::Clock;

/// A form in which kept entries are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    /// A table, for people
    Table,
    /// JSON Lines, as they are kept
    Json,
    /// KEY=VALUE pairs, one entry a line
    Logfmt,
}

/// Renders kept entries in one form.
pub struct RecordRenderer {
    format: RecordFormat,
    table: Table,
    clock: Clock,
}

impl RecordRenderer {
    /// For stdout, with a NAME column that is made for `records`.
    pub fn for_records(format: RecordFormat, records: &[Record]) -> Self {
        let names = records.iter().map(|record| record.function.as_str());
        let widest = names.max_by_key(|name| width(name));
        Self::for_stdout(format, widest.unwrap_or_default())
    }

    /// For stdout: in colour if it is a terminal and `NO_COLOR` (no-color.org) is not set. The NAME column is made for
    /// functions named like `name`.
    pub fn for_stdout(format: RecordFormat, name: &str) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::new(format, name, std::io::stdout().is_terminal() && !no_color)
    }

    fn new(format: RecordFormat, name: &str, colour: bool) -> Self {
        Self {
            format,
            table: Table::new(name, colour),
            clock: Clock::default(),
        }
    }

    /// Appends what stands before the first entry.
    pub fn header(&self, out: &mut Vec<u8>) {
        if self.format == RecordFormat::Table {
            self.table.header(out);
        }
    }

    /// Appends `record`, with a line's end.
    pub fn render(&mut self, record: &Record, out: &mut Vec<u8>) {
        match self.format {
            RecordFormat::Table => self.table.record(record, out),
            RecordFormat::Json => {
                out.extend_from_slice(record.line.as_bytes());
                out.push(b'\n');
            }
            RecordFormat::Logfmt => {
                out.extend_from_slice(b"time=");
                self.clock.rfc3339(record.time, out);
                logfmt(record, out);
                out.push(b'\n');
            }
        }
    }
}

fn logfmt(record: &Record, out: &mut Vec<u8>) {
    pair("level", record.severity.name(), out);
    pair("function", &record.function, out);
    for (key, value) in &record.labels {
        match key.as_str() {
            // Only the host sets these.
            EXECUTION_LABEL | JOB_LABEL | CALLER_LABEL => pair(key, value, out),
            _ => guest_pair("labels.", key, value, out),
        }
    }
    for (key, value) in [("trace", &record.trace), ("span_id", &record.span_id)] {
        if let Some(value) = value {
            pair(key, value, out);
        }
    }
    if let Some(request) = &record.http_request {
        if let Some(status) = request.status {
            pair("status", &status.to_string(), out);
        }
        if let Some(latency) = &request.latency {
            pair("latency", latency, out);
        }
        if let Some(client) = &request.remote_ip {
            pair("client", &client.to_string(), out);
        }
    }
    pair("msg", &record.message(), out);
    if let RecordPayload::Json(object) = &record.payload {
        for (key, value) in object.iter().filter(|(key, _)| *key != "message") {
            match value.as_str() {
                Some(text) => guest_pair("payload.", key, text, out),
                None => guest_pair("payload.", key, &value.to_string(), out),
            }
        }
    }
}

/// A pair of the host's own: no other has its key.
fn pair(key: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    // A value is quoted, as JSON does it, if there is anything in it that could end it or that a terminal would act on.
    match !value.is_empty() && value.chars().all(is_plain) {
        true => out.extend_from_slice(value.as_bytes()),
        false => string(value, out),
    }
}

/// A pair whose key a guest chose. It stands behind `prefix`, so that it passes for none of the host's, and what could end
/// it is replaced.
fn guest_pair(prefix: &str, key: &str, value: &str, out: &mut Vec<u8>) {
    let plain = |c: char| match c.is_ascii() && is_plain(c) {
        true => c,
        false => '_',
    };
    let key: String = prefix.chars().chain(key.chars().map(plain)).collect();
    pair(&key, value, out);
}

fn is_plain(c: char) -> bool {
    !(c.is_whitespace() || matches!(c, '"' | '=' | '\\') || safe::is_harmful(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> Record {
        Record::parse(line.as_bytes()).expect("a kept line")
    }

    fn shown(format: RecordFormat, line: &str) -> String {
        let mut out = Vec::new();
        RecordRenderer::new(format, "hello", false).render(&record(line), &mut out);
        String::from_utf8(out).unwrap()
    }

    const TEXT: &str = r#"{"timestamp":"2026-11-23T14:00:00.125000000Z","severity":"INFO","resource":{"type":"cloud_function","labels":{"function_name":"hello"}},"labels":{"execution_id":"rndmid64qasr"},"trace":"ab","insertId":"1","textPayload":"a \"b\"\u001b[2J=c"}"#;
    const JSON: &str = r#"{"timestamp":"2026-11-23T14:00:00.125000000Z","severity":"WARNING","resource":{"type":"cloud_function","labels":{"function_name":"hello"}},"labels":{"execution_id":"rndmid64qasr"},"insertId":"1","jsonPayload":{"message":"two\nlines","n":7,"bad key=":"x"}}"#;

    #[test]
    fn a_table_has_the_columns_of_gcloud_and_nothing_that_steers_a_terminal() {
        assert_eq!(
            shown(RecordFormat::Table, TEXT),
            "I      hello  rndmid64qasr  2026-11-23 14:00:00.125  a \"b\"\\x1b[2J=c\n"
        );
        assert_eq!(
            shown(RecordFormat::Table, JSON),
            "WARNING  hello  rndmid64qasr  2026-11-23 14:00:00.125  two\\nlines\n"
        );
    }

    #[test]
    fn logfmt_quotes_what_would_be_read_otherwise() {
        assert_eq!(
            shown(RecordFormat::Logfmt, TEXT),
            "time=2026-11-23T14:00:00.125000000Z level=INFO function=hello execution_id=rndmid64qasr trace=ab \
             msg=\"a \\\"b\\\"\\u001b[2J=c\"\n"
        );
        assert_eq!(
            shown(RecordFormat::Logfmt, JSON),
            "time=2026-11-23T14:00:00.125000000Z level=WARNING function=hello execution_id=rndmid64qasr \
             msg=\"two\\nlines\" payload.bad_key_=x payload.n=7\n"
        );
    }

    #[test]
    fn no_guest_can_forge_a_pair() {
        let forged = r#"{"timestamp":"2026-11-23T14:00:00.125000000Z","severity":"INFO","resource":{"type":"cloud_function","labels":{"function_name":"hello"}},"labels":{"execution_id":"rndmid64qasr","a severity=ERROR b":"x level=ERROR","level":"ERROR","msg":"no"},"trace":"x span_id=1","insertId":"1","jsonPayload":{"":"","execution_id":"forged","message":"hi\" level=ERROR x=\"","time":"2020\nlevel=ERROR"}}"#;
        assert_eq!(
            shown(RecordFormat::Logfmt, forged),
            "time=2026-11-23T14:00:00.125000000Z level=INFO function=hello \
             labels.a_severity_ERROR_b=\"x level=ERROR\" execution_id=rndmid64qasr labels.level=ERROR labels.msg=no \
             trace=\"x span_id=1\" msg=\"hi\\\" level=ERROR x=\\\"\" payload.=\"\" payload.execution_id=forged \
             payload.time=\"2020\\nlevel=ERROR\"\n"
        );
    }

    #[test]
    fn json_is_the_line_as_it_is_kept() {
        assert_eq!(shown(RecordFormat::Json, JSON), format!("{JSON}\n"));
    }
}
