//! Requests as Google's clients send them.

use super::*;

const FUNCTION: &str = r#"(resource.type=\"cloud_function\" resource.labels.region=\"local\" logName:\"cloud-functions\" resource.labels.function_name=\"hello_world\") OR (resource.type=\"cloud_run_revision\" resource.labels.location=\"local\" logName:\"run.googleapis.com\" labels.\"goog-managed-by\"=\"cloudfunctions\" resource.labels.service_name=\"hello-world\")"#;

/// A day ago.
fn yesterday() -> jiff::Timestamp {
    jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24)
}

#[test]
fn python_writes_text_objects_and_records_of_its_handler() {
    let host = Host::new();
    let now = jiff::Timestamp::now().to_string();
    let handler = r#"{"entries": [{"resource": {"type": "global", "labels": {"project_id": "p"}}, "labels": {"python_logger": "x"}, "severity": 200, "timestamp": "NOW", "traceSampled": false, "sourceLocation": {"file": "py_clients.py", "function": "h", "line": "62"}, "textPayload": "from handler"}], "partialSuccess": true, "dry_run": false, "logName": "projects/p/logs/py"}"#;
    for body in [
        r#"{"entries": [{"logName": "projects/p/logs/my-log", "resource": {"type": "global", "labels": {"project_id": "p"}}, "jsonPayload": {"logging.googleapis.com/diagnostic": {"instrumentation_source": [{"name": "python", "version": "3.17.0"}]}}}, {"logName": "projects/p/logs/my-log", "resource": {"type": "global", "labels": {"project_id": "p"}}, "severity": "INFO", "textPayload": "hi"}], "partialSuccess": true, "dry_run": false}"#,
        r#"{"entries": [{"logName": "projects/p/logs/my-log", "resource": {"type": "global", "labels": {"project_id": "p"}}, "labels": {"a": "b"}, "severity": "ERROR", "trace": "projects/p/traces/x", "jsonPayload": {"message": "hi", "n": 1}}], "partialSuccess": true, "dry_run": false}"#,
        &handler.replace("NOW", &now),
    ] {
        let written = host.call("POST /v2/entries:write?prettyPrint=false", body);
        assert_eq!(written, Ok(json!({})));
    }
    let found = host.list(json!({ "filter": "logName=\"projects/p/logs/my-log\"" }));
    let found = found.unwrap();
    assert_eq!(texts(&found), ["", "hi", "hi"]);
    let last = &found["entries"][2];
    assert_eq!(last["severity"], "ERROR");
    assert_eq!(last["trace"], "projects/p/traces/x");
    assert_eq!(
        (&last["labels"]["a"], &last["jsonPayload"]["n"]),
        (&json!("b"), &json!(1))
    );
    let handler = host.list(json!({ "filter": "labels.python_logger=x severity=INFO" }));
    let handler = handler.unwrap();
    assert_eq!(texts(&handler), ["from handler"]);
    assert_eq!(handler["entries"][0]["sourceLocation"]["line"], "62");
}

#[test]
fn node_and_gcloud_write_with_defaults_and_without() {
    let host = Host::new();
    let now = jiff::Timestamp::now().to_string();
    let node = r#"{"labels": {}, "entries": [{"labels": {}, "jsonPayload": {"message": "hi"}, "timestamp": "NOW", "severity": 200, "insertId": "..........56QuJ3KHsV5tG91cZwObB6"}, {"labels": {}, "jsonPayload": {"logging.googleapis.com/diagnostic": {"instrumentation_source": [{"name": "nodejs", "version": "11.2.1"}]}}, "timestamp": "NOW", "insertId": "..........96QuJ3KHsV5tG91cZwObB6"}], "logName": "projects/p/logs/my-log", "resource": {"labels": {}, "type": "global"}, "partialSuccess": true}"#;
    let node = host.call(
        "POST /v2/entries:write?$alt=json%3Benum-encoding=int",
        &node.replace("NOW", &now),
    );
    assert_eq!(node, Ok(json!({})));
    let gcloud = r#"{"entries": [{"logName": "projects/p/logs/my-log", "resource": {"type": "global"}, "severity": "INFO", "textPayload": "hello"}]}"#;
    assert_eq!(
        host.call("POST /v2/entries:write?alt=json", gcloud),
        Ok(json!({}))
    );
    let found = host.list(json!({ "filter": "severity>=INFO" })).unwrap();
    assert_eq!(texts(&found), ["hi", "hello"]);
    assert_eq!(
        found["entries"][0]["insertId"],
        "..........56QuJ3KHsV5tG91cZwObB6"
    );
}

#[test]
fn every_list_that_was_recorded_is_answered() {
    let host = Host::new();
    host.print("hello_world", ["Hello".to_owned()]);
    let since = yesterday().strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    for (query, filter, finds) in [
        (
            "?prettyPrint=false",
            format!(
                r#"resource.type=\"cloud_function\" AND severity>=INFO AND timestamp>=\"{since}+0000\""#
            ),
            true,
        ),
        (
            "?$alt=json%3Benum-encoding=int",
            format!(r#"severity>=INFO AND timestamp >= \"{since}Z\""#),
            true,
        ),
        (
            "?alt=json",
            format!(r#"{FUNCTION} timestamp>=\"{since}Z\""#),
            true,
        ),
        (
            "?alt=json",
            format!(
                r#"timestamp>=\"{since}Z\" AND resource.type=\"cloud_function\" severity>=INFO"#
            ),
            true,
        ),
        (
            "?alt=json",
            format!(
                r#"{FUNCTION} labels.execution_id=\"rndmid64qasr\" severity>=ERROR timestamp>=\"{since}Z\""#
            ),
            false,
        ),
        (
            "?alt=json",
            r#"jsonPayload.message=~\"^Hel+o\" OR textPayload:\"Hello\""#.to_owned(),
            true,
        ),
    ] {
        for order in ["desc", "asc"] {
            let body = format!(
                r#"{{"filter": "{filter}", "orderBy": "timestamp {order}", "pageSize": 3, "resourceNames": ["projects/p"]}}"#
            );
            let found = host
                .call(&format!("POST /v2/entries:list{query}"), &body)
                .unwrap();
            assert_eq!(texts(&found) == ["Hello"], finds, "{filter}");
            assert!(found.get("nextPageToken").is_none());
        }
    }
    let logs = host.call("GET /v2/projects/p/logs?alt=json", "").unwrap();
    assert_eq!(logs["logNames"].as_array().unwrap().len(), 1);
}
