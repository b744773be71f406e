//! `wasi:logging`: messages are entries of the execution's log.

use serde_json::Value;
use tests::{Host, State};

/// What is kept of an execution that logs as `kind` says: severity, context and text of each message.
#[track_caller]
fn logged(kind: &str) -> Vec<(String, Option<String>, String)> {
    let state = State::new();
    let host = state.serve_component("logs").start();
    let reply = host.get(&format!("/?kind={kind}"));
    assert_eq!(reply.status, 200, "{reply:?}");
    let entries = state.kept_of(reply.execution_id());
    let entries = entries.iter().filter(|entry| {
        let text = entry["textPayload"].as_str().unwrap_or_default();
        !text.starts_with("Function execution ")
    });
    let text = |value: &Value| value.as_str().map(str::to_owned);
    entries
        .map(|entry| {
            (
                text(&entry["severity"]).unwrap_or_default(),
                text(&entry["labels"]["context"]),
                text(&entry["textPayload"]).unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn a_level_is_a_severity_and_a_context_a_label() {
    let logged = logged("levels");
    let expected = [
        ("DEBUG", "Level::Trace"),
        ("DEBUG", "Level::Debug"),
        ("INFO", "Level::Info"),
        ("WARNING", "Level::Warn"),
        ("ERROR", "Level::Error"),
        ("CRITICAL", "Level::Critical"),
    ];
    let expected =
        expected.map(|(severity, text)| (severity.into(), Some("levels".into()), text.into()));
    assert_eq!(logged, expected);
}

#[test]
fn without_a_context_there_is_no_label() {
    let expected = ("INFO".into(), None, "no context".into());
    assert_eq!(logged("no-context"), [expected]);
}

#[test]
fn a_message_of_several_lines_is_one_entry() {
    let expected = (
        "WARNING".into(),
        Some("lines".into()),
        "one\ntwo\nthree".into(),
    );
    assert_eq!(logged("lines"), [expected]);
}

#[test]
fn a_message_that_looks_like_an_entry_is_text() {
    let text = r#"{"severity":"ERROR","message":"told"}"#;
    let expected = ("INFO".into(), Some("object".into()), text.into());
    assert_eq!(logged("object"), [expected]);
}

#[test]
fn long_messages_and_contexts_are_cut_as_lines_are() {
    let logged = logged("long");
    let [(_, Some(context), text)] = &logged[..] else {
        panic!("one entry: {logged:?}");
    };
    assert!(context.ends_with("c … [4096 bytes cut]"), "{context}");
    assert!(text.ends_with("é … [4096 bytes cut]"), "{text}");
}

#[test]
fn messages_count_against_the_limit_of_the_log() {
    let host = Host::serve("logs").arg("--log-limit=1Ki").start();
    let reply = host.get("/?kind=many&times=20");
    let printed = host.printed_by(&reply);
    let (last, messages) = printed.split_last().expect("something was logged");
    assert_eq!(messages, vec![("I".to_owned(), "again".to_owned()); 8]);
    assert!(
        last.1.starts_with("72 bytes of log output were dropped"),
        "{last:?}"
    );
}
