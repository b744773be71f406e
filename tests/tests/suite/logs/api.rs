//! The log of a host elsewhere, logs other than that of the functions, and the audit log.

use serde_json::{Value, json};
use tests::{Host, PATIENCE, Signal, State, wait_until};

fn write(host: &Host, token: &str, text: &str) {
    let body = json!({
        "logName": "projects/local/logs/my-log",
        "resource": { "type": "global" },
        "entries": [{ "severity": "ERROR", "textPayload": text }],
    });
    let answer = host.called(token, "POST /v2/entries:write", &body);
    assert_eq!(answer, json!({}));
}

/// Flags of a command for `host`, of somebody who has no state directory of their own.
fn elsewhere(state: &State, host: &Host) -> Vec<String> {
    let token = state.file("token", state.access_token());
    vec![
        "--endpoint".into(),
        format!("http://{}", host.admin_addr()),
        "--access-token-file".into(),
        token.display().to_string(),
    ]
}

#[test]
fn the_log_reads_the_same_here_and_from_another_machine() {
    let state = State::new();
    state.deploy("f", "prints", &[]);
    let host = state.serve().start();
    state.kept_of(host.get("/f?kind=line").execution_id());
    let token = state.access_token();
    write(&host, &token, "from a client");
    let nobody = State::new();
    for command in [
        &["functions", "logs", "read", "f"][..],
        &[
            "functions",
            "logs",
            "read",
            "--contains",
            "line",
            "-o",
            "json",
        ],
        &["functions", "logs", "read", "another"],
        &["functions", "logs", "read", "--filter", "severity>=INFO"],
        &["functions", "logs", "read", "--regex", "("],
        &["logs", "read", "severity>=ERROR", "--log", "my-log"],
        &["logging", "read", "textPayload:client", "--freshness", "1h"],
        &["logs", "read", "severity>="],
    ] {
        let here = state.command(command).run();
        let there = nobody.command(command).args(elsewhere(&state, &host)).run();
        let shown =
            |output: &tests::Output| (output.code, output.stdout.clone(), output.stderr.clone());
        assert_eq!(shown(&here), shown(&there), "{command:?}");
    }
    let read = state.run("logging read textPayload:client -o json");
    let entry: Value = serde_json::from_str(&read.stdout).unwrap();
    assert_eq!(entry["textPayload"], "from a client");
    assert_eq!(
        state.kept_texts("--contains client"),
        [""; 0],
        "of functions"
    );
}

#[test]
fn new_entries_are_shown_on_another_machine_until_the_host_ends() {
    let state = State::with_store();
    let host = state.serve().start();
    let token = state.access_token();
    write(&host, &token, "before");
    let nobody = State::new();
    let follows = nobody
        .command(["logs", "read", "--log", "my-log", "--follow", "-o", "json"])
        .args(elsewhere(&state, &host))
        .start_unannounced();
    follows.wait_for_log(|line| line.contains("before"));
    write(&host, &token, "after");
    follows.wait_for_log(|line| line.contains("after"));
    host.signal(Signal::Term);
    assert_eq!(follows.wait(PATIENCE).code(), Some(1));
    assert!(
        follows.stderr().contains("the host"),
        "{}",
        follows.stderr()
    );
}

#[test]
fn who_changed_what_is_in_the_audit_log_whether_or_not_a_host_serves() {
    let state = State::with_store();
    state.create_job("before", "0 0 1 1 *", "http://127.0.0.1:1/", &[]);
    {
        let _host = state.serve().start();
        state.create_job("during", "0 0 1 1 *", "http://127.0.0.1:1/", &[]);
        wait_until("the change is in the log", || {
            state
                .run("logs read --audit")
                .stdout
                .contains("jobs/during")
        });
    }
    let read = state.run("logs read --audit --format json");
    let entries = read
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let names: Vec<Value> = entries
        .map(|entry: Value| entry["protoPayload"]["resourceName"].clone())
        .collect();
    let name = |job| json!(format!("projects/local/locations/local/jobs/{job}"));
    // The store was made with other changes.
    assert!(
        names.ends_with(&[name("before"), name("during")]),
        "{names:?}"
    );
    assert!(
        state
            .kept_texts("")
            .iter()
            .all(|text| !text.contains("CreateJob"))
    );
}
