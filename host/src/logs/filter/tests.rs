mod limits;
mod random;
mod recorded;
mod refused;

use super::*;
use serde_json::json;

fn entry() -> Value {
    json!({
        "logName": "projects/p/logs/cloudfunctions.googleapis.com%2Fcloud-functions",
        "resource": {
            "type": "cloud_function",
            "labels": {"project_id": "p", "region": "local", "function_name": "hello_world"},
        },
        "timestamp": "2026-11-23T14:00:00.125000000Z",
        "severity": "WARNING",
        "labels": {"execution_id": "rndmid64qasr", "goog-managed-by": "cloudfunctions"},
        "insertId": "1",
        "jsonPayload": {
            "message": "Hello Scheduler, 50% \"done\"",
            "n": 7,
            "ok": true,
            "none": null,
            "tags": ["red", "blue"],
            "sizes": [1, 20],
            "peer": {"ip": "10.1.2.3"},
        },
        "httpRequest": {"status": 503, "latency": "1.250000000s", "responseSize": "2048"},
    })
}

fn parse(text: &str) -> Filter {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn matches(text: &str) -> bool {
    parse(text).matches(&entry())
}

fn each(filters: &[&str], expected: bool) {
    for filter in filters {
        assert_eq!(matches(filter), expected, "{filter}");
        assert_eq!(matches(&format!("NOT ({filter})")), !expected, "{filter}");
    }
}

#[test]
fn every_operator_compares_fields_by_their_kind() {
    each(
        &[
            "severity=WARNING",
            "severity = warning",
            "severity=400",
            "severity>=INFO",
            "severity>300",
            "severity<ERROR",
            "severity!=ERROR",
            "severity:WARNING",
            r#"severity=("ERROR" OR "WARNING")"#,
            "timestamp>=2026-11-01",
            r#"timestamp>="2026-11-23T14:00:00.125+0000""#,
            r#"timestamp<"2026-11-23T16:00:00+01:00""#,
            r#"timestamp="2026-11-23T14:00:00.125Z""#,
            "httpRequest.status>=500",
            "http_request.status=503",
            "httpRequest.responseSize>1024",
            "httpRequest.latency>1s",
            "httpRequest.latency=1250ms",
            "jsonPayload.n>=7",
            "jsonPayload.n<10",
            "jsonPayload.n=7.0",
            "jsonPayload.n!=8",
            "jsonPayload.ok=true",
            "jsonPayload.ok!=false",
            "jsonPayload.none=NULL_VALUE",
            r#"resource.type="Cloud_Function""#,
            r#"resource.type!="global""#,
            r#"resource.type<"d""#,
        ],
        true,
    );
    each(
        &[
            "severity>WARNING",
            "severity=ERROR",
            "timestamp<2026-11-23",
            "httpRequest.status<500",
            "httpRequest.latency<=1s",
            "jsonPayload.n>7",
            "jsonPayload.n=seven",
            "jsonPayload.n<a",
            "jsonPayload.ok=false",
            "jsonPayload.n=NULL_VALUE",
            "resource.type=cloud",
        ],
        false,
    );
}

#[test]
fn has_finds_text_in_any_case_and_asks_whether_a_field_is_there() {
    each(
        &[
            r#"logName:"cloud-functions""#,
            "jsonPayload.message:SCHEDULER",
            r#"jsonPayload.message:"50% \"done""#,
            "jsonPayload.message:*",
            "jsonPayload:*",
            "jsonPayload:scheduler",
            "labels:execution_id",
            r#"labels."goog-managed-by":*"#,
            "resource:hello_world",
            "httpRequest:*",
        ],
        true,
    );
    each(
        &[
            "logName:run.googleapis.com",
            "jsonPayload.absent:*",
            "textPayload:*",
            "labels:absent",
            "resource:absent",
            "operation:*",
        ],
        false,
    );
}

#[test]
fn regular_expressions_match_anywhere_and_know_the_case() {
    each(
        &[
            "jsonPayload.message=~Sched",
            r#"jsonPayload.message=~"^Hel+o""#,
            r#"jsonPayload.message=~"\d+%""#,
            r#"jsonPayload.message=~"\\d+%""#,
            r#"jsonPayload.message=~"(?i)scheduler""#,
            r#"jsonPayload.message!~"^Bye""#,
            r#"jsonPayload.n=~"^7$""#,
            r#"jsonPayload.message=~("Bye" OR "Hello")"#,
        ],
        true,
    );
    each(
        &[
            r#"jsonPayload.message=~"^hello""#,
            r#"jsonPayload.message!~"Hello""#,
            r#"jsonPayload.absent!~"x""#,
            r#"jsonPayload.message!~("Bye" OR "Hello")"#,
        ],
        false,
    );
}

#[test]
fn a_comparison_with_a_missing_field_is_false_and_its_negation_true() {
    each(
        &[
            "jsonPayload.absent=1",
            "jsonPayload.absent!=1",
            "labels.absent!=x",
            "jsonPayload.n.deeper!=1",
        ],
        false,
    );
    // Fields of `LogEntry` itself have their default.
    each(
        &[
            r#"trace!="x""#,
            r#"trace="""#,
            "traceSampled=false",
            "httpRequest.requestSize=0",
        ],
        true,
    );
}

#[test]
fn an_array_matches_if_one_element_does() {
    each(
        &[
            "jsonPayload.tags=red",
            "jsonPayload.tags:BLU",
            "jsonPayload.sizes>10",
            "jsonPayload.tags!=red",
            "jsonPayload.tags=(green OR blue)",
            "jsonPayload.tags:(red AND blue)",
        ],
        true,
    );
    each(&["jsonPayload.tags=green", "jsonPayload.sizes>20"], false);
}

#[test]
fn values_in_parentheses_are_joined_as_the_operator_needs() {
    each(
        &[
            "jsonPayload.n=(6 OR 7)",
            "jsonPayload.n>(-5 AND 6)",
            "jsonPayload.n=(NOT 6)",
            "jsonPayload.n!=(5 OR 6)",
            r#"jsonPayload.message:("hello" "scheduler")"#,
            r#"jsonPayload.message:("bye" OR ("hello" AND -"moon"))"#,
        ],
        true,
    );
    each(
        &[
            "jsonPayload.n!=(6 OR 7)",
            r#"jsonPayload.message:("hello" AND "moon")"#,
        ],
        false,
    );
}

#[test]
fn a_text_alone_is_searched_in_all_fields() {
    each(
        &[
            "scheduler",
            "\"Hello Scheduler\"",
            "rndmid64qasr",
            "503",
            "cloud-functions",
            "1.25",
            "Scheduler hello_world",
        ],
        true,
    );
    each(&["moon", "hello moon", "message"], false);
}

#[test]
fn not_binds_tighter_than_or_and_or_tighter_than_and() {
    let same = |one: &str, other: &str| assert_eq!(parse(one), parse(other), "{one}");
    same(
        "a OR NOT b AND NOT c OR d",
        "(a OR (NOT b)) AND ((NOT c) OR d)",
    );
    same("a b OR c d", "a AND (b OR c) AND d");
    same("-a b", "(NOT a) AND b");
    same("a AND\nb -- and a comment (\n AND c", "a AND b AND c");
    same("-- all of it\n a", "a");
}

#[test]
fn an_empty_filter_matches_everything() {
    for filter in ["", "  \n", "-- nothing"] {
        assert!(matches(filter), "{filter}");
    }
}

#[test]
fn functions_are_those_that_are_named() {
    each(
        &[
            r#"log_id("cloudfunctions.googleapis.com/cloud-functions")"#,
            r#"LOG_ID("cloudfunctions.googleapis.com%2Fcloud-functions")"#,
            r#"SEARCH("scheduler HELLO 503")"#,
            r#"search(jsonPayload.message, "done hello")"#,
            "sample(insertId, 1)",
            r#"ip_in_net(jsonPayload.peer.ip, "10.0.0.0/8")"#,
        ],
        true,
    );
    each(
        &[
            r#"log_id("cloud-functions")"#,
            r#"SEARCH("sched")"#,
            r#"SEARCH(jsonPayload.message, "hello 503")"#,
            "sample(insertId, 0)",
            r#"ip_in_net(jsonPayload.peer.ip, "10.2.0.0/16")"#,
            r#"ip_in_net(jsonPayload.message, "0.0.0.0/0")"#,
        ],
        false,
    );
}

#[test]
fn a_function_that_is_printed_is_parsed_to_the_same_function() {
    for filter in [
        r#"log_id("a/b")"#,
        r#"SEARCH("a \"b\"")"#,
        r#"SEARCH(textPayload, "a")"#,
        "sample(insertId, 0.0000001)",
        r#"ip_in_net(labels."a b", "fd00::/8")"#,
    ] {
        let parsed = parse(filter);
        assert_eq!(parse(&parsed.to_string()), parsed, "{parsed}");
    }
}

#[test]
fn a_sample_is_about_the_share_that_is_asked_for() {
    let filter = parse("sample(insertId, 0.25)");
    let chosen = (0..4_000).filter(|n| filter.matches(&json!({"insertId": n.to_string()})));
    let count = chosen.count();
    assert!((800..1_200).contains(&count), "{count}");
}
