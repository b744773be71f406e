//! Entries of other logs than that of the functions: what clients write, and the audit log.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::log_entry::Entry;
use super::payload::Payload;
use super::severity::Severity;
use super::special_fields::{MAX_LABELS, MAX_NAME, is_within};
use super::structured;

/// The id of the audit log of administrators' activity, as in Cloud Audit Logs.
pub const AUDIT_LOG: &str = "cloudaudit.googleapis.com/activity";
/// The id of the log of the functions, as in Cloud Functions.
pub const FUNCTIONS_LOG: &str = "cloudfunctions.googleapis.com/cloud-functions";

/// The largest entry, in bytes, as in Cloud Logging.
const MAX_ENTRY: usize = 256 * 1024;
/// The longest id of a log, in bytes, as in Cloud Logging.
const MAX_LOG_ID: usize = 511;
/// How deep a payload may be nested. Readers stop at 128 levels, including those of the entry.
const MAX_DEPTH: usize = 64;
/// How old an entry may be, as in Cloud Logging.
const MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How far an entry may be in the future, as in Cloud Logging.
const MAX_AHEAD: Duration = Duration::from_secs(24 * 3_600);
/// The resource that only entries of functions have.
const FUNCTION_TYPE: &str = "cloud_function";
/// The label of a resource that names a function.
const FUNCTION_NAME: &str = "function_name";
/// The label of an entry that names an execution of a function.
const EXECUTION_ID: &str = "execution_id";
/// The parts of an `AuditLog` that a caller chooses the size of.
const AUDIT_BODIES: [&str; 3] = ["request", "response", "metadata"];
/// The service whose logs only the host writes.
const AUDIT_SERVICE: &str = "cloudaudit.googleapis.com/";

/// What an entry of another log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The log and the resource.
    pub place: LogPlace,
    /// The content.
    pub content: Content,
    /// The labels. `execution_id` is reserved for the entries of functions.
    pub labels: BTreeMap<String, String>,
    /// The trace, as the client states it.
    pub trace: Option<String>,
    /// The span's id, as the client states it.
    pub span_id: Option<String>,
    /// The insert id; `None` for one that the host chooses.
    pub insert_id: Option<String>,
}

/// Where an entry of another log belongs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPlace {
    /// The id of the log, without escapes, such as `my-log`.
    pub log: String,
    /// The type of the monitored resource, such as `global`.
    pub resource_type: String,
    /// The labels of the monitored resource. None is called `function_name`.
    pub resource_labels: BTreeMap<String, String>,
    /// `LogEntrySourceLocation`: where in its source code the client wrote the entry.
    pub source_location: Option<Map<String, Value>>,
}

/// The content of a stored entry, or of an entry of another log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text, which may have several lines. Untrusted.
    Text(String),
    /// A JSON object. Untrusted.
    Json(Map<String, Value>),
    /// What an administrator did.
    Audit {
        /// One line for tables.
        summary: String,
        /// An `AuditLog` of Cloud Audit Logs.
        proto_payload: Map<String, Value>,
    },
}

/// Why an entry cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrittenError {
    /// The log's id is invalid.
    #[error(
        "the log id is invalid: expected 1 to 511 letters, digits and characters of `/_-.`, in `projects/PROJECT/logs/ID`"
    )]
    LogId,
    /// The log is written by the host alone.
    #[error("the log `{0}` is written by the host alone; choose another log id")]
    ReservedLog(String),
    /// The resource is that of a function.
    #[error(
        "entries of functions are written by the host alone; expected another resource, such as one of type `global`"
    )]
    FunctionResource,
    /// The label is set by the host.
    #[error("the label `{0}` is set by the host alone; leave it out")]
    ReservedLabel(&'static str),
    /// The entry is too large.
    #[error("the entry has {0} bytes; expected at most 262144")]
    Size(usize),
    /// Values are nested too deep.
    #[error("the payload is nested deeper than 64 levels")]
    Depth,
    /// There are too many labels.
    #[error("the entry has {0} labels; expected at most 64")]
    Labels(usize),
    /// A label's key or an id is too long.
    #[error("a label's key, the insert id, the trace or the span id has more than 512 bytes")]
    Name,
    /// The time is too far off.
    #[error(
        "the timestamp is too far off: expected one of the last 30 days or of the next 24 hours"
    )]
    Time,
}

impl Entry {
    /// An entry that a client writes, at `time` or now.
    ///
    /// # Errors
    /// If something in it exceeds a limit, or is reserved for the host.
    pub fn written(
        time: Option<SystemTime>,
        severity: Severity,
        written: Written,
    ) -> Result<Self, WrittenError> {
        check_place(&written.place)?;
        check_limits(&written)?;
        let now = SystemTime::now();
        let time = time.unwrap_or(now);
        let is_near = match time.duration_since(now) {
            Ok(ahead) => ahead <= MAX_AHEAD,
            Err(error) => error.duration() <= MAX_AGE,
        };
        if !is_near {
            return Err(WrittenError::Time);
        }
        Ok(Self::of_other_log(time, severity, written))
    }

