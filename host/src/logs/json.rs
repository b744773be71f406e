//! Entries as JSON Lines, for machines, with the field names of Cloud Logging's `LogEntry`.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::entry::{Entry, FinishStatus, Payload};
use super::head;
use super::safe;
use super::structured::Structured;
use super::timestamp::Clock;

/// The label with the execution's id. Only the host sets it.
pub(super) const EXECUTION_LABEL: &str = "execution_id";
/// The label with the name of the job that caused the execution, as Cloud Scheduler names it. Only the host sets it.
pub(super) const JOB_LABEL: &str = "job_id";

/// The labels that a guest cannot set.
const OWN_LABELS: [&str; 3] = [EXECUTION_LABEL, JOB_LABEL, CALLER_LABEL];
/// The label with the caller of a private function. Only the host sets it.
pub(super) const CALLER_LABEL: &str = "caller";

/// Writes entries as JSON, one a line. No line is written by anything else.
#[derive(Debug)]
pub struct JsonLines {
    clock: Clock,
    /// Begins the ids of this process: when it began, so that later ones sort after it, and a random number, so that
    /// they differ from those of a process that began in the same millisecond.
    process: String,
    count: u64,
}

impl Default for JsonLines {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonLines {
    /// For the entries of this process.
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let began = since.unwrap_or_default().as_millis();
        Self {
            clock: Clock::default(),
            process: format!("{began:012x}{:08x}", rand::random::<u32>()),
            count: 0,
        }
    }

    /// Appends the line of `entry`. Its head is first and what the guest says is last.
    pub fn line(&mut self, entry: &Entry, out: &mut Vec<u8>) {
        head::write(entry, &mut self.clock, out);
        labels(entry, out);
        let structured = match &entry.payload {
            Payload::Structured(structured) => Some(&**structured),
            _ => None,
        };
        trace(entry, structured, out);
        out.extend_from_slice(b",\"insertId\":");
        match structured.and_then(|structured| structured.insert_id.as_deref()) {
            Some(id) => string(id, out),
            None => self.insert_id(out),
        }
        http_request(entry, out);
        payload(&entry.payload, out);
        out.extend_from_slice(b"}\n");
    }

    /// An id that no other entry has, and that sorts as the entries were written.
    fn insert_id(&mut self, out: &mut Vec<u8>) {
        self.count += 1;
        out.push(b'"');
        out.extend_from_slice(self.process.as_bytes());
        // Six bytes count further than any process writes.
        hex(&self.count.to_be_bytes()[2..], out);
        out.push(b'"');
    }
}

/// The host's own labels come first, and a guest cannot set them.
fn labels(entry: &Entry, out: &mut Vec<u8>) {
    let mut separator: &[u8] = b",\"labels\":{";
    let mut label = |key: &str, value: &str| {
        out.extend_from_slice(separator);
        string(key, out);
        out.push(b':');
        string(value, out);
        separator = b",";
    };
    if entry.execution.is_some() {
        label(EXECUTION_LABEL, entry.execution_id());
    }
    if let Some(job) = &entry.job {
        label(JOB_LABEL, job);
    }
    if let Some(caller) = &entry.origin.caller {
        label(CALLER_LABEL, caller);
    }
    if let Payload::Structured(structured) = &entry.payload {
        for (key, value) in &structured.labels {
            if !OWN_LABELS.contains(&key.as_str()) {
                label(key, value);
            }
        }
    }
    if separator == b"," {
        out.push(b'}');
    }
}

