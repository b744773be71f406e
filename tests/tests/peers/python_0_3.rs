//! A component of WASI 0.3 in Python, as componentize-py makes it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use tests::{Directory, FREE_PORTS, Host};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The interfaces of WASI 0.3, as wasmtime's crate has them.
fn interfaces() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .arg("--filter-platform=x86_64-unknown-linux-gnu")
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("it is JSON");
    let packages = metadata["packages"].as_array().expect("there are some");
    let package = packages
        .iter()
        .find(|package| package["name"] == "wasmtime-wasi-http");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = Path::new(manifest.expect("the host is built with it"));
    manifest.with_file_name("src").join("p3").join("wit")
}

#[test]
fn it_greets_fresh_and_warm_with_one_request_at_once_and_with_several() {
    let peers = env::var_os("HOST_PEERS").expect("HOST_PEERS names the folder of the peers");
    let directory = Directory::new();
    let source = Path::new(ROOT).join("tests/guests-p3/python/app.py");
    fs::copy(source, directory.path().join("app.py")).expect("it is there");
    let built = Command::new(PathBuf::from(peers).join("componentize-py"))
        .arg("-d")
        .arg(interfaces())
        .args(["-w", "wasi:http/service@0.3.0", "componentize", "app"])
        .args(["-o", "greeting.wasm"])
        .current_dir(directory.path())
        .output()
        .expect("it is installed");
    assert!(built.status.success(), "{built:?}");
    let component = directory.path().join("greeting.wasm");
    for (flags, second) in [
        (&[][..], 1),
        (&["--warm"], 2),
        (&["--warm", "--warm-concurrency=8"], 2),
    ] {
        let host = Host::command(["serve"])
            .arg(&component)
            .args(FREE_PORTS)
            .arg("--workers=1")
            .args(flags)
            .start();
        for count in [1, second] {
            let reply = host.post("/", "Ada");
            let greeting = format!("Hello Ada for the {count}.\n");
            assert_eq!((reply.status, reply.text()), (200, &*greeting), "{flags:?}");
            let printed = ("I".to_owned(), format!("request {count}"));
            assert_eq!(host.printed_by(&reply), [printed], "{flags:?}");
        }
    }
}
