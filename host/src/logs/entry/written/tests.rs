use super::*;
use serde_json::json;

fn said(content: Content) -> Written {
    Written {
        place: LogPlace {
            log: "my-log".into(),
            resource_type: "global".into(),
            ..LogPlace::default()
        },
        content,
        labels: BTreeMap::new(),
        trace: None,
        span_id: None,
        insert_id: None,
    }
}

fn text(length: usize) -> Written {
    said(Content::Text("x".repeat(length)))
}

fn write(written: Written) -> Result<Entry, WrittenError> {
    Entry::written(None, Severity::Info, written)
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[test]
fn a_client_cannot_write_what_looks_like_an_entry_of_a_function_or_of_the_audit_log() {
    for log in [
        FUNCTIONS_LOG,
        "CloudFunctions.googleapis.com/cloud-functions",
        AUDIT_LOG,
        "cloudaudit.googleapis.com/data_access",
    ] {
        let mut written = text(1);
        written.place.log = log.into();
        let refused = write(written).unwrap_err();
        assert_eq!(refused, WrittenError::ReservedLog(log.into()));
    }
    let mut written = text(1);
    written.place.resource_type = "Cloud_Function".into();
    assert_eq!(write(written).unwrap_err(), WrittenError::FunctionResource);
    let mut written = text(1);
    let labels = &mut written.place.resource_labels;
    labels.insert("function_name".into(), "f".into());
    assert_eq!(write(written).unwrap_err(), WrittenError::FunctionResource);
    let mut written = text(1);
    written.labels.insert("execution_id".into(), "x".into());
    let refused = write(written).unwrap_err();
    assert_eq!(refused, WrittenError::ReservedLabel("execution_id"));
}

#[test]
fn a_log_id_has_letters_digits_and_a_few_signs() {
    let longest = "x".repeat(MAX_LOG_ID);
    for (log, is_valid) in [
        ("my-log", true),
        ("a/b_c.D-9", true),
        (&*longest, true),
        (&format!("{longest}x"), false),
        ("", false),
        ("a b", false),
        ("a\"b", false),
        ("a%2Fb", false),
        ("世界", false),
    ] {
        let mut written = text(1);
        written.place.log = log.into();
        assert_eq!(write(written).is_ok(), is_valid, "{log}");
    }
}

#[test]
fn every_limit_refuses_what_is_beyond_it() {
    let room = MAX_ENTRY - text(0).size();
    assert!(write(text(room)).is_ok());
    let refused = write(text(room + 1)).unwrap_err();
    assert_eq!(refused, WrittenError::Size(MAX_ENTRY + 1));

    let nested = |depth| (1..depth).fold(json!(1), |inner, _| json!({ "a": inner }));
    let of_depth = |depth| write(said(Content::Json(object(json!({ "a": nested(depth) })))));
    assert!(of_depth(MAX_DEPTH - 1).is_ok());
    assert_eq!(of_depth(MAX_DEPTH + 1).unwrap_err(), WrittenError::Depth);

    let with_labels = |count: usize| {
        let mut written = text(1);
        written.labels = (0..count).map(|n| (n.to_string(), "x".into())).collect();
        write(written)
    };
    assert!(with_labels(MAX_LABELS).is_ok());
    let refused = with_labels(MAX_LABELS + 1).unwrap_err();
    assert_eq!(refused, WrittenError::Labels(MAX_LABELS + 1));

    let with_id = |length| {
        let mut written = text(1);
        written.insert_id = Some("x".repeat(length));
        write(written)
    };
    assert!(with_id(MAX_NAME).is_ok());
    assert_eq!(with_id(MAX_NAME + 1).unwrap_err(), WrittenError::Name);
}

#[test]
fn a_time_that_is_far_off_is_refused() {
    let now = SystemTime::now();
    let minute = Duration::from_secs(60);
    let at = |time| Entry::written(Some(time), Severity::Info, text(1));
    assert!(at(now - MAX_AGE + minute).is_ok());
    assert!(at(now + MAX_AHEAD - minute).is_ok());
    assert_eq!(at(now - MAX_AGE - minute).unwrap_err(), WrittenError::Time);
    assert_eq!(
        at(now + MAX_AHEAD + minute).unwrap_err(),
        WrittenError::Time
    );
}

#[test]
fn an_audit_entry_belongs_to_no_function_and_is_dropped_last() {
    let labels = [("function_name", "f"), ("region", "local")];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let payload = object(json!({"methodName": "m"}));
    let entry = Entry::audit(
        "a did m".into(),
        Severity::Notice,
        payload,
        "cloud_function".into(),
        labels.into(),
    );
    assert!(entry.is_high_priority());
    assert_eq!(entry.payload.to_string(), "a did m");
    let Payload::Written(written) = entry.payload else {
        panic!("not written");
    };
    assert!(written.place.resource_labels.keys().eq(["region"]));
    assert!(!write(text(1)).unwrap().is_high_priority());
}

#[test]
fn a_large_or_deep_request_is_left_out_of_an_audit_entry() {
    let deep = (0..MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));
    let of = |request: Value| {
        let payload = object(json!({"methodName": "m", "request": request}));
        let (summary, kind) = ("a did m".into(), "project".into());
        let entry = Entry::audit(summary, Severity::Notice, payload, kind, BTreeMap::new());
        match entry.payload {
            Payload::Written(written) => written.content,
            other => panic!("{other}"),
        }
    };
    let names = |content: Content| match content {
        Content::Audit { proto_payload, .. } => proto_payload.keys().cloned().collect(),
        other => vec![format!("{other:?}")],
    };
    assert_eq!(names(of(json!({"a": 1}))), ["methodName", "request"]);
    assert_eq!(names(of(json!("x".repeat(MAX_ENTRY)))), ["methodName"]);
    assert_eq!(names(of(deep)), ["methodName"]);
}
