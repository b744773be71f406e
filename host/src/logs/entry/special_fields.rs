//! Extracts the special fields of Cloud Logging from printed lines that are JSON objects.
//!
//! No printed line is refused. A special field with an unusable value, such as an unknown severity or a time that is
//! far off, stays in the payload. A line that is not an object within the limits stays text.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::json_object::JsonObject;
use super::log_entry::Entry;
use super::payload::Payload;
use super::severity::Severity;
use super::structured::Structured;

/// The longest line that is parsed, in bytes: the size limit of an entry in Cloud Logging.
pub(in crate::logs) const MAX_LINE: usize = 256 * 1024;
/// How deep values may be nested. Readers have limits too: serde_json stops at 128 levels, including those of the entry
/// around the payload.
const MAX_DEPTH: usize = 64;
/// How many labels an entry may have, as in Cloud Logging.
pub(super) const MAX_LABELS: usize = 64;
/// The longest label key or id, in bytes, as in Cloud Logging.
pub(super) const MAX_NAME: usize = 512;
/// How far the time that a guest states may be from the time at which it printed the line.
const MAX_TIME_DIFFERENCE: Duration = Duration::from_secs(24 * 3_600);

/// The structured form of `entry`, if it is a printed line that is a JSON object.
pub(in crate::logs) fn extract(entry: &Entry) -> Option<Entry> {
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

/// Parses `text` as a JSON object within the limits.
fn object(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim_matches([' ', '\t', '\r']);
    // Most lines are not objects. This check is all that they cost.
    if !text.starts_with('{') || !text.ends_with('}') || text.len() > MAX_LINE {
        return None;
    }
    let JsonObject(object) = serde_json::from_str(text).ok()?;
    object
        .values()
        .all(|value| is_within(value, MAX_DEPTH - 1))
        .then_some(object)
}

/// Whether `value` is nested at most `depth` levels deep. The recursion is bounded: serde_json refuses more than 128.
pub(super) fn is_within(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(values) => depth > 0 && values.iter().all(|value| is_within(value, depth - 1)),
        Value::Object(object) => {
            depth > 0 && object.values().all(|value| is_within(value, depth - 1))
        }
        _ => true,
    }
}

/// Removes the field `key` if `read` accepts its value.
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
    (1..=MAX_NAME)
        .contains(&text.len())
        .then(|| text.to_owned())
}

/// Parses a severity: a name in any case, a short form that loggers use, or a number, which is rounded down.
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

/// The time that the guest states: `time` or `timestamp`, as RFC 3339 or as `{"seconds", "nanos"}`.
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
    distance <= MAX_TIME_DIFFERENCE
}

fn labels(value: &Value) -> Option<BTreeMap<String, String>> {
    let object = value.as_object()?;
    let is_bounded = object.len() <= MAX_LABELS && object.keys().all(|key| key.len() <= MAX_NAME);
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