/// The trace that the guest names, or the one of its execution; and the span that it names there. The execution's own
/// span is in no other trace.
fn trace(entry: &Entry, structured: Option<&Structured>, out: &mut Vec<u8>) {
    let said_trace = structured.and_then(|structured| structured.trace.as_deref());
    let said_span = structured.and_then(|structured| structured.span_id.as_deref());
    let own = entry.trace.filter(|_| said_trace.is_none());
    if let Some(trace) = said_trace {
        out.extend_from_slice(b",\"trace\":");
        string(trace, out);
    } else if let Some(own) = own {
        out.extend_from_slice(b",\"trace\":\"");
        hex(&own.trace_id, out);
        out.push(b'"');
    }
    if let Some(span) = said_span {
        out.extend_from_slice(b",\"spanId\":");
        string(span, out);
    } else if let Some(own) = own {
        out.extend_from_slice(b",\"spanId\":\"");
        hex(&own.span_id, out);
        out.push(b'"');
    }
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

fn payload(payload: &Payload, out: &mut Vec<u8>) {
    match payload {
        Payload::Structured(structured) => {
            out.extend_from_slice(b",\"jsonPayload\":");
            json(&structured.payload, out);
        }
        Payload::Printed(text) | Payload::Note(text) => {
            out.extend_from_slice(b",\"textPayload\":");
            string(text, out);
        }
        Payload::Started | Payload::Finished { .. } => {
            // The host's own words hold nothing to escape, and a `Vec` takes every write.
            let _ = write!(out, ",\"textPayload\":\"{payload}\"");
        }
    }
}

/// `HttpRequest` of Cloud Logging, as far as outcome and origin tell it. A failure in a word has no status code.
fn http_request(entry: &Entry, out: &mut Vec<u8>) {
    let mut separator: &[u8] = b",\"httpRequest\":{";
    // A `Vec` takes every write.
    if let Payload::Finished { took, status, .. } = &entry.payload {
        out.extend_from_slice(separator);
        if let FinishStatus::Code(code) = status {
            let _ = write!(out, "\"status\":{code},");
        }
        let (seconds, nanos) = (took.as_secs(), took.subsec_nanos());
        let _ = write!(out, "\"latency\":\"{seconds}.{nanos:09}s\"");
        separator = b",";
    }
    if let Some(client) = entry.origin.client {
        out.extend_from_slice(separator);
        let _ = write!(out, "\"remoteIp\":\"{client}\"");
        separator = b",";
    }
    if separator == b"," {
        out.push(b'}');
    }
}

/// Appends `text` as a JSON string.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    json(text, out);
}

fn json(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    // A `Vec` takes every write, and strings and JSON values are always JSON.
    let _ = value.serialize(&mut Serializer::with_formatter(out, ForTerminals));
}

/// JSON lets the controls beyond ASCII stand as they are, but a terminal obeys them: they are escaped too.
struct ForTerminals;

