//! The log, called as clients call it.

mod clients;
mod own;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::api::{Call, Caller, Principal};
use crate::logs::{Entry, FUNCTIONS_LOG, Severity};
use crate::store::{PolicyOf, Store};

/// Whom [`Host::user`] calls as.
const USER: &str = "user:ada@example.com";

/// The methods of a host with the project `p`, and a log.
struct Host {
    api: Api,
    log: LogAccess,
    _directory: TempDir,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = LogAccess::of(Some(directory.path().join("logs")));
        let store = Store::in_memory().unwrap();
        let project = Project {
            id: "p".into(),
            location: "local".into(),
        };
        store.set_project(&project).unwrap();
        let audit = log.clone();
        let note = move |entry: crate::api::AuditEntry| {
            audit.write(vec![entry.into_entry()]).unwrap();
        };
        let api = Api::new(Arc::new(store), Box::new(note)).unwrap();
        Self {
            api: api.with_log(log.clone()),
            log,
            _directory: directory,
        }
    }

    fn as_principal(
        &self,
        principal: Principal,
        method: &str,
        body: &str,
    ) -> Result<Reply, Status> {
        let (verb, target) = method.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let caller = Caller {
            principal,
            ..Caller::owner()
        };
        let call = Call {
            verb,
            path,
            query,
            body: Bytes::from(body.to_owned()),
            origin: String::new(),
            is_own_client: false,
        };
        self.api.call(&caller, call)
    }

    /// Calls `method`, such as `POST /v2/entries:list`, as the owner.
    fn call(&self, method: &str, body: &str) -> Result<Value, Status> {
        self.as_principal(Principal::Owner, method, body)
            .map(document)
    }

    /// As [`call`](Self::call), as somebody who has these roles.
    fn user(&self, roles: &[&str], method: &str, body: &Value) -> Result<Value, Status> {
        let granted = self.api.store().change_policy(&PolicyOf::Project, |_, _| {
            let members = std::collections::BTreeSet::from([USER.to_owned()]);
            let bindings = roles
                .iter()
                .map(|role| ((*role).to_owned(), members.clone()));
            Ok::<_, Status>(bindings.collect())
        });
        granted.unwrap();
        let Ok(host_tokens::Member::Principal(principal)) =
            "principal:https://id.example#ada".parse()
        else {
            panic!("not a principal");
        };
        let user = Principal::Outside {
            principal,
            email: "ada@example.com".parse().ok(),
        };
        self.as_principal(user, method, &body.to_string())
            .map(document)
    }

    /// Writes entries of a function.
    fn print(&self, function: &str, texts: impl IntoIterator<Item = String>) {
        let entries = texts
            .into_iter()
            .map(|text| Entry::note(function.into(), None, Severity::Info, text));
        self.log.write(entries.collect()).unwrap();
    }

    fn list(&self, body: Value) -> Result<Value, Status> {
        let mut whole = json!({ "resourceNames": ["projects/p"] });
        for (field, value) in body.as_object().unwrap() {
            whole[field] = value.clone();
        }
        self.call("POST /v2/entries:list", &whole.to_string())
    }

    fn write(&self, body: &Value) -> Result<Value, Status> {
        self.call("POST /v2/entries:write", &body.to_string())
    }
}

fn document(reply: Reply) -> Value {
    match reply {
        Reply::Json(document) => document,
        other => panic!("not a document: {other:?}"),
    }
}

/// The texts of the entries of an answer.
fn texts(answer: &Value) -> Vec<&str> {
    let entries = answer["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let text = entry["textPayload"].as_str();
            text.or(entry["jsonPayload"]["message"].as_str())
                .unwrap_or_default()
        })
        .collect()
}

/// A request with entries in the log `my-log`.
fn request(entries: Value) -> Value {
    json!({ "logName": "projects/p/logs/my-log", "resource": { "type": "global" }, "entries": entries })
}

