//! The attributes of log records and spans, named as in OpenTelemetry's semantic conventions.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::any_value::{attribute, text_attribute};
use crate::logs::entry::{Entry, FinishStatus};

pub(super) const INVOCATION: &str = "faas.invocation_id";
pub(super) const TRIGGER: &str = "faas.trigger";
pub(super) const STATUS_CODE: &str = "http.response.status_code";
const ERROR_TYPE: &str = "error.type";
pub(super) const JOB: &str = "host.job";
pub(super) const COMPILE: &str = "host.compile";
/// The id of a log that is not that of the functions.
pub(super) const LOG: &str = "gcp.log_name";
const CALLER: &str = "user.id";
const CLIENT: &str = "client.address";

/// What a message that a guest logged belongs to, as the label is called.
pub(super) const CONTEXT: &str = "context";

/// Whether only the host sets the attribute `key`. A guest's label with this name is left out.
pub(super) fn is_reserved(key: &str) -> bool {
    [
        INVOCATION,
        TRIGGER,
        STATUS_CODE,
        ERROR_TYPE,
        JOB,
        COMPILE,
        CALLER,
        CLIENT,
        LOG,
    ]
    .contains(&key)
}

/// The execution, the job, the caller and the client of `entry`.
pub(super) fn of_entry(entry: &Entry) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(7);
    if entry.execution.is_some() {
        attributes.push(text_attribute(INVOCATION, entry.execution_id()));
    }
    if let Some(job) = &entry.job {
        attributes.push(text_attribute(JOB, &**job));
    }
    if let Some(caller) = &entry.origin.caller {
        attributes.push(text_attribute(CALLER, &**caller));
    }
    if let Some(client) = entry.origin.client {
        attributes.push(text_attribute(CLIENT, client.to_string()));
    }
    attributes
}

/// The labels of a guest or a client, without those that only the host sets.
pub(super) fn of_labels(labels: &BTreeMap<String, String>) -> impl Iterator<Item = KeyValue> {
    let labels = labels.iter().filter(|(key, _)| !is_reserved(key));
    labels.map(|(key, value)| text_attribute(key, value))
}

/// How an execution ended.
pub(super) fn of_status(status: FinishStatus) -> KeyValue {
    match status {
        FinishStatus::Code(code) => attribute(STATUS_CODE, Value::IntValue(code.into())),
        FinishStatus::Word(word) => text_attribute(ERROR_TYPE, word),
    }
}

/// Nanoseconds since the Unix epoch, up to the year 2554.
pub(super) fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
