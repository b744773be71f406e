//! `.ci/debian-rustc`, with programs of the test's own in the place of the system's.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tests::State;

/// Stands for all three. It prints the sources that the script fetches from, and fetches an archive that is empty.
const PROGRAM: &str = r#"#!/bin/sh
here=${0%/*}
case "${0##*/} $*" in
  'dpkg --print-architecture') echo amd64 ;;
  'rustc --print target-libdir') echo "$here/lib" ;;
  'apt-get indextargets '*) cat "$here/mirrors" ;;
  'apt-get '*update) cat "${2%/*}/sources.list" >&2 ;;
  'apt-get '*wasm32) touch "${2%/*}/archives/rustc.deb" ;;
esac
"#;

/// What the script does where apt knows these mirrors.
fn fetch(mirrors: &str) -> Output {
    let state = State::new();
    let programs = state.path().join("programs");
    fs::create_dir_all(programs.join("bin")).unwrap();
    fs::write(programs.join("bin/wasm-component-ld"), "").unwrap();
    fs::write(programs.join("mirrors"), mirrors).unwrap();
    for name in ["dpkg", "rustc", "apt-get"] {
        let program = programs.join(name);
        fs::write(&program, PROGRAM).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let others = env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs).chain(env::split_paths(&others));
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/debian-rustc"))
        .arg(state.path().join("fetched"))
        .env("PATH", env::join_paths(path).unwrap())
        .output()
        .unwrap()
}

#[track_caller]
fn assert_says(mirrors: &str, expected: &str) {
    let output = fetch(mirrors);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains(expected),
        "{said}"
    );
}

#[test]
fn the_first_mirror_of_debian_is_taken_with_the_key_that_apt_trusts_for_it() {
    for (mirrors, source) in [
        (
            "https://other.example/apt /key.gpg\n\
             http://first.example/debian/ /usr/share/keyrings/debian.gpg\n\
             http://second.example/debian \n",
            "deb [signed-by=/usr/share/keyrings/debian.gpg] http://first.example/debian/ trixie main\n",
        ),
        (
            "http://a.example/debian-security \nhttp://b.example/debian \n",
            "deb http://b.example/debian trixie main\n",
        ),
    ] {
        assert_says(mirrors, source);
    }
}

#[test]
fn a_system_without_a_mirror_of_debian_is_told() {
    let expected = "error: apt is not configured with a mirror of Debian\n";
    assert_says("http://a.example/ubuntu \n", expected);
}

#[test]
fn packages_without_the_library_of_the_target_are_told() {
    let expected = "has no standard library for wasm32-wasip2\n";
    assert_says("http://a.example/debian \n", expected);
}
