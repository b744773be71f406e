//! A stored entry as `LogEntry` of the Logging API v2.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{HttpRequest, StoredEntry, labels};
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::entry::{Content, FUNCTIONS_LOG, LogPlace};

/// The type of the payload of audit entries, a message of Cloud Audit Logs.
const AUDIT_TYPE: &str = "type.googleapis.com/google.cloud.audit.AuditLog";

impl StoredEntry {
    /// The entry as `LogEntry` in the project `project`. Functions are at `location`.
    pub fn to_google(&self, project: &str, location: &str) -> Value {
        let log = match &self.place {
            None => FUNCTIONS_LOG,
            Some(place) => &place.log,
        };
        let mut entry = Map::new();
        let mut set = |name: &str, value: Value| entry.insert(name.to_owned(), value);
        set("logName", log_name(project, log).into());
        set("resource", self.resource(project, location));
        set("timestamp", time(self.time));
        // Entries are stored when they are received; the time of that is not stored.
        set("receiveTimestamp", time(self.time));
        set("severity", self.severity.name().into());
        match &self.payload {
            Content::Text(text) => set("textPayload", text.as_str().into()),
            Content::Json(object) => set("jsonPayload", object.clone().into()),
            Content::Audit { proto_payload, .. } => {
                let mut payload = proto_payload.clone();
                payload.insert("@type".to_owned(), AUDIT_TYPE.into());
                set("protoPayload", payload.into())
            }
        };
        if !self.labels.is_empty() {
            set("labels", json!(self.labels));
        }
        if let Some(id) = &self.insert_id {
            set("insertId", id.as_str().into());
        }
        if let Some(trace) = &self.trace {
            set("trace", self.trace_name(project, trace).into());
        }
        if let Some(span) = &self.span_id {
            set("spanId", span.as_str().into());
        }
        if let Some(request) = &self.http_request {
            set("httpRequest", http_request(request));
        }
        let location = self
            .place
            .as_ref()
            .and_then(|place| place.source_location.as_ref());
        if let Some(location) = location {
            set("sourceLocation", location.clone().into());
        }
        entry.into()
    }

    fn resource(&self, project: &str, location: &str) -> Value {
        match &self.place {
            None => json!({
                "type": "cloud_function",
                "labels": {
                    "project_id": project,
                    "region": location,
                    labels::FUNCTION: self.function,
                },
            }),
            Some(place) => other_resource(place, project),
        }
    }

    /// The name of the trace. A function may state an id alone; a client's is left as it is.
    fn trace_name(&self, project: &str, trace: &str) -> String {
        match self.place.is_some() || trace.contains('/') {
            true => trace.to_owned(),
            false => format!("projects/{project}/traces/{trace}"),
        }
    }
}

fn other_resource(place: &LogPlace, project: &str) -> Value {
    let mut labels = place.resource_labels.clone();
    let id = labels.entry("project_id".to_owned());
    id.or_insert_with(|| project.to_owned());
    json!({"type": place.resource_type, "labels": labels})
}

/// The full name of the log with the id `log` in the project `project`. Of the characters that an id may have, `/` alone is escaped.
pub fn log_name(project: &str, log: &str) -> String {
    format!("projects/{project}/logs/{}", log.replace('/', "%2F"))
}

fn time(time: SystemTime) -> Value {
    Rfc3339::from(time).as_str().into()
}

fn http_request(request: &HttpRequest) -> Value {
    let mut fields = Map::new();
    if let Some(status) = request.status {
        fields.insert("status".to_owned(), status.into());
    }
    if let Some(latency) = &request.latency {
        fields.insert("latency".to_owned(), latency.as_str().into());
    }
    if let Some(address) = request.remote_ip {
        fields.insert("remoteIp".to_owned(), address.to_string().into());
    }
    fields.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::{Entry, FinishStatus, JsonLines, Severity, Trace, Written};
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn google(entry: &Entry) -> Value {
        let mut line = Vec::new();
        JsonLines::new().line(entry, &mut line);
        let stored = StoredEntry::parse(line.trim_ascii_end()).unwrap();
        stored.to_google("p", "local")
    }

    fn without(mut entry: Value, names: &[&str]) -> Value {
        for name in names {
            let removed = entry.as_object_mut().unwrap().remove(*name);
            assert!(removed.is_some(), "{name}");
        }
        entry
    }

    #[test]
    fn the_end_of_an_execution_has_all_fields_that_google_names() {
        let took = Duration::from_millis(4);
        let id = ExecutionId::random();
        let entry = Entry::finished("hello_world".into(), id, took, FinishStatus::Code(200));
        let entry = entry.in_trace(Trace {
            trace_id: [0xab; 16],
            span_id: [1; 8],
        });
        let value = google(&entry);
        assert_eq!(value["timestamp"], value["receiveTimestamp"]);
        assert_eq!(
            without(value, &["timestamp", "receiveTimestamp", "insertId"]),
            json!({
                "logName": "projects/p/logs/cloudfunctions.googleapis.com%2Fcloud-functions",
                "resource": {
                    "type": "cloud_function",
                    "labels": {"project_id": "p", "region": "local", "function_name": "hello_world"},
                },
                "severity": "DEBUG",
                "textPayload": "Function execution took 4 ms, finished with status code: 200",
                "labels": {"execution_id": id.as_str()},
                "trace": format!("projects/p/traces/{}", "ab".repeat(16)),
                "spanId": "01".repeat(8),
                "httpRequest": {"status": 200, "latency": "0.004000000s"},
            })
        );
    }

    #[test]
    fn what_a_client_wrote_is_given_back() {
        let written = Written {
            place: LogPlace {
                log: "a/b".into(),
                resource_type: "global".into(),
                resource_labels: BTreeMap::new(),
                source_location: json!({"line": "7"}).as_object().cloned(),
            },
            content: Content::Json(json!({"n": 1}).as_object().cloned().unwrap()),
            labels: BTreeMap::from([("a".into(), "b".into())]),
            trace: Some("x".into()),
            span_id: None,
            insert_id: Some("i".into()),
        };
        let entry = Entry::written(None, Severity::Error, written).unwrap();
        assert_eq!(
            without(google(&entry), &["timestamp", "receiveTimestamp"]),
            json!({
                "logName": "projects/p/logs/a%2Fb",
                "resource": {"type": "global", "labels": {"project_id": "p"}},
                "severity": "ERROR",
                "jsonPayload": {"n": 1},
                "labels": {"a": "b"},
                "insertId": "i",
                "trace": "x",
                "sourceLocation": {"line": "7"},
            })
        );
    }

    #[test]
    fn an_audit_entry_has_the_payload_of_cloud_audit_logs() {
        let payload = json!({"methodName": "m"}).as_object().cloned().unwrap();
        let entry = Entry::audit(
            "a did m".into(),
            Severity::Notice,
            payload,
            "project".into(),
            BTreeMap::new(),
        );
        let value = google(&entry);
        let log = "projects/p/logs/cloudaudit.googleapis.com%2Factivity";
        assert_eq!(value["logName"], log);
        assert_eq!(
            value["protoPayload"],
            json!({"@type": AUDIT_TYPE, "methodName": "m"})
        );
        assert_eq!(value.get("textPayload"), None);
    }
}