    /// An entry of the audit log, now. `proto_payload` is an `AuditLog` of Cloud Audit Logs, `summary` one line for
    /// tables. A label `function_name` of the resource is left out, because the entry does not belong to a function. If the
    /// entry would be too large or nested too deep, the request, the response and the metadata are left out.
    pub fn audit(
        summary: String,
        severity: Severity,
        mut proto_payload: Map<String, Value>,
        resource_type: String,
        mut resource_labels: BTreeMap<String, String>,
    ) -> Self {
        resource_labels.remove(FUNCTION_NAME);
        if !is_shallow(&proto_payload) || object_size(&proto_payload) > MAX_ENTRY {
            proto_payload.retain(|name, _| !AUDIT_BODIES.contains(&name.as_str()));
        }
        let written = Written {
            place: LogPlace {
                log: AUDIT_LOG.to_owned(),
                resource_type,
                resource_labels,
                source_location: None,
            },
            content: Content::Audit {
                summary,
                proto_payload,
            },
            labels: BTreeMap::new(),
            trace: None,
            span_id: None,
            insert_id: None,
        };
        Self::of_other_log(SystemTime::now(), severity, written)
    }
}

impl Content {
    /// The text for a table. Untrusted.
    pub fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(object) => structured::message(object),
            Self::Audit { summary, .. } => Cow::Borrowed(summary),
        }
    }
}

impl LogPlace {
    /// The name for a table: the last part of the log's id, in parentheses, which no function's name has.
    pub(in crate::logs) fn short_name(&self) -> String {
        let last = self.log.rsplit('/').next().unwrap_or_default();
        format!("({last})")
    }
}

impl Written {
    /// Its approximate size, in bytes.
    pub(super) fn size(&self) -> usize {
        let content = match &self.content {
            Content::Text(text) => text.len(),
            Content::Json(object) => object_size(object),
            Content::Audit {
                summary,
                proto_payload,
            } => summary.len() + object_size(proto_payload),
        };
        let place = &self.place;
        let names = [&self.trace, &self.span_id, &self.insert_id];
        let names = names.into_iter().flatten().map(String::len).sum::<usize>();
        let labels = self.labels.iter().chain(&place.resource_labels);
        let labels = labels.map(|(key, value)| key.len() + value.len());
        let location = place.source_location.as_ref().map_or(0, object_size);
        let fixed = size_of::<Self>() + place.log.len() + place.resource_type.len();
        fixed + content + names + labels.sum::<usize>() + location
    }
}

impl Payload {
    /// Whether it is an entry of the audit log.
    pub(super) fn is_audit(&self) -> bool {
        matches!(self, Self::Written(written) if matches!(written.content, Content::Audit { .. }))
    }
}

/// The size of `object` as JSON, in bytes.
fn object_size(object: &Map<String, Value>) -> usize {
    // Serializing a map with string keys cannot fail.
    serde_json::to_vec(object).map_or(0, |text| text.len())
}

/// Whether `object` is not nested too deep.
fn is_shallow(object: &Map<String, Value>) -> bool {
    object.values().all(|value| is_within(value, MAX_DEPTH - 1))
}

fn check_place(place: &LogPlace) -> Result<(), WrittenError> {
    let log = &place.log;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.".contains(&byte);
    if log.is_empty() || log.len() > MAX_LOG_ID || !log.bytes().all(is_allowed) {
        return Err(WrittenError::LogId);
    }
    if log.eq_ignore_ascii_case(FUNCTIONS_LOG)
        || log.to_ascii_lowercase().starts_with(AUDIT_SERVICE)
    {
        return Err(WrittenError::ReservedLog(log.clone()));
    }
    if place.resource_type.eq_ignore_ascii_case(FUNCTION_TYPE)
        || place.resource_labels.contains_key(FUNCTION_NAME)
    {
        return Err(WrittenError::FunctionResource);
    }
    Ok(())
}

fn check_limits(written: &Written) -> Result<(), WrittenError> {
    if written.labels.contains_key(EXECUTION_ID) {
        return Err(WrittenError::ReservedLabel(EXECUTION_ID));
    }
    let place = &written.place;
    let payload = match &written.content {
        Content::Json(object) => Some(object),
        Content::Text(_) | Content::Audit { .. } => None,
    };
    // Before anything that goes through the payload without a bound.
    let mut objects = payload.into_iter().chain(&place.source_location);
    if !objects.all(is_shallow) {
        return Err(WrittenError::Depth);
    }
    let size = written.size();
    if size > MAX_ENTRY {
        return Err(WrittenError::Size(size));
    }
    let count = written.labels.len().max(place.resource_labels.len());
    if count > MAX_LABELS {
        return Err(WrittenError::Labels(count));
    }
    let keys = written.labels.keys().chain(place.resource_labels.keys());
    let ids = [&written.trace, &written.span_id, &written.insert_id];
    let mut names = keys.chain(ids.into_iter().flatten());
    match names.all(|name| name.len() <= MAX_NAME) {
        true => Ok(()),
        false => Err(WrittenError::Name),
    }
}

#[cfg(test)]
mod tests;
