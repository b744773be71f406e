//! `host functions`: what its verbs do, what they print where, and how they end.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::{Host, Output, State, guest, wait_until};

/// That a command failed with one line, which has each of `words`, and printed no data.
#[track_caller]
fn assert_failed(output: &Output, words: &[&str]) {
    assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
    let errors = output.stderr.lines().filter(|line| line.contains("error"));
    assert_eq!(errors.count(), 1, "{}", output.stderr);
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
}

#[track_caller]
fn assert_silent_success(output: &Output) {
    assert_eq!((output.code, &*output.stdout), (Some(0), ""), "{output:?}");
}

fn url(host: &Host, path: &str) -> String {
    format!("http://{}{path}", host.addr())
}

#[test]
fn deploy_prints_the_url_on_stdout_and_the_rest_on_stderr() {
    let state = State::new();
    let output = state.deploy("greet", "hello", &["--trigger-http"]);
    assert_eq!(output.stdout, "url: http://127.0.0.1:8080/greet\n");
    for word in ["hello.wasm", "Deployed revision 1 of [greet]", "host serve"] {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
    let host = state.serve().start();
    let output = state.deploy("greet", "hello", &[]);
    assert_eq!(output.stdout, format!("url: {}\n", url(&host, "/greet")));
    assert!(output.stderr.contains("revision 2"), "{}", output.stderr);
    assert!(!output.stderr.contains("host serve"), "{}", output.stderr);
}

#[test]
fn a_component_can_come_from_standard_input() {
    let state = State::new();
    let deploy = |file: &std::path::Path| {
        let command = state.functions(["deploy", "greet", "--source=-"]);
        let redirection = format!("< '{}'", file.display());
        command.in_shell("", &redirection).run()
    };
    let refused = deploy(&state.file("text.wasm", "fn main() {}"));
    assert_failed(&refused, &["standard input: ", "not WebAssembly"]);
    let deployed = deploy(&guest("hello"));
    assert_eq!(deployed.code, Some(0), "{deployed:?}");
    let sha256 = &state.describe("greet")["componentSha256"];
    state.deploy("other", "hello", &[]);
    assert_eq!(&state.describe("other")["componentSha256"], sha256);
}

#[test]
fn a_component_is_needed_the_first_time_only() {
    let state = State::new();
    let output = state.functions(["deploy", "greet", "--memory=64Mi"]).run();
    assert_failed(&output, &["`greet`", "--source"]);
    assert!(!state.path().exists());
    state.deploy("greet", "hello", &[]);
    let before = state.describe("greet");
    state.update("greet", &["--memory=64Mi"]);
    let after = state.describe("greet");
    assert_eq!(after["componentSha256"], before["componentSha256"]);
    assert_eq!(after["memory"], "64Mi");
    assert_eq!(before["revision"], 1);
    assert_eq!(after["revision"], 2);
    assert_eq!(after["createTime"], before["createTime"]);
    assert_ne!(after["updateTime"], before["updateTime"]);
}

#[test]
fn list_is_an_aligned_table_or_json_or_yaml() {
    let state = State::with_store();
    let empty = state.functions(["list"]).run();
    assert_silent_success(&empty);
    assert_eq!(empty.stderr, "Listed 0 items.\n");
    for name in ["second", "a"] {
        state.deploy(name, "hello", &[]);
    }
    assert_eq!(
        state.functions(["list"]).run().stdout,
        "NAME    STATE       REVISION  INVOKERS  URL\n\
         a       NOT SERVED  1         anyone    http://127.0.0.1:8080/a\n\
         second  NOT SERVED  1         anyone    http://127.0.0.1:8080/second\n"
    );
    let host = state.serve().start();
    let table = state.functions(["list"]).run();
    assert_eq!(table.stderr, "");
    let active = format!("a       ACTIVE  1         anyone    {}", url(&host, "/a"));
    assert_eq!(table.stdout.lines().nth(1), Some(&*active));
    assert_eq!(state.names(), ["a", "second"]);
    let yaml = state.functions(["list", "--format=yaml"]).run();
    assert!(yaml.stdout.starts_with("- "), "{}", yaml.stdout);
    assert!(
        yaml.stdout.contains("\n  state: ACTIVE\n"),
        "{}",
        yaml.stdout
    );
}

#[test]
fn an_empty_list_is_an_empty_array_for_machines() {
    let state = State::with_store();
    assert_eq!(state.list(), [json!(null); 0]);
    let yaml = state.functions(["list", "--format=yaml"]).run();
    assert_eq!(yaml.stdout, "[]\n");
}

#[test]
fn describe_shows_all_there_is_to_know() {
    let state = State::new();
    state.deploy(
        "greet",
        "hello",
        &["--max-instances=3", "--update-labels=team=a"],
    );
    let host = state.serve().start();
    let shown = state.describe("greet");
    for (key, value) in [
        ("name", json!("greet")),
        ("url", json!(url(&host, "/greet"))),
        ("state", json!("ACTIVE")),
        ("revision", json!(1)),
        ("allowUnauthenticated", json!(true)),
        ("memory", json!("256Mi")),
        ("timeout", json!("60s")),
        ("concurrency", json!(80)),
        ("maxInstances", json!(3)),
        ("maxRequestBody", json!("10Mi")),
        ("maxResponseBody", json!("32Mi")),
        ("logLimit", json!("256Ki")),
        ("labels", json!({"team": "a"})),
    ] {
        assert_eq!(shown[key], value, "{key}: {shown:#}");
    }
    let sha256 = shown["componentSha256"].as_str().unwrap_or_default();
    assert_eq!(sha256.len(), 64, "{shown:#}");
    let yaml = state.functions(["describe", "greet"]).run();
    assert!(yaml.stdout.contains("\nname: greet\n"), "{}", yaml.stdout);
    assert!(yaml.stdout.contains(sha256), "{}", yaml.stdout);
}

#[test]
fn describe_shows_who_may_call() {
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    assert!(state.describe("greet")["invokers"].is_null());
    for command in [
        "iam service-accounts create caller",
        "functions add-iam-policy-binding greet --role roles/run.invoker \
         --member serviceAccount:caller@host.internal",
    ] {
        let output = state.run(command);
        assert_eq!(output.code, Some(0), "{output:?}");
    }
    let invokers = json!(["serviceAccount:caller@host.internal"]);
    assert_eq!(state.describe("greet")["invokers"], invokers);
    let yaml = state.functions(["describe", "greet"]).run();
    let shown = "\ninvokers:\n- serviceAccount:caller@host.internal\n";
    assert!(yaml.stdout.contains(shown), "{}", yaml.stdout);
}

#[test]
fn delete_takes_the_function_and_its_component_away() {
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    state.deploy("other", "echoes", &[]);
    let host = state.serve().start();
    assert_eq!(host.post("/greet", "{}").status, 200);
    let output = state.functions(["delete", "greet", "--quiet"]).run();
    assert_silent_success(&output);
    assert_eq!(output.stderr, "Deleted [greet].\n");
    assert_eq!(host.post("/greet", "{}").status, 404);
    assert_eq!(host.post("/other", "here").text(), "here");
    assert_eq!(state.names(), ["other"]);
    let again = state.functions(["delete", "greet", "--quiet"]).run();
    assert_failed(&again, &["no function `greet`"]);
}

/// Nobody is there to answer.
#[test]
fn without_a_terminal_what_deletes_wants_to_be_told_not_to_ask() {
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    state.create_job("job", "0 * * * *", "http://127.0.0.1:1/", &[]);
    let created = state.run("iam service-accounts create caller");
    assert_eq!(created.code, Some(0), "{created:?}");
    for line in [
        "functions delete greet",
        "scheduler jobs delete job",
        "iam service-accounts delete caller@host.internal",
    ] {
        let refused = state.run(line);
        assert_failed(&refused, &["--quiet", "Nothing was changed"]);
        let quiet = state.run(&format!("{line} --quiet"));
        assert_silent_success(&quiet);
        let again = state.run(&format!("{line} --quiet"));
        assert_failed(&again, &["there is no "]);
    }
}

#[test]
fn list_shows_who_may_call() {
    let state = State::new();
    for (name, flag) in [
        ("open", "--allow-unauthenticated"),
        ("shut", "--no-allow-unauthenticated"),
    ] {
        let deployed = state
            .functions(["deploy", name, flag, "--source"])
            .arg(guest("hello"))
            .run();
        assert_eq!(deployed.code, Some(0), "{deployed:?}");
    }
    let shown = |word: &str| {
        let list = state.functions(["list"]).run().stdout;
        let shut = list
            .lines()
            .find(|line| line.starts_with("shut"))
            .unwrap_or_default();
        assert!(shut.contains(word), "{list}");
        list
    };
    let list = shown(" nobody ");
    assert!(
        list.lines()
            .nth(1)
            .is_some_and(|line| line.contains(" anyone ")),
        "{list}"
    );
    for (member, word) in [
        ("user:a@example.com", " user:a@example.com "),
        ("user:b@example.com", " 2 members "),
    ] {
        let flags = format!("--role=roles/run.invoker --member={member}");
        let added = state.run(&format!("functions add-iam-policy-binding shut {flags}"));
        assert_eq!(added.code, Some(0), "{added:?}");
        shown(word);
    }
}

#[test]
fn on_a_terminal_delete_asks_first() {
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    let delete = || state.functions(["delete", "greet"]);
    let question = "Function [greet] will be deleted, with the keys and values that it keeps. \
                    Do you want to continue (y/N)?";
    let kept = delete().run_on_terminal("n\n");
    assert_eq!(kept.code, Some(1), "{kept:?}");
    assert!(kept.stdout.contains(question), "{kept:?}");
    assert!(kept.stdout.contains("nothing was changed"), "{kept:?}");
    assert_eq!(state.names(), ["greet"]);
    let deleted = delete().run_on_terminal("y\n");
    assert_eq!(deleted.code, Some(0), "{deleted:?}");
    assert!(deleted.stdout.contains(question), "{deleted:?}");
    assert_eq!(state.names(), [""; 0]);
    state.deploy("greet", "hello", &[]);
    let quiet = delete().arg("--quiet").run_on_terminal("");
    assert_eq!(quiet.code, Some(0), "{quiet:?}");
    assert!(!quiet.stdout.contains("continue"), "{quiet:?}");
}

#[test]
fn a_name_can_be_used_again_after_delete() {
    let state = State::new();
    state.deploy("greet", "hello", &["--set-env-vars=A=1"]);
    let host = state.serve().start();
    state.delete("greet");
    state.deploy("greet", "echoes", &[]);
    let shown = state.describe("greet");
    assert_eq!(shown["revision"], 1);
    assert!(shown["environmentVariables"].is_null(), "{shown:#}");
    assert_eq!(host.post("/greet", "new").text(), "new");
}

#[test]
fn a_function_is_private_unless_it_is_said_otherwise() {
    let state = State::new();
    let host = state.serve().start();
    let deploy = |flags: &[&str]| {
        let command = state.functions(["deploy", "greet", "--source"]);
        command.arg(guest("hello")).args(flags).run()
    };
    assert_eq!(deploy(&[]).code, Some(0));
    assert_eq!(host.post("/greet", "{}").status, 401);
    assert_eq!(deploy(&["--allow-unauthenticated"]).code, Some(0));
    assert_eq!(host.post("/greet", "{}").status, 200);
    assert_eq!(deploy(&["--no-allow-unauthenticated"]).code, Some(0));
    assert_eq!(host.post("/greet", "{}").status, 401);
    let both = deploy(&["--allow-unauthenticated", "--no-allow-unauthenticated"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn commands_do_the_same_whether_or_not_a_host_serves() {
    let state = State::new();
    state.deploy("early", "hello", &[]);
    let host = state.serve().start();
    assert_eq!(host.post("/early", "{}").status, 200);
    state.deploy("late", "hello", &[]);
    assert_eq!(host.post("/late", "{}").status, 200);
    state.delete("early");
    drop(host);
    assert_eq!(state.names(), ["late"]);
    state.update("late", &["--memory=64Mi"]);
    let host = state.serve().start();
    assert_eq!(host.post("/late", "{}").status, 200);
    assert_eq!(host.post("/early", "{}").status, 404);
}

#[test]
fn a_serving_host_takes_up_a_change_within_a_second() {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("greet", "hello", &[]);
    let within_a_second = |change: &dyn Fn(), is_taken_up: &dyn Fn() -> bool| {
        let begun = Instant::now();
        change();
        wait_until("the change is taken up", is_taken_up);
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(1), "{waited:?}");
    };
    let status = || host.post("/greet", "{}").status;
    within_a_second(
        &|| state.update("greet", &["--no-allow-unauthenticated"]),
        &|| status() == 401,
    );
    within_a_second(&|| state.delete("greet"), &|| status() == 404);
}

#[test]
fn the_state_is_its_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    let state = State::new();
    state.deploy("greet", "hello", &[]);
    let _host = state.serve().start();
    let mode = |path| fs::metadata(path).expect("it is there").mode() & 0o777;
    assert_eq!(mode(state.path()), 0o700);
    let files = fs::read_dir(state.path()).expect("it can be listed");
    for file in files.flatten().map(|entry| entry.path()) {
        let expected = if file.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(file.clone()), expected, "{}", file.display());
    }
}
