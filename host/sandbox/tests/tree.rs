//! What the crate has in its tree of dependencies, and what it must not have.

use std::process::Command;

/// The crates that a program gets with this one, by their names.
fn tree(features: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "host-sandbox", "--locked"])
        .args([
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[track_caller]
fn assert_none_of(unwanted: &[&str], tree: &[String]) {
    assert!(tree.iter().any(|name| name == "wasmtime"), "{tree:?}");
    for name in tree {
        assert!(!unwanted.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn there_is_no_database_no_command_line_and_no_format_of_files() {
    let unwanted = [
        "clap",
        "croner",
        "libsqlite3-sys",
        "mimalloc",
        "prometheus-client",
        "prost",
        "rusqlite",
        "schemars",
        "serde-saphyr",
        "toml",
    ];
    assert_none_of(&unwanted, &tree(&[]));
}

#[test]
fn without_outbound_calls_there_is_no_tls() {
    let unwanted = [
        "hyper-rustls",
        "ring",
        "rustls",
        "rustls-webpki",
        "webpki-roots",
    ];
    assert_none_of(&unwanted, &tree(&["--no-default-features"]));
    assert_none_of(
        &unwanted,
        &tree(&["--no-default-features", "--features", "compile-cache"]),
    );
}
