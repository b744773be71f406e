//! What a host says of itself on stderr: how much, and in which form.

use serde_json::Value;
use tests::{Host, PATIENCE, Signal, guest};

#[test]
fn as_json_each_line_is_an_object_from_the_beginning_to_the_end() {
    let host = Host::serve("hello")
        .arg("--diagnostics-format=json")
        .start_unannounced();
    let line = host.wait_for_stderr(|line| line.contains("Control plane: "));
    let object: Value = serde_json::from_str(&line).expect("it is JSON");
    assert_eq!(object["severity"], "INFO");
    host.signal(Signal::Term);
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
    let said = host.stderr();
    let messages = said.lines().map(|line| {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        object["message"].as_str().expect("it has one").to_owned()
    });
    let messages: Vec<_> = messages.collect();
    assert!(messages[0].starts_with("Function hello: "), "{messages:?}");
    let last = messages.last().expect("there are some");
    assert!(last.starts_with("Draining"), "{messages:?}");
}

#[test]
fn a_host_that_does_not_start_says_so_as_json_too() {
    let refused = Host::command(["serve"])
        .arg(guest("hello"))
        .args(["--diagnostics-format=json", "--addr=192.0.2.1:0"])
        .run_for(PATIENCE);
    assert_eq!(refused.code, Some(1));
    let last = refused.stderr.lines().last().expect("it says why");
    let object: Value = serde_json::from_str(last).expect("it is JSON");
    assert_eq!(object["severity"], "ERROR");
    let message = object["message"].as_str().expect("it has one");
    assert!(message.contains("192.0.2.1"), "{message}");
}

#[test]
fn a_level_leaves_out_what_is_below_it() {
    let said = |level: &str| {
        let refused = Host::command(["serve"])
            .arg(guest("hello"))
            .args([
                level,
                "--total-memory=1000000Gi",
                "--addr=192.0.2.1:0",
                "--allow-unauthenticated",
            ])
            .run_for(PATIENCE);
        let said = refused.stderr.lines().map(|line| line.split(':').next());
        said.map(|first| first.unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    for level in ["--log-level=debug", "--log-level=info", "--log-level=warn"] {
        assert_eq!(said(level), ["warning", "error"], "{level}");
    }
    assert_eq!(said("--log-level=error"), ["error"]);
}
