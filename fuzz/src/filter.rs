//! The reader of log filters: no input makes it panic, and a filter that is printed is the same filter again.

#![no_main]

use std::sync::LazyLock;

use host::logs::Filter;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// An entry with values of every kind.
static ENTRY: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "logName": "projects/p/logs/cloudfunctions.googleapis.com%2Fcloud-functions",
        "resource": {"type": "cloud_function", "labels": {"function_name": "f"}},
        "timestamp": "2026-11-23T14:00:00.125000000Z",
        "severity": "WARNING",
        "labels": {"execution_id": "rndmid64qasr"},
        "insertId": "1",
        "jsonPayload": {"message": "Hello", "n": 7, "ok": true, "none": null, "tags": ["a", 1]},
        "httpRequest": {"status": 503, "latency": "1.250000000s", "remoteIp": "10.1.2.3"},
    })
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let filter: Filter = match text.parse() {
        Ok(filter) => filter,
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "{text}");
            return;
        }
    };
    let is_match = filter.matches(&ENTRY);
    match filter.to_string().parse::<Filter>() {
        Ok(again) => {
            assert_eq!(again, filter, "{text}");
            assert_eq!(again.matches(&ENTRY), is_match, "{text}");
        }
        // All parentheses are printed, so that the text may be beyond a limit.
        Err(error) => {
            let reason = &error.reason;
            assert!(
                reason.contains("nested deeper") || reason.contains("too long"),
                "{error}"
            );
        }
    }
});
