//! What `host new` writes is built with its language's own tools. Slow, and in need of a network.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::{Directory, Host, host_binary, new_project};

/// Runs a command of the project's README, where the project is.
#[track_caller]
fn run(directory: &Directory, command: &str) {
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(directory.path())
        .env("CARGO_TARGET_DIR", directory.path().join("target"))
        .status()
        .expect("there is a shell");
    assert!(status.success(), "{command}");
}

#[track_caller]
fn assert_greets(component: &Path) {
    assert!(host_binary().exists());
    let state = Directory::new();
    // Compiled for what comes after: a component with a Python in it takes a while.
    let check = Host::command(["check"])
        .arg(component)
        .env("HOST_STATE_DIR", state.path())
        .run_for(Duration::from_secs(300));
    assert_eq!(check.code, Some(0), "{check:?}");
    let host = Host::command(["serve"])
        .arg(component)
        .env("HOST_STATE_DIR", state.path())
        .args(["--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"])
        .start();
    let reply = host.post("/", r#"{"name": "template"}"#);
    assert_eq!((reply.status, reply.text()), (200, "Hello template!"));
    assert_eq!(host.post("/", "no JSON").status, 400);
    for peer in ["Spin            yes", "wasmCloud       yes"] {
        assert!(check.stdout.contains(peer), "{check:?}");
    }
}

#[test]
fn wash_takes_the_configuration_of_each_project() {
    for template in ["rust", "python"] {
        let project = new_project(template);
        let file = ".wash/config.yaml";
        run(
            &project,
            &format!("$HOST_PEERS/wash config validate --file {file}"),
        );
    }
}

#[test]
fn the_rust_project_passes_its_tests_is_built_and_greets() {
    let project = new_project("rust");
    run(&project, "cargo test --quiet");
    run(
        &project,
        "cargo build --quiet --release --target wasm32-wasip2",
    );
    let built = "target/wasm32-wasip2/release/my_function.wasm";
    assert_greets(&project.path().join(built));
}

#[test]
fn the_python_project_passes_its_tests_is_built_and_greets() {
    assert!(env::var_os("HOST_PEERS").is_some(), "HOST_PEERS is not set");
    let project = new_project("python");
    run(&project, "python3 -m unittest --quiet");
    run(
        &project,
        "PATH=$HOST_PEERS:$PATH componentize-py -d wit -w function componentize app -o my-function.wasm",
    );
    assert_greets(&project.path().join("my-function.wasm"));
}