#[test]
fn pages_have_all_entries_in_the_order_of_time() {
    let host = Host::new();
    host.print("f", (0..7).map(|n| n.to_string()));
    for (order, expected) in [
        ("timestamp asc", ["0", "1", "2", "3", "4", "5", "6"]),
        ("timestamp desc", ["6", "5", "4", "3", "2", "1", "0"]),
    ] {
        let (mut found, mut token) = (Vec::new(), Value::Null);
        loop {
            let page = host.list(json!({ "orderBy": order, "pageSize": 3, "pageToken": token }));
            let page = page.unwrap();
            let texts = texts(&page);
            assert!(texts.len() <= 3);
            found.extend(texts.into_iter().map(str::to_owned));
            token = page["nextPageToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(found, expected, "{order}");
    }
    assert_eq!(
        texts(&host.list(json!({ "pageSize": 5000 })).unwrap()).len(),
        7
    );
}

#[test]
fn what_a_list_cannot_answer_is_refused_with_what_was_expected() {
    let host = Host::new();
    for (body, word) in [
        (json!({ "resourceNames": [] }), "`projects/p`"),
        (
            json!({ "resourceNames": ["projects/other"] }),
            "`p`, and not `other`",
        ),
        (
            json!({ "projectIds": ["other"], "resourceNames": [] }),
            "`p`, and not `other`",
        ),
        (json!({ "resourceNames": ["folders/1"] }), "`folders/1`"),
        (json!({ "filter": "severity>=" }), "the filter is invalid"),
        (json!({ "orderBy": "severity" }), "timestamp asc"),
        (json!({ "pageSize": -1 }), "`pageSize`"),
        (json!({ "pageToken": "x" }), "page token"),
    ] {
        let error = host.list(body.clone()).unwrap_err();
        assert!(error.message.contains(word), "{body}: {error}");
    }
    assert!(
        host.list(json!({ "resourceNames": ["projects/-"] }))
            .is_ok()
    );
    let error = host.call("POST /v2/entries:tail", "{}").unwrap_err();
    assert_eq!(error.code, Code::Unimplemented);
    assert!(error.message.contains("/host/v1/logs:tail"), "{error}");
    for method in ["POST /v2/entries:copy", "DELETE /v2/projects/p/logs/my-log"] {
        let error = host.call(method, "").unwrap_err();
        assert_eq!(error.code, Code::Unimplemented, "{method}");
    }
}

#[test]
fn without_a_log_nothing_is_acknowledged() {
    let host = Host::new();
    let api = host.api.with_log(LogAccess::of(None));
    let host = Host { api, ..Host::new() };
    let body = request(json!([{ "textPayload": "x" }]));
    assert_eq!(host.write(&body).unwrap_err().code, Code::Unavailable);
    let error = host.list(json!({})).unwrap_err();
    assert_eq!(error.code, Code::FailedPrecondition);
    assert!(error.message.contains("--no-keep-logs"), "{error}");
}

#[test]
fn an_entry_is_refused_with_what_was_expected_and_all_others_with_it() {
    let host = Host::new();
    let cases = [
        (json!(1), "not an object"),
        (json!({ "severity": "error" }), "DEFAULT, DEBUG"),
        (json!({ "severity": 250 }), "DEFAULT, DEBUG"),
        (json!({ "timestamp": "today" }), "2026-11-23T14:00:00Z"),
        (
            json!({ "timestamp": "2020-01-01T00:00:00Z" }),
            "last 30 days",
        ),
        (json!({ "protoPayload": {} }), "protoPayload"),
        (
            json!({ "textPayload": "a", "jsonPayload": {} }),
            "one of them",
        ),
        (
            json!({ "jsonPayload": [] }),
            "`jsonPayload` is not an object",
        ),
        (json!({ "logName": "my-log" }), "projects/p/logs/ID"),
        (
            json!({ "logName": "projects/other/logs/x" }),
            "`p`, and not `other`",
        ),
        (
            json!({ "logName": "projects/p/logs/a%20b" }),
            "the log id is invalid",
        ),
        (json!({ "logName": "projects/p/logs/%ff" }), "not UTF-8"),
        (
            json!({ "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity" }),
            "by the host alone",
        ),
        (
            json!({ "resource": { "type": "cloud_function" } }),
            "by the host alone",
        ),
        (json!({ "resource": {} }), "the resource has no type"),
        (json!({ "labels": { "a": 1 } }), "`labels`"),
        (
            json!({ "textPayload": "x".repeat(262_144) }),
            "at most 262144",
        ),
    ];
    for (entry, word) in cases {
        let body = request(json!([{ "textPayload": "good" }, entry]));
        let error = host.write(&body).unwrap_err();
        assert_eq!(
            error.code,
            if word.contains("and not") {
                Code::NotFound
            } else {
                Code::InvalidArgument
            }
        );
        assert!(error.message.starts_with("entries[1]: "), "{error}");
        assert!(error.message.contains(word), "{word}: {error}");
    }
    for body in [json!({}), json!({ "entries": {} })] {
        assert!(host.write(&body).is_err());
    }
    let bare = json!({ "entries": [{ "logName": "projects/p/logs/x", "textPayload": "a" }] });
    let error = host.write(&bare).unwrap_err();
    assert!(error.message.contains("resource is missing"), "{error}");
    let many = vec![json!({ "textPayload": "a" }); 1001];
    let error = host.write(&request(many.into())).unwrap_err();
    assert!(error.message.contains("at most 1000"), "{error}");
    assert!(texts(&host.list(json!({})).unwrap()).is_empty());
}

#[test]
fn of_a_partial_success_the_good_entries_are_written_and_the_bad_ones_named() {
    let host = Host::new();
    let mut body = request(json!([{ "severity": "X" }, { "textPayload": "good" }, 2]));
    body["partialSuccess"] = json!(true);
    let error = host.write(&body).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    let details = &error.body()["error"]["details"];
    assert_eq!(
        details[0]["@type"],
        "type.googleapis.com/google.rpc.ErrorInfo"
    );
    assert_eq!(
        details[1]["@type"],
        "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors"
    );
    let errors = details[1]["logEntryErrors"].as_object().unwrap();
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["0", "2"]);
    assert_eq!(
        errors["2"],
        json!({ "code": 3, "message": "the entry is not an object" })
    );
    assert_eq!(texts(&host.list(json!({})).unwrap()), ["good"]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let host = Host::new();
    for field in ["dryRun", "dry_run"] {
        let mut body = request(json!([{ "textPayload": "x" }]));
        body[field] = json!(true);
        assert_eq!(host.write(&body), Ok(json!({})));
        body["entries"] = json!([1]);
        assert!(host.write(&body).is_err());
    }
    assert!(texts(&host.list(json!({})).unwrap()).is_empty());
}

#[test]
fn each_method_takes_its_permission_and_a_refusal_is_in_the_audit_log() {
    let host = Host::new();
    let list = json!({ "resourceNames": ["projects/p"] });
    let write = request(json!([{ "textPayload": "x" }]));
    let (reader, writer) = ("roles/logging.viewer", "roles/logging.logWriter");
    let cases = [
        ("POST /v2/entries:list", list.clone(), reader, writer),
        ("POST /v2/entries:write", write, writer, reader),
        ("GET /v2/projects/p/logs", json!({}), reader, writer),
        ("POST /host/v1/logs:read", json!({}), reader, writer),
    ];
    for (method, body, role, other) in &cases {
        assert!(host.user(&[role], method, body).is_ok(), "{method}");
        for roles in [&[][..], &[*other]] {
            let error = host.user(roles, method, body).unwrap_err();
            assert_eq!(error.code, Code::PermissionDenied, "{method}");
        }
    }
    let audit = "logName:\"cloudaudit.googleapis.com\" AND severity>=ERROR";
    let refused = host.list(json!({ "filter": audit })).unwrap();
    let refused = refused["entries"].as_array().unwrap();
    assert_eq!(refused.len(), 2 * cases.len());
    let payload = &refused[0]["protoPayload"];
    assert_eq!(payload["status"]["code"], 7);
    assert_eq!(payload["authorizationInfo"][0]["granted"], false);
    assert_eq!(
        payload["authenticationInfo"]["principalEmail"],
        "ada@example.com"
    );
}

#[test]
fn a_change_is_in_the_audit_log_with_what_was_created() {
    let host = Host::new();
    let job = json!({ "schedule": "0 * * * *", "httpTarget": { "uri": "http://127.0.0.1/" } });
    let name = "projects/p/locations/local/jobs/j";
    let mut named = job;
    named["name"] = json!(name);
    let jobs = "/v1/projects/p/locations/local/jobs";
    host.call(&format!("POST {jobs}"), &named.to_string())
        .unwrap();
    host.call(&format!("DELETE {jobs}/j"), "").unwrap();
    host.call(&format!("DELETE {jobs}/j"), "").unwrap_err();
    let filter = "resource.type=\"cloud_scheduler_job\" resource.labels.job_id=\"j\"";
    let found = host.list(json!({ "filter": filter })).unwrap();
    let entries = found["entries"].as_array().unwrap();
    let severities: Vec<_> = entries.iter().map(|entry| &entry["severity"]).collect();
    assert_eq!(severities, ["NOTICE", "NOTICE", "ERROR"]);
    let first = &entries[0];
    assert_eq!(
        first["logName"],
        "projects/p/logs/cloudaudit.googleapis.com%2Factivity"
    );
    assert_eq!(first["protoPayload"]["resourceName"], name);
    assert_eq!(
        first["protoPayload"]["methodName"],
        "google.cloud.scheduler.v1.CloudScheduler.CreateJob"
    );
    assert_eq!(
        first["protoPayload"]["serviceName"],
        "cloudscheduler.googleapis.com"
    );
    assert_eq!(first["resource"]["labels"]["location"], "local");
    assert_eq!(entries[2]["protoPayload"]["status"]["code"], 5);
}

#[test]
fn logs_are_listed_by_name_and_in_pages() {
    let host = Host::new();
    let logs = |query: &str| {
        host.call(&format!("GET /v2/projects/p/logs{query}"), "")
            .unwrap()
    };
    assert_eq!(logs(""), json!({ "logNames": [] }));
    host.print("f", ["x".to_owned()]);
    let mut body = request(json!([{ "textPayload": "x" }]));
    body["logName"] = json!("projects/p/logs/a%2Fb");
    host.write(&body).unwrap();
    let functions = format!("projects/p/logs/{}", FUNCTIONS_LOG.replace('/', "%2F"));
    assert_eq!(
        logs(""),
        json!({ "logNames": ["projects/p/logs/a%2Fb", functions] })
    );
    let first = logs("?pageSize=1");
    assert_eq!(first["logNames"], json!(["projects/p/logs/a%2Fb"]));
    let token = first["nextPageToken"].as_str().unwrap();
    let second = logs(&format!("?pageSize=1&pageToken={token}"));
    assert_eq!(second, json!({ "logNames": [functions] }));
}