impl Formatter for ForTerminals {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut rest = fragment;
        if !safe::is_printable_ascii(rest) {
            while let Some(at) = rest.find(safe::is_harmful) {
                let (before, from) = rest.split_at(at);
                writer.write_all(before.as_bytes())?;
                let mut after = from.chars();
                // All of them are in the Basic Multilingual Plane, so that one escape is enough.
                if let Some(c) = after.next() {
                    write!(writer, "\\u{:04x}", u32::from(c))?;
                }
                rest = after.as_str();
            }
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::{Origin, Severity, Trace};
    use host_sandbox::{Line, Stream};
    use serde_json::{Value, json};

    fn render(entries: &[Entry]) -> Vec<String> {
        let mut lines = JsonLines::new();
        let mut out = Vec::new();
        for entry in entries {
            lines.line(entry, &mut out);
        }
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn printed(text: &str) -> Entry {
        let line = Line {
            time: UNIX_EPOCH + Duration::from_nanos(1_795_442_400_123_456_789),
            stream: Stream::Stderr,
            text: text.into(),
            remedy: None,
        };
        Entry::printed("hello".into(), ExecutionId::random(), line)
    }

    fn parse(line: &str) -> Value {
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn fields_are_named_as_in_cloud_logging() {
        let entry = printed("oops");
        let mut value = parse(&render(std::slice::from_ref(&entry))[0]);
        let id = value.as_object_mut().unwrap().remove("insertId");
        assert_eq!(id.unwrap().as_str().unwrap().len(), 32);
        assert_eq!(
            value,
            json!({
                "timestamp": "2026-11-23T14:00:00.123456789Z",
                "severity": "ERROR",
                "textPayload": "oops",
                "labels": {"execution_id": entry.execution_id()},
                "resource": {"type": "cloud_function", "labels": {"function_name": "hello"}},
            })
        );
    }

    #[test]
    fn an_entry_of_no_execution_has_no_labels() {
        let note = Entry::note("hello".into(), None, Severity::Warning, "full".into());
        assert_eq!(parse(&render(&[note])[0]).get("labels"), None);
    }

    #[test]
    fn the_hosts_words_are_valid_json() {
        let (took, status) = (Duration::ZERO, FinishStatus::Word("out of memory"));
        let entry = Entry::finished("hello".into(), ExecutionId::random(), took, status);
        assert_eq!(
            parse(&render(&[entry])[0])["textPayload"],
            "Function execution took 0 ms, finished with status: 'out of memory'"
        );
    }

    #[test]
    fn a_finish_tells_status_and_latency_in_the_words_of_http_request() {
        let took = Duration::from_micros(1_004_700);
        let finished = |status| Entry::finished("f".into(), ExecutionId::random(), took, status);
        let request = |status| parse(&render(&[finished(status)])[0])["httpRequest"].clone();
        assert_eq!(
            request(FinishStatus::Code(503)),
            json!({"status": 503, "latency": "1.004700000s"})
        );
        assert_eq!(
            request(FinishStatus::Word("timeout")),
            json!({"latency": "1.004700000s"})
        );
    }

    #[test]
    fn caller_and_client_stand_on_the_end_of_an_execution_and_on_a_refusal() {
        let origin = Origin {
            caller: Some("principal:https://a.example#ada\u{1b}[2J".into()),
            client: Some([192, 0, 2, 1].into()),
        };
        let (took, status) = (Duration::ZERO, FinishStatus::Code(200));
        let finished = Entry::finished("f".into(), ExecutionId::random(), took, status);
        let lines = render(&[
            finished.from_origin(origin.clone()),
            Entry::note("f".into(), None, Severity::Warning, "no".into()).from_origin(Origin {
                caller: None,
                ..origin
            }),
        ]);
        assert!(!lines[0].contains('\u{1b}'));
        let [finished, refused] = [parse(&lines[0]), parse(&lines[1])];
        assert_eq!(
            finished["labels"]["caller"],
            "principal:https://a.example#ada\u{1b}[2J"
        );
        assert_eq!(
            finished["httpRequest"],
            json!({"status": 200, "latency": "0.000000000s", "remoteIp": "192.0.2.1"})
        );
        assert_eq!(refused["httpRequest"], json!({"remoteIp": "192.0.2.1"}));
    }

    #[test]
    fn trace_and_job_of_the_execution_stand_on_its_entries() {
        let mut entry = printed("hi");
        entry.job = Some("nightly".into());
        entry.trace = Some(Trace {
            trace_id: [0xab; 16],
            span_id: [1; 8],
        });
        let value = parse(&render(std::slice::from_ref(&entry))[0]);
        assert_eq!(value["trace"], "ab".repeat(16));
        assert_eq!(value["spanId"], "01".repeat(8));
        assert_eq!(
            value["labels"],
            json!({"execution_id": entry.execution_id(), "job_id": "nightly"})
        );
    }

    #[test]
    fn insert_ids_differ_and_sort_as_the_entries_were_written() {
        let entries: Vec<_> = (0..300).map(|_| printed("")).collect();
        let lines = render(&entries);
        let ids: Vec<_> = lines
            .iter()
            .map(|line| parse(line)["insertId"].to_string())
            .collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn any_text_survives_on_one_line_and_no_control_character_stands_raw() {
        let every_control = ('\0'..' ').chain('\x7f'..='\u{9f}').collect::<String>();
        for odd in [
            "quote\" back\\ \x1b[31m \u{9b}31m \u{202e}\u{2028} \x7f 世界 🎉 \n end",
            &every_control,
            &"\x1b\u{85}ä".repeat(100 * 1024),
        ] {
            let lines = render(&[printed(odd)]);
            assert_eq!(lines.len(), 1);
            assert_eq!(parse(&lines[0])["textPayload"], odd);
            assert!(!lines[0].chars().any(safe::is_harmful));
        }
    }
}
