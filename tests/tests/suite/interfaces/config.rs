//! `wasi:config`: a function finds there what its settings say.

use serde_json::json;
use tests::{Host, State};

/// What the function `f` finds.
#[track_caller]
fn found(host: &Host) -> Vec<String> {
    let reply = host.get("/f");
    assert!([200, 404].contains(&reply.status), "{reply:?}");
    reply.text().lines().map(str::to_owned).collect()
}

#[test]
fn values_are_set_updated_and_removed() {
    let state = State::new();
    let host = state.serve().start();
    state.deploy("f", "reads_config", &["--set-config=a=1,b=x=y,c="]);
    assert_eq!(found(&host), ["a=1", "b=x=y", "c="]);
    assert_eq!(host.get("/f?key=b").text(), "x=y");
    assert_eq!(host.get("/f?key=d").status, 404);
    state.update("f", &["--update-config=b=2,d=4"]);
    assert_eq!(found(&host), ["a=1", "b=2", "c=", "d=4"]);
    state.update("f", &["--remove-config=a,c,never"]);
    assert_eq!(found(&host), ["b=2", "d=4"]);
    assert_eq!(state.describe("f")["config"], json!({"b": "2", "d": "4"}));
    // What is not named stays, and the environment is another thing.
    state.update("f", &["--memory=64Mi", "--set-env-vars=e=5"]);
    assert_eq!(found(&host), ["b=2", "d=4"]);
    state.update("f", &["--clear-config"]);
    assert_eq!(found(&host), [""; 0]);
}

#[test]
fn a_file_declares_them() {
    let state = State::new();
    let source = tests::guest("reads_config");
    let file = format!(
        "[functions.f]\nsource = {source:?}\nallow-unauthenticated = true\n[functions.f.config]\ngreeting = \"Hello\"\n"
    );
    let file = state.file("host.toml", file);
    let host = state.serve().arg("--config").arg(file).start();
    assert_eq!(found(&host), ["greeting=Hello"]);
}

#[test]
fn a_component_on_the_command_line_has_them_too() {
    let host = Host::serve("reads_config")
        .arg("--set-config=a=1")
        .arg("--set-env-vars=b=2")
        .start();
    assert_eq!(host.get("/").text(), "a=1");
    let host = Host::serve("reads_config").start();
    assert_eq!(host.get("/").status, 404);
}
