//! Filters that Google's clients send.

use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::query::Query;
use crate::logs::{Entry, JsonLines, Severity, StoredEntry};

/// `gcloud functions logs read hello_world`.
const GCLOUD_FUNCTION: &str = r#"(resource.type="cloud_function" resource.labels.region="local" logName:"cloud-functions" resource.labels.function_name="hello_world") OR (resource.type="cloud_run_revision" resource.labels.location="local" logName:"run.googleapis.com" labels."goog-managed-by"="cloudfunctions" resource.labels.service_name="hello-world") timestamp>="2026-11-21T18:51:25.101630Z""#;

fn stored(entry: &Entry) -> Value {
    let mut line = Vec::new();
    JsonLines::new().line(entry, &mut line);
    let stored = StoredEntry::parse(line.trim_ascii_end()).unwrap();
    stored.to_google("p", "local")
}

fn note(function: &str, severity: Severity, text: &str) -> Entry {
    let id = Some(ExecutionId::random());
    let mut entry = Entry::note(function.into(), id, severity, text.into());
    entry.time = "2026-11-28T18:00:00Z"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .into();
    entry
}

#[test]
fn gcloud_functions_logs_read_finds_the_entries_of_the_function() {
    let filter = parse(GCLOUD_FUNCTION);
    let of = |name| filter.matches(&stored(&note(name, Severity::Info, "Hello")));
    assert!(of("hello_world"));
    assert!(!of("hello"));
    let mut old = note("hello_world", Severity::Info, "Hello");
    old.time -= std::time::Duration::from_secs(8 * 24 * 3_600);
    assert!(!filter.matches(&stored(&old)));
}

#[test]
fn gcloud_functions_logs_read_of_an_execution_finds_its_errors() {
    let entry = note("f", Severity::Error, "Hello");
    let of = |id: &str| {
        format!(
            r#"(resource.type="cloud_function" resource.labels.region="local" logName:"cloud-functions") OR (resource.type="cloud_run_revision" resource.labels.location="local" logName:"run.googleapis.com" labels."goog-managed-by"="cloudfunctions") labels.execution_id="{id}" severity>=ERROR timestamp>="2026-11-01T00:00:00.000000Z""#
        )
    };
    let filter = parse(&of(entry.execution_id()));
    assert!(filter.matches(&stored(&entry)));
    assert!(!parse(&of("rndmid64qasr")).matches(&stored(&entry)));
    let query = filter.narrow(Query::default());
    assert_eq!(query.execution_id.as_deref(), Some(entry.execution_id()));
    assert_eq!(query.min_severity, Some(Severity::Error));
    assert!(query.start.is_some());
    assert_eq!(query.function_in_any_case, None);
}

#[test]
fn filters_of_the_client_libraries_and_of_gcloud_logging_read_match() {
    let entry = stored(&note("f", Severity::Info, "Hello"));
    for filter in [
        r#"resource.type="cloud_function" AND severity>=INFO AND timestamp>="2026-11-27T18:49:37.925114+0000""#,
        r#"severity>=INFO AND timestamp >= "2026-11-27T18:57:50.359Z""#,
        r#"timestamp>="2026-11-28T17:52:50.758260Z" AND resource.type="cloud_function" severity>=INFO"#,
        r#"jsonPayload.message=~"^Hel+o" OR textPayload:"Hello""#,
    ] {
        assert!(parse(filter).matches(&entry), "{filter}");
    }
}

#[test]
fn only_what_every_match_meets_narrows_a_query() {
    let narrow = |text: &str| parse(text).narrow(Query::default());
    let query = narrow(
        r#"severity>=INFO AND (severity>300 timestamp<="2026-11-02") timestamp<2026-11-03 timestamp>2026-11-01
           resource.labels.function_name="Hello""#,
    );
    assert_eq!(query.min_severity, Some(Severity::Warning));
    assert_eq!(query.function_in_any_case.as_deref(), Some("hello"));
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap().into();
    assert_eq!(query.start, Some(time("2026-11-01T00:00:00Z")));
    assert_eq!(query.end, Some(time("2026-11-02T00:00:00.000000001Z")));
    for filter in [
        "severity>=INFO OR hello",
        "NOT severity>=INFO",
        "severity<ERROR",
        "severity!=ERROR",
        "receiveTimestamp>2026-11-01",
        "labels.execution_id:abc",
        r#"resource.labels.function_name=("a" OR "b")"#,
        "NOT timestamp>2026-11-01",
    ] {
        let query = narrow(filter);
        assert_eq!(query.min_severity, None, "{filter}");
        assert_eq!((query.start, query.end), (None, None), "{filter}");
        assert_eq!(query.execution_id, None, "{filter}");
        assert_eq!(query.function_in_any_case, None, "{filter}");
    }
}
