//! The settings of functions: kept unless they are named, and held to in every execution.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tests::{Host, MIB, Origin, Output, State, Wire, wait_until};

const SECRET: &str = "kTWd7uSq0yRnV2";

/// What the function `name` finds in its environment.
#[track_caller]
fn variables(host: &Host, name: &str) -> Vec<String> {
    let reply = host.get(&format!("/{name}"));
    assert_eq!(reply.status, 200, "{reply:?}");
    let lines = reply.text().lines();
    lines
        .filter_map(|line| line.strip_prefix("variable: "))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
}

#[track_caller]
fn begin(host: &Host, path: &str) -> Wire {
    let mut wire = host.connect();
    wire.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    wire
}

/// The files below `directory` that hold `secret`.
fn files_with(directory: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in fs::read_dir(directory).expect("it can be listed").flatten() {
        let path = path.path();
        if path.is_dir() {
            found.extend(files_with(&path, secret));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn redeploying_keeps_what_is_not_named() {
    let state = State::new();
    let settings = [
        "--memory=64Mi",
        "--timeout=1500ms",
        "--concurrency=7",
        "--max-instances=9",
        "--max-request-body=1000",
        "--max-response-body=unlimited",
        "--log-limit=1Ki",
        "--service-account=a@example.com",
        "--set-env-vars=A=1",
        "--set-config=C=2",
        "--keyvalue-entries=5",
        "--keyvalue-bytes=1Mi",
        "--keyvalue-bucket=ours",
        "--allow-outbound=https://api.example.com",
        "--host=API.example.com",
        "--update-labels=team=x",
    ];
    state.deploy("f", "hello", &settings);
    let before = state.describe("f");
    for (key, value) in [
        ("memory", json!("64Mi")),
        ("timeout", json!("1500ms")),
        ("concurrency", json!(7)),
        ("maxInstances", json!(9)),
        ("maxRequestBody", json!("1000")),
        ("maxResponseBody", json!("unlimited")),
        ("logLimit", json!("1Ki")),
        ("serviceAccountEmail", json!("a@example.com")),
        ("environmentVariables", json!({"A": "1"})),
        ("config", json!({"C": "2"})),
        ("keyvalueEntries", json!(5)),
        ("keyvalueBytes", json!("1Mi")),
        ("keyvalueBuckets", json!(["ours"])),
        ("allowOutbound", json!(["https://api.example.com"])),
        ("hosts", json!(["api.example.com"])),
        ("labels", json!({"team": "x"})),
    ] {
        assert_eq!(before[key], value, "{key}");
    }
    state.deploy("f", "echoes", &[]);
    let mut after = state.describe("f");
    for key in ["revision", "componentSha256", "updateTime"] {
        assert_ne!(after[key], before[key], "{key}");
        after[key].clone_from(&before[key]);
    }
    assert_eq!(after, before);
}

#[test]
fn what_is_cleared_is_gone() {
    let state = State::new();
    let settings = [
        "--max-instances=9",
        "--set-env-vars=A=1",
        "--set-config=C=2",
        "--keyvalue-bucket=ours",
        "--allow-outbound=https://api.example.com",
        "--host=api.example.com",
        "--update-labels=a=1,b=2",
    ];
    state.deploy("f", "hello", &settings);
    state.update(
        "f",
        &[
            "--clear-max-instances",
            "--clear-env-vars",
            "--clear-config",
            "--clear-keyvalue-buckets",
            "--clear-allow-outbound",
            "--clear-hosts",
            "--remove-labels=a",
        ],
    );
    let shown = state.describe("f");
    for key in [
        "maxInstances",
        "environmentVariables",
        "config",
        "keyvalueBuckets",
        "allowOutbound",
        "hosts",
    ] {
        assert!(shown[key].is_null(), "{key}: {shown:#}");
    }
    assert_eq!(shown["labels"], json!({"b": "2"}));
}

#[test]
fn variables_are_set_updated_and_removed() {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("f", "tries_files", &["--set-env-vars=A=1,B=x=y,C="]);
    assert_eq!(variables(&host, "f"), ["A=1", "B=x=y", "C="]);
    state.update("f", &["--update-env-vars=B=2,D=4"]);
    assert_eq!(variables(&host, "f"), ["A=1", "B=2", "C=", "D=4"]);
    state.update("f", &["--remove-env-vars=A,C,never"]);
    assert_eq!(variables(&host, "f"), ["B=2", "D=4"]);
    state.update("f", &["--set-env-vars=E=5"]);
    assert_eq!(variables(&host, "f"), ["E=5"]);
    state.update("f", &["--clear-env-vars"]);
    assert_eq!(variables(&host, "f"), [""; 0]);
}

#[test]
fn variables_come_from_a_file_of_yaml_or_json() {
    let state = State::new();
    let host = state.serve().start();
    let yaml = state.file("vars.yaml", "# ours\nA: one\nB: \"2\"\nC: a,b=c\n");
    state.deploy("f", "tries_files", &["--set-env-vars=Z=gone"]);
    state.update("f", &["--env-vars-file", &yaml.to_string_lossy()]);
    assert_eq!(variables(&host, "f"), ["A=one", "B=2", "C=a,b=c"]);
    let json = state.file("vars.json", r#"{"A": "two\nlines"}"#);
    state.update("f", &["--env-vars-file", &json.to_string_lossy()]);
    assert_eq!(variables(&host, "f")[0], "A=two");
}

#[test]
fn a_file_that_holds_no_variables_changes_nothing() {
    let state = State::new();
    state.deploy("f", "hello", &["--set-env-vars=A=1"]);
    let before = state.describe("f");
    for (name, text) in [
        ("list.yaml", "- A\n- B\n"),
        ("text.yaml", "just words"),
        ("broken.json", "{\"A\": "),
        ("deep.yaml", "A: {B: c}\n"),
        ("binary.yaml", "\u{0}\u{1}"),
    ] {
        let file = state.file(name, text);
        let command = state.functions(["deploy", "f", "--env-vars-file"]);
        assert_refused(&command.arg(&file).run(), &[name]);
    }
    let command = state.functions(["deploy", "f", "--env-vars-file", "/nowhere.yaml"]);
    assert_refused(&command.run(), &["/nowhere.yaml", "No such file"]);
    assert_eq!(state.describe("f"), before);
}

/// None could be given to a component: names end at `=`, and both end at NUL.
#[test]
fn a_variable_that_no_environment_can_hold_is_refused() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    for text in [
        "{\"A=B\": \"x\"}",
        "{\"\": \"x\"}",
        "{\"A\": \"x\\u0000y\"}",
    ] {
        let file = state.file("vars.json", text);
        let command = state.functions(["deploy", "f", "--env-vars-file"]);
        assert_refused(&command.arg(&file).run(), &["vars.json"]);
    }
    assert!(state.describe("f")["environmentVariables"].is_null());
}

#[test]
fn a_secret_reaches_the_function_and_nobody_else() {
    let state = State::new();
    let secrets = state.file("key", format!("{SECRET}\n"));
    let flag = format!("--set-secrets=API_KEY={}", secrets.display());
    let host = state.serve().start();
    let deployed = state.deploy("f", "tries_files", &[&flag, "--set-env-vars=A=1"]);
    assert_eq!(variables(&host, "f"), ["A=1", &format!("API_KEY={SECRET}")]);
    let mut shown = vec![deployed];
    for arguments in [
        &["list"][..],
        &["list", "--format=json"],
        &["list", "--format=yaml"],
        &["describe", "f"],
        &["describe", "f", "--format=json"],
    ] {
        shown.push(state.functions(arguments).run());
    }
    for output in &shown {
        assert_eq!(output.code, Some(0), "{output:?}");
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(!text.contains(SECRET), "{text}");
    }
    assert!(shown.iter().any(|output| output.stdout.contains("API_KEY")));
    assert!(!host.stderr().contains(SECRET));
    assert!(!host.log().join("\n").contains(SECRET));
    assert!(!host.control_plane("/metrics").text().contains(SECRET));
    assert_eq!(files_with(&state.path(), SECRET), [""; 0]);
    state.update("f", &["--remove-secrets=API_KEY"]);
    assert_eq!(variables(&host, "f"), ["A=1"]);
}

#[test]
fn secrets_are_set_updated_and_removed() {
    let state = State::new();
    let file = state.file("key", SECRET).display().to_string();
    let names = || {
        let secrets = &state.describe("f")["secretFiles"];
        let names = secrets.as_object().into_iter().flatten();
        names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    state.deploy("f", "hello", &[&format!("--set-secrets=A={file},B={file}")]);
    state.update("f", &[&format!("--update-secrets=C={file}")]);
    assert_eq!(names(), ["A", "B", "C"]);
    state.update("f", &["--remove-secrets=A"]);
    assert_eq!(names(), ["B", "C"]);
    state.update("f", &[&format!("--set-secrets=D={file}")]);
    assert_eq!(names(), ["D"]);
}

#[test]
fn a_secret_that_cannot_be_read_changes_nothing() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let before = state.describe("f");
    let directory = state.beside().display().to_string();
    let binary = state.file("binary", [0xff, 0xfe]).display().to_string();
    for file in ["/nowhere/key", &directory, &binary, "/dev/zero"] {
        let flag = format!("--set-secrets=K={file}");
        let output = state.functions(["deploy", "f", &flag]).run();
        assert_refused(&output, &["secret", file]);
    }
    assert_eq!(state.describe("f"), before);
}

#[test]
fn labels_are_added_changed_and_removed() {
    let state = State::new();
    state.deploy("f", "hello", &["--update-labels=a=1,b=2"]);
    state.update("f", &["--update-labels=b=3,c=4", "--remove-labels=a"]);
    assert_eq!(state.describe("f")["labels"], json!({"b": "3", "c": "4"}));
}

#[test]
fn limits_of_an_execution_are_those_of_its_function() {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("allocates", "allocates", &["--memory=16Mi"]);
    assert_eq!(host.get("/allocates?mib=32").status, 500);
    state.update("allocates", &["--memory=64Mi"]);
    assert_eq!(host.get("/allocates?mib=32").text(), "32 MiB\n");
    state.deploy("sleeps", "sleeps", &["--timeout=200ms"]);
    assert_eq!(host.get("/sleeps").status, 504);
    state.deploy("echoes", "echoes", &["--max-request-body=10"]);
    assert_eq!(host.post("/echoes", [b'x'; 10]).status, 200);
    assert_eq!(host.post("/echoes", [b'x'; 11]).status, 413);
    state.deploy("streams", "streams", &["--max-response-body=1000"]);
    assert_eq!(host.get("/streams?chunks=1&size=1000").status, 200);
    assert_eq!(host.get("/streams?chunks=1&size=1001").status, 502);
    state.update("streams", &["--max-response-body=unlimited"]);
    assert_eq!(host.get("/streams?mib=33").body.len() as u64, 33 * MIB);
}

#[test]
fn the_log_of_an_execution_is_bounded_as_its_function_says() {
    let state = State::new();
    let host = state.serve().start();
    let printed = |name: &str| {
        let reply = host.get(&format!("/{name}?lines=100&width=99"));
        let printed = host.printed_by(&reply);
        printed
            .iter()
            .filter(|(_, line)| line.ends_with(char::is_numeric))
            .count()
    };
    state.deploy("brief", "floods_log", &["--log-limit=1000"]);
    state.deploy("long", "floods_log", &[]);
    assert_eq!(printed("long"), 100);
    assert!((7..=8).contains(&printed("brief")), "{}", printed("brief"));
}

#[test]
fn a_function_calls_whom_it_may_and_nobody_else() {
    let state = State::new();
    let host = state.serve().start();
    let origin = Origin::start();
    let path = format!("/f?url=http://{}/", origin.addr());
    state.deploy("f", "calls_out", &[]);
    assert_eq!(host.get(&path).status, 502);
    state.update(
        "f",
        &[&format!("--allow-outbound=http://{}", origin.addr())],
    );
    assert_eq!(host.get(&path).text(), "here\n");
    state.update("f", &["--clear-allow-outbound"]);
    assert_eq!(host.get(&path).status, 502);
    assert_eq!(origin.connections(), 1);
}

#[test]
fn concurrency_bounds_the_executions_on_a_worker() {
    let state = State::new();
    state.deploy("f", "sleeps", &["--concurrency=1"]);
    let bounds = ["--workers=1", "--queue-time=300ms"];
    let host = state.serve().args(bounds).start();
    let _busy = begin(&host, "/f");
    host.wait_for_starts(1);
    assert_eq!(host.get("/f?ms=1").status, 503);
    state.update("f", &["--concurrency=2"]);
    assert_eq!(host.get("/f?ms=1").status, 200);
}

#[test]
fn max_instances_is_held_over_all_workers() {
    let state = State::new();
    state.deploy("f", "sleeps", &["--max-instances=1"]);
    let bounds = ["--workers=2", "--queue-time=10s"];
    let host = state.serve().args(bounds).start();
    let begun: Vec<Wire> = (0..6).map(|_| begin(&host, "/f?ms=50")).collect();
    for mut wire in begun {
        assert_eq!(wire.read_reply().status, 200);
    }
    host.wait_for_log(|line| line.contains("took"));
    let mut running = 0_i32;
    for line in host.log() {
        running += i32::from(line.contains("Function execution started"));
        assert!(running <= 1, "{:#?}", host.log());
        running -= i32::from(line.contains("Function execution took"));
    }
}

#[test]
fn a_function_at_its_bound_keeps_no_other_from_the_worker() {
    let state = State::new();
    state.deploy("f", "sleeps", &["--max-instances=1"]);
    state.deploy("other", "sleeps", &[]);
    let bounds = ["--workers=1", "--max-executions=2", "--queue-time=10s"];
    let host = state.serve().args(bounds).start();
    let _busy = begin(&host, "/f");
    host.wait_for_starts(1);
    let _waiting = begin(&host, "/f");
    let waiting = r#"host_queue_length{function="f"}"#;
    wait_until("one waits", || host.metric(waiting) == 1.0);
    let mut other = begin(&host, "/other?ms=1");
    assert!(!other.is_silent_for(Duration::from_secs(5)));
    assert_eq!(other.read_reply().text(), "slept\n");
}

#[test]
fn a_request_beyond_max_instances_waits_on_either_worker() {
    let state = State::new();
    state.deploy("f", "sleeps", &["--max-instances=2"]);
    let bounds = ["--workers=2", "--queue-time=300ms"];
    let host = state.serve().args(bounds).start();
    let _busy = [begin(&host, "/f"), begin(&host, "/f")];
    host.wait_for_starts(2);
    let mut waiting = [begin(&host, "/f?ms=1"), begin(&host, "/f?ms=1")];
    assert!(waiting[0].is_silent_for(Duration::from_millis(50)));
    for wire in &mut waiting {
        assert_eq!(wire.read_reply().status, 503);
    }
}
