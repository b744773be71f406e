//! What is defined once is where it belongs: in the schema, in the store's row, in the docs.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Flag, FunctionSettings, Setting, Settings};
use crate::config::{ConfigFile, HostSettings};

#[test]
fn every_default_is_a_value_of_its_setting() {
    let function = FunctionSettings::default();
    assert_eq!(
        (function.memory, function.timeout, function.concurrency),
        (256 << 20, Duration::from_secs(60), 80)
    );
    assert_eq!(function.max_response_body, Some(32 << 20));
    assert_eq!(function.max_instances, None);
    let host = HostSettings::default();
    assert_eq!(
        (host.queue_time, host.queue_length, host.workers),
        (Duration::from_secs(5), 1000, None)
    );
}

/// What `store/functions.rs` has in a row: bytes and milliseconds.
#[test]
fn a_row_of_an_older_program_is_read_and_written_as_it_was() {
    let row = json!({
        "memory": 67_108_864, "timeout": 1500, "concurrency": 7, "max_instances": 9,
        "max_request_body": 1000, "max_response_body": null, "log_limit": 1024,
        "allow_unauthenticated": true, "invokers": ["user:a@example.com"],
        "invoker_rules": [{"issuer": "https://a.example", "claims": {"a": "b"}}],
        "audiences": ["a"], "service_account": "a@example.com", "environment": {"A": "1"},
        "config": {"C": "2"},
        "keyvalue_entries": 3, "keyvalue_bytes": 1000, "keyvalue_buckets": ["shared"],
        "secrets": {"B": "/key"}, "allow_outbound": ["https://a.example"],
        "hosts": ["a.example"], "labels": {"team": "x"}, "warm": true, "min_instances": 2, "max_idle_instances": 5,
        "warm_requests": 10, "warm_idle_time": 1000, "warm_age": 60_000, "warm_memory": 50, "warm_concurrency": 4,
    });
    let settings: FunctionSettings = serde_json::from_value(row.clone()).unwrap();
    assert_eq!(settings.memory, 64 << 20);
    assert_eq!(settings.timeout, Duration::from_millis(1500));
    assert_eq!(settings.max_response_body, None);
    assert_eq!(serde_json::to_value(&settings).unwrap(), row);
    let empty: FunctionSettings = serde_json::from_str("{}").unwrap();
    assert_eq!(empty, FunctionSettings::default());
}

#[test]
fn every_setting_is_a_key_of_the_schema() {
    let schema = ConfigFile::schema();
    assert_described::<HostSettings>(&schema["$defs"]["HostTable"]);
    assert_described::<FunctionSettings>(&schema["$defs"]["FunctionTable"]);
}

#[track_caller]
fn assert_described<S: Settings>(table: &Value) {
    for setting in S::ALL {
        let described = &table["properties"][setting.key()]["description"];
        let described = described.as_str().unwrap_or_default().replace('\n', " ");
        assert!(
            described.starts_with(setting.help),
            "{}: {described}",
            setting.name
        );
        if let Some(default) = setting.default {
            assert!(described.contains(default), "{}: {described}", setting.name);
        }
    }
}

#[test]
fn the_tables_of_the_docs_are_those_of_the_definitions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = fs::read_to_string(&path).unwrap();
    let made = with_table::<HostSettings>(&page, "[host]");
    let made = with_table::<FunctionSettings>(&made, "[functions.NAME]");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    } else {
        assert!(page == made, "docs/configuration.md is out of date");
    }
}

/// `page` with the table of the settings `S` below the line that says which they are.
fn with_table<S: Settings>(page: &str, table: &str) -> String {
    let line = format!("Keys below `{table}`:\n\n");
    let (before, rest) = page.split_once(&line).unwrap();
    let after = rest.find("\n\n").map_or("\n", |end| &rest[end + 1..]);
    let mut made = format!(
        "{before}{line}| key | value | default | flags | what it is |\n|---|---|---|---|---|\n"
    );
    for setting in S::ALL {
        let default = setting.default.unwrap_or_default();
        let (key, flags, help) = (setting.key(), flags(setting), setting.help);
        let value = match setting.flag {
            Flag::Made { is_list: true, .. } => format!("a list of: {}", setting.bounds),
            _ => setting.bounds.to_owned(),
        };
        writeln!(made, "| `{key}` | {value} | {default} | {flags} | {help} |").unwrap();
    }
    made + after
}

fn flags<S>(setting: &Setting<S>) -> String {
    let flags = match setting.flag {
        Flag::Made { .. } => vec![setting.flag_name()],
        Flag::ByHand(flags) => flags.iter().map(|flag| (*flag).to_owned()).collect(),
    };
    let flags: Vec<_> = flags.iter().map(|flag| format!("`--{flag}`")).collect();
    flags.join(", ")
}
