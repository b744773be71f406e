//! Says which commit and which wasmtime the program is made of.

use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-env-changed=HOST_COMMIT");
    println!("cargo::rerun-if-changed=../Cargo.lock");
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/refs/heads");
    let commit = env::var("HOST_COMMIT").ok().or_else(commit);
    println!(
        "cargo::rustc-env=HOST_VERSION={} (commit {}, wasmtime {})",
        env::var("CARGO_PKG_VERSION").unwrap_or_default(),
        commit.as_deref().unwrap_or("unknown"),
        wasmtime().as_deref().unwrap_or("unknown")
    );
}

/// The commit of the clone that this is built in, if it is one.
fn commit() -> Option<String> {
    let git = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()?;
    let commit = String::from_utf8(git.stdout).ok()?.trim().to_owned();
    (git.status.success() && !commit.is_empty()).then_some(commit)
}

/// The version of wasmtime that the lock file names.
fn wasmtime() -> Option<String> {
    let lock = fs::read_to_string("../Cargo.lock").ok()?;
    let (_, after) = lock.split_once("name = \"wasmtime\"\nversion = \"")?;
    after.split('"').next().map(str::to_owned)
}
