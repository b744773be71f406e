//! Log entries found again: by whatever is known of them, whether or not a host serves.

use serde_json::json;
use tests::{PATIENCE, Reply, Signal, State, wait_until};

/// A state with entries of `prints` and `echoes`, whose hosts are gone.
struct Logged {
    state: State,
    /// The reply of `prints` to each kind.
    lines: Reply,
    structured: Reply,
    failed: Reply,
}

impl Logged {
    fn new() -> Self {
        let state = State::new();
        let host = state.serve_component("prints").start();
        let lines = host.get("/?kind=line");
        let structured = host.get("/?kind=structured");
        let failed = host.get("/?kind=unknown");
        for reply in [&lines, &structured, &failed] {
            state.kept_of(reply.execution_id());
        }
        host.signal(Signal::Kill);
        host.wait(PATIENCE);
        Self {
            state,
            lines,
            structured,
            failed,
        }
    }
}

#[test]
fn entries_outlast_the_host_and_read_as_gcloud_prints_them() {
    let logged = Logged::new();
    let id = logged.lines.execution_id();
    let output = logged
        .state
        .read_log(&format!("prints --execution-id {id}"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "LEVEL  NAME    EXECUTION_ID  TIME_UTC                 LOG"
    );
    assert_eq!(lines.len(), 4, "{output:?}");
    assert!(lines[1].starts_with(&format!("D      prints  {id}  20")));
    assert!(lines[1].ends_with("Function execution started"));
    assert!(
        lines[2].starts_with(&format!("I      prints  {id}  20")) && lines[2].ends_with("a line")
    );
    assert!(lines[3].contains("Function execution took "));
    assert!(lines[3].ends_with(" ms, finished with status code: 200"));
}

#[test]
fn entries_are_found_by_whatever_is_known_of_them() {
    let logged = Logged::new();
    let state = &logged.state;
    let texts = |arguments: &str| state.kept_texts(arguments);
    let [ok, structured, failed] =
        [&logged.lines, &logged.structured, &logged.failed].map(Reply::execution_id);
    assert_eq!(texts("prints --contains line"), ["a line"]);
    assert_eq!(texts("prints --regex ^a.l"), ["a line"]);
    assert_eq!(texts("another"), [""; 0]);
    assert_eq!(texts("--limit 1 --order desc").len(), 1);
    let severities: Vec<_> = state
        .kept("--min-log-level warning")
        .iter()
        .map(|entry| entry["severity"].clone())
        .collect();
    assert!(severities.contains(&json!("WARNING")) && severities.contains(&json!("ERROR")));
    assert!(!severities.contains(&json!("INFO")) && !severities.contains(&json!("DEBUG")));
    let warning = state.kept("--severity WARNING");
    assert_eq!(warning.len(), 1, "{warning:?}");
    assert_eq!(warning[0]["labels"]["execution_id"], structured);
    assert_eq!(
        warning[0]["jsonPayload"],
        json!({"message": "mind the gap", "platform": 9})
    );
    let by_status = |status: &str| {
        let entries = state.kept(&format!("--status {status}"));
        let ids = entries
            .iter()
            .map(|entry| entry["labels"]["execution_id"].clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(by_status("200"), [ok, structured]);
    assert_eq!(by_status("2xx"), [ok, structured]);
    assert!(by_status("500-599").is_empty(), "a crash ends with a word");
    assert!(
        texts(&format!("--execution-id {failed}"))
            .last()
            .unwrap()
            .ends_with("status: 'crash'")
    );
    let trace = state.kept(&format!("--execution-id {ok}"))[0]["trace"].clone();
    let traced = state.kept(&format!("--trace {}", trace.as_str().unwrap()));
    assert_eq!(traced.len(), 3);
}

#[test]
fn times_bound_what_is_found() {
    let logged = Logged::new();
    let all = logged.state.kept("--limit 1000");
    let middle = all[all.len() / 2]["timestamp"].as_str().unwrap().to_owned();
    let before = logged.state.kept(&format!("--end-time {middle}"));
    let after = logged.state.kept(&format!("--start-time {middle}"));
    assert_eq!(before.len() + after.len(), all.len());
    assert_eq!(after[0]["timestamp"], middle);
    assert_eq!(logged.state.kept("--start-time -1h").len(), all.len());
    assert_eq!(logged.state.kept("--end-time -1h").len(), 0);
    assert_eq!(logged.state.kept("--end-time 2020-01-01").len(), 0);
}

#[test]
fn the_newest_entries_are_shown_oldest_first_and_backwards_by_choice() {
    let state = State::new();
    let host = state.serve_component("floods_log").start();
    let reply = host.get("/?lines=30&width=2");
    state.kept_of(reply.execution_id());
    let last = state.kept_texts("--limit 3");
    assert_eq!(last[..2], ["29", "30"]);
    assert!(last[2].starts_with("Function execution took"));
    let mut backwards = state.kept_texts("--limit 3 --order desc");
    backwards.reverse();
    assert_eq!(backwards, last);
    assert_eq!(state.kept_texts("").len(), 20);
}

#[test]
fn nothing_is_found_where_nothing_was_kept() {
    let state = State::with_store();
    let none = state.read_log("");
    assert_eq!(
        (none.code, none.stdout.as_str(), none.stderr.as_str()),
        (Some(0), "", "Listed 0 items.\n")
    );
    let host = state.serve_component("hello").arg("--no-keep-logs").start();
    host.get("/");
    host.signal(Signal::Term);
    host.wait(PATIENCE);
    assert_eq!(state.read_log("").stderr, "Listed 0 items.\n");
}

#[test]
fn what_makes_no_sense_is_refused_with_what_was_expected() {
    let state = State::with_store();
    for (arguments, code, expected) in [
        ("--limit 0", 2, "1..=1000"),
        ("--limit 1001", 2, "1..=1000"),
        ("--min-log-level loud", 2, "expected one of"),
        ("--start-time yesterday", 2, "or 2h for two hours ago"),
        ("--status 42", 2, "such as 503"),
        ("--format xml", 2, "logfmt"),
        ("--follow --order desc", 2, "cannot be used with"),
        ("--regex (", 1, "not a regular expression"),
    ] {
        let refused = state.read_log(arguments);
        assert_eq!(refused.code, Some(code), "{arguments}: {refused:?}");
        assert!(
            refused.stderr.contains(expected),
            "{arguments}: {refused:?}"
        );
        assert_eq!(refused.stdout, "", "{arguments}");
    }
}

#[test]
fn logfmt_says_the_same_in_pairs() {
    let logged = Logged::new();
    let id = logged.structured.execution_id();
    let output = logged.state.read_log(&format!(
        "--format logfmt --severity warning --execution-id {id}"
    ));
    let line = output.stdout.trim_end();
    assert!(
        line.starts_with("time=20") && line.contains(" level=WARNING function=prints "),
        "{line}"
    );
    assert!(line.contains(&format!(" execution_id={id} ")), "{line}");
    assert!(
        line.ends_with(" msg=\"mind the gap\" payload.platform=9"),
        "{line}"
    );
}

#[test]
fn a_deployment_and_a_deletion_leave_the_log_as_it_is() {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("f", "prints", &[]);
    let one = host.get("/f?kind=line");
    state.deploy("f", "prints", &["--memory=64Mi"]);
    let two = host.get("/f?kind=line");
    state.kept_of(two.execution_id());
    state.delete("f");
    let texts = state.kept_texts("f --contains line");
    assert_eq!(texts, ["a line", "a line"]);
    assert_ne!(one.execution_id(), two.execution_id());
    wait_until("the metrics tell of what was kept", || {
        host.metric("host_log_entries_total{fate=\"kept\"}") >= 6.0
    });
}

#[test]
fn a_function_is_found_by_any_name_that_it_can_have() {
    let state = State::new();
    for name in ["hello.v2", "With-Capitals_and.dots", "a b"] {
        let host = state
            .serve_component("prints")
            .args(["--name", name])
            .start();
        state.kept_of(host.get("/?kind=line").execution_id());
        host.signal(Signal::Term);
        host.wait(PATIENCE);
        let found = state
            .command(["functions", "logs", "read", name, "--format=json"])
            .run();
        assert_eq!(found.stdout.lines().count(), 3, "{found:?}");
    }
}

#[test]
fn a_name_that_has_no_entries_is_told_and_a_near_one_suggested() {
    let logged = Logged::new();
    for (arguments, told) in [
        (
            "print",
            "Listed 0 items.\nNo entry is kept of `print`; did you mean `prints`?\n",
        ),
        (
            "nowhere",
            "Listed 0 items.\nNo entry is kept of `nowhere`\n",
        ),
        ("prints --contains nothing", "Listed 0 items.\n"),
    ] {
        let none = logged.state.read_log(arguments);
        assert_eq!(
            (none.code, none.stdout.as_str(), none.stderr.as_str()),
            (Some(0), "", told)
        );
    }
}

#[test]
fn a_long_line_is_whole_where_there_is_no_terminal_to_cut_it_to() {
    let state = State::new();
    let host = state.serve_component("floods_log").start();
    let reply = host.get("/?lines=1&width=5000");
    state.kept_of(reply.execution_id());
    let table = state.read_log("--severity info");
    let line = format!("  {:x>5000}", 1);
    assert!(table.stdout.trim_end().ends_with(&line), "{table:?}");
    assert_eq!(table.stdout.lines().count(), 2);
}
