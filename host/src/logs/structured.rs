//! Printed lines that are JSON objects: what Cloud Logging gives a meaning is lifted out, and the rest is the payload.
//!
//! Nothing that a guest prints is refused. What cannot be used as it is meant, a severity that none has or a time far
//! off, stays in the payload, and what is no object within the bounds stays text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::entry::{Entry, Payload};
use super::object::Object;
use super::severity::Severity;

/// The longest line that is looked into, in bytes: the most that Cloud Logging takes as one entry.
const LONGEST: usize = 256 * 1024;
/// How deep values may be nested. Readers of the log stop at some depth too, serde_json at 128 and the entry around it
/// included.
const DEEPEST: usize = 64;
/// How many labels an entry may have, as in Cloud Logging.
const MOST_LABELS: usize = 64;
/// The longest label key, insert id and the like, in bytes, as in Cloud Logging.
const LONGEST_NAME: usize = 512;
/// How far the time that a guest says may be from the time at which it printed the line.
const FARTHEST: Duration = Duration::from_secs(24 * 3_600);

/// What a guest said in a JSON object. Of keys that came twice, the last one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structured {
    /// What was not lifted out.
    pub payload: Map<String, Value>,
    /// `logging.googleapis.com/labels`.
    pub labels: BTreeMap<String, String>,
    /// `logging.googleapis.com/trace`.
    pub trace: Option<String>,
    /// `logging.googleapis.com/spanId`.
    pub span_id: Option<String>,
    /// `logging.googleapis.com/insertId`. Nothing relies on it: entries with the same one stay apart.
    pub insert_id: Option<String>,
}

impl Structured {
    /// What a table shows: `message` if that is a string, else the payload as JSON.
    pub fn message(&self) -> Cow<'_, str> {
        message(&self.payload)
    }
}

impl fmt::Display for Structured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

/// What a table shows of a payload.
pub(super) fn message(payload: &Map<String, Value>) -> Cow<'_, str> {
    match payload.get("message") {
        Some(Value::String(text)) => Cow::Borrowed(text),
        // A map with keys of text is always JSON.
        _ => Cow::Owned(serde_json::to_string(payload).unwrap_or_default()),
    }
}

/// The structured entry that `entry` is, if it is a printed line that is a JSON object.
pub(super) fn lift(entry: &Entry) -> Option<Entry> {
    let Payload::Printed(text) = &entry.payload else {
        return None;
    };
    let mut payload = object(text)?;
    let severity = take(&mut payload, "severity", severity).unwrap_or(entry.severity);
    let time = take_time(&mut payload, entry.time).unwrap_or(entry.time);
    let mut google = |name: &str| {
        take(
            &mut payload,
            &format!("logging.googleapis.com/{name}"),
            name_of,
        )
    };
    let (trace, span_id, insert_id) = (google("trace"), google("spanId"), google("insertId"));
    let labels = take(&mut payload, "logging.googleapis.com/labels", labels).unwrap_or_default();
    let structured = Structured {
        payload,
        labels,
        trace,
        span_id,
        insert_id,
    };
    Some(Entry {
        time,
        severity,
        function: entry.function.clone(),
        execution: entry.execution,
        job: entry.job.clone(),
        trace: entry.trace,
        origin: entry.origin.clone(),
        payload: Payload::Structured(Box::new(structured)),
    })
}

/// The object that `text` is, if it is one within the bounds.
fn object(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim_matches([' ', '\t', '\r']);
    // Most lines are no objects, and cost no more than this look.
    if !text.starts_with('{') || !text.ends_with('}') || text.len() > LONGEST {
        return None;
    }
    let Object(object) = serde_json::from_str(text).ok()?;
    object
        .values()
        .all(|value| is_within(value, DEEPEST - 1))
        .then_some(object)
}

/// Whether `value` is nested at most `depth` deep. serde_json has refused what is deeper than 128.
fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(values) => depth > 0 && values.iter().all(|value| is_within(value, depth - 1)),
        Value::Object(object) => {
            depth > 0 && object.values().all(|value| is_within(value, depth - 1))
        }
        _ => true,
    }
}

/// Removes the field `key` if `read` can use it.
fn take<T>(
    payload: &mut Map<String, Value>,
    key: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Option<T> {
    let value = read(payload.get(key)?)?;
    payload.remove(key);
    Some(value)
}

fn name_of(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (1..=LONGEST_NAME)
        .contains(&text.len())
        .then(|| text.to_owned())
}

/// A name in any case, one of the short forms that loggers use, or a number, which counts as the nearest one below.
fn severity(value: &Value) -> Option<Severity> {
    let number = |number: u64| {
        let is_reached = |severity: &Severity| u64::from(severity.number()) <= number;
        Severity::ALL.into_iter().rfind(is_reached)
    };
    match value {
        Value::Number(value) => number(value.as_u64()?),
        Value::String(text) => match text.to_ascii_uppercase().as_str() {
            "TRACE" => Some(Severity::Debug),
            "WARN" => Some(Severity::Warning),
            "ERR" => Some(Severity::Error),
            "CRIT" | "FATAL" => Some(Severity::Critical),
            "EMERG" | "PANIC" => Some(Severity::Emergency),
            name => Severity::from_name(name.as_bytes()).or_else(|| number(name.parse().ok()?)),
        },
        _ => None,
    }
}

/// The time that the guest says: `time` or `timestamp`, as RFC 3339 or as `{"seconds", "nanos"}`.
fn take_time(payload: &mut Map<String, Value>, printed: SystemTime) -> Option<SystemTime> {
    let near = |value: &Value| time(value).filter(|time| is_near(*time, printed));
    take(payload, "time", near).or_else(|| take(payload, "timestamp", near))
}

fn time(value: &Value) -> Option<SystemTime> {
    let timestamp = match value {
        Value::String(text) => text.parse().ok()?,
        Value::Object(parts) => {
            let seconds = parts.get("seconds")?.as_i64()?;
            let nanos = parts.get("nanos").map_or(Some(0), Value::as_i64)?;
            Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()?
        }
        _ => return None,
    };
    Some(timestamp.into())
}

fn is_near(time: SystemTime, printed: SystemTime) -> bool {
    let distance = time
        .duration_since(printed)
        .unwrap_or_else(|error| error.duration());
    distance <= FARTHEST
}

fn labels(value: &Value) -> Option<BTreeMap<String, String>> {
    let object = value.as_object()?;
    let is_bounded =
        object.len() <= MOST_LABELS && object.keys().all(|key| key.len() <= LONGEST_NAME);
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    is_bounded.then(|| {
        object
            .iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    })
}

#[cfg(test)]
mod tests;
