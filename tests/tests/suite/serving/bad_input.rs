//! Files and settings that cannot be served: one line says what is wrong and what to do, and nothing is started.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{Directory, FREE_PORTS, Host, Output, guest};

/// That both commands refuse `file`, with exit code 1 and one line on stderr that has each of `words`.
#[track_caller]
fn assert_refused(file: &Path, words: &[&str]) {
    for output in [
        Host::command(["check"]).arg(file).run(),
        Host::command(["serve", "--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"])
            .arg(file)
            .run(),
    ] {
        assert_one_line(&output, Some(1));
        for word in words {
            assert!(
                output.stderr.contains(word),
                "no {word:?}: {}",
                output.stderr
            );
        }
        let name = file.file_name().expect("it has one").to_string_lossy();
        assert!(
            output.stderr.contains(&*name),
            "the file is not named: {}",
            output.stderr
        );
    }
}

#[track_caller]
fn assert_one_line(output: &Output, code: Option<i32>) {
    assert_eq!((output.code, &*output.stdout), (code, ""), "{output:?}");
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}

/// A file with these bytes.
#[track_caller]
fn file(directory: &Directory, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, bytes).expect("the directory can be written");
    path
}

#[test]
fn text_is_no_component() {
    let directory = Directory::new();
    let text = file(&directory, "hello.rs", "fn main() {}\n");
    assert_refused(&text, &["not WebAssembly", "--target wasm32-wasip2"]);
    let wat = file(&directory, "hello.wat", "(component)\n");
    assert_refused(&wat, &["not WebAssembly"]);
}

#[test]
fn an_empty_file_is_no_component() {
    let directory = Directory::new();
    assert_refused(&file(&directory, "empty.wasm", ""), &["not WebAssembly"]);
}

#[test]
fn a_core_module_is_no_component() {
    let directory = Directory::new();
    let module = file(&directory, "core.wasm", b"\0asm\x01\0\0\0");
    assert_refused(
        &module,
        &[
            "a core WebAssembly module, not a component",
            "wasm-tools component new",
        ],
    );
}

#[test]
fn a_component_that_exports_no_handler_cannot_answer() {
    let directory = Directory::new();
    let component = file(&directory, "silent.wasm", b"\0asm\x0d\0\x01\0");
    let output = Host::command(["serve"])
        .arg(&component)
        .args(FREE_PORTS)
        .run();
    assert_one_line(&output, Some(1));
    assert!(
        output
            .stderr
            .contains("exports neither wasi:http/incoming-handler@0.2 nor wasi:http/handler@0.3"),
        "{}",
        output.stderr
    );
    let output = Host::command(["check"]).arg(&component).run();
    assert_eq!(output.code, Some(1));
    assert!(
        output.stdout.contains("host            no: "),
        "{}",
        output.stdout
    );
}

#[test]
fn a_truncated_component_does_not_compile() {
    let directory = Directory::new();
    let whole = fs::read(guest("hello")).expect("it is a file");
    for length in [9, 1000, whole.len() / 2, whole.len() - 1] {
        let cut = file(&directory, "cut.wasm", &whole[..length]);
        assert_refused(&cut, &["the component does not compile: "]);
    }
}

#[test]
fn a_damaged_component_is_refused_or_harmless() {
    let directory = Directory::new();
    let whole = fs::read(guest("hello")).expect("it is a file");
    for step in 1..20 {
        let mut bytes = whole.clone();
        bytes[whole.len() / 20 * step] ^= 0x55;
        let damaged = file(&directory, "damaged.wasm", bytes);
        let output = Host::command(["check"]).arg(damaged).run();
        assert!(matches!(output.code, Some(0 | 1)), "{output:?}");
        assert!(!output.stderr.contains("panicked"), "{output:?}");
    }
}

#[test]
fn compiled_code_is_never_loaded() {
    let directory = Directory::new();
    let host = Host::serve("hello").start();
    let kept = fs::read_dir(host.directory().path().join("state/compiled"))
        .expect("the cache is there")
        .flatten()
        .next()
        .expect("a component is kept");
    let kept = fs::read(kept.path()).expect("it can be read");
    assert!(kept.starts_with(b"\x7fELF"), "it is native code");
    let given = file(&directory, "hello.cwasm", &kept);
    assert_refused(&given, &["never loaded", "give the .wasm it was made from"]);
}

#[test]
fn a_directory_is_no_file() {
    let directory = Directory::new();
    assert_refused(
        directory.path(),
        &["is not a file", "expected a WebAssembly component"],
    );
}

#[test]
fn a_file_that_is_not_there_cannot_be_read() {
    let directory = Directory::new();
    assert_refused(
        &directory.path().join("missing.wasm"),
        &["cannot read ", "No such file or directory"],
    );
}

/// A link to itself cannot be read by anybody, not even by root.
#[test]
fn a_file_that_cannot_be_opened_cannot_be_read() {
    let directory = Directory::new();
    let link = directory.path().join("loop.wasm");
    symlink(&link, &link).expect("the directory can be written");
    assert_refused(&link, &["cannot read ", "symbolic links"]);
    let file = file(&directory, "file", "");
    assert_refused(
        &file.join("below.wasm"),
        &["cannot read ", "Not a directory"],
    );
}

#[test]
fn a_named_pipe_or_a_device_is_no_file() {
    let directory = Directory::new();
    let pipe = directory.path().join("pipe.wasm");
    let made = Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("POSIX has mkfifo");
    assert!(made.success());
    assert_refused(&pipe, &["is not a file"]);
    assert_refused(Path::new("/dev/null"), &["is not a file"]);
}

#[test]
fn an_address_in_use_is_named_with_the_flag_that_sets_another() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let taken = taken.local_addr().expect("it is bound");
    for flag in ["--addr", "--admin-addr"] {
        let other = if flag == "--addr" {
            "--admin-addr"
        } else {
            "--addr"
        };
        let output = Host::command([
            "serve",
            &format!("{flag}={taken}"),
            &format!("{other}=127.0.0.1:0"),
        ])
        .arg(guest("hello"))
        .run();
        assert_one_line(&output, Some(1));
        let line = &output.stderr;
        assert!(
            line.contains(&format!("cannot listen on {taken}")),
            "{line}"
        );
        assert!(
            line.contains(&format!("choose another address with {flag}\n")),
            "{line}"
        );
    }
}

#[test]
fn a_setting_that_is_none_is_wrong_usage() {
    for (flag, word) in [
        ("--memory=lots", "512Ki, 256Mi or 1Gi"),
        ("--memory=0", "512Ki, 256Mi or 1Gi"),
        ("--timeout=soon", "500ms, 60s, 5m, 1h30m or 30d"),
        ("--timeout=0s", "500ms, 60s, 5m, 1h30m or 30d"),
        ("--set-env-vars=NOVALUE", "KEY=VALUE"),
        ("--workers=0", "--workers"),
        ("--concurrency=0", "--concurrency"),
        ("--log-format=xml", "json"),
        ("--frobnicate", "--frobnicate"),
    ] {
        let output = Host::serve("hello").arg(flag).run();
        assert_eq!((output.code, &*output.stdout), (Some(2), ""), "{flag}");
        assert!(
            output.stderr.starts_with("error: "),
            "{flag}: {}",
            output.stderr
        );
        assert!(output.stderr.contains(word), "{flag}: {}", output.stderr);
    }
}

#[test]
fn what_cannot_be_allowed_is_wrong_usage() {
    for (value, word) in [
        ("example.com", "https://api.example.com"),
        ("ftp://example.com", "https://api.example.com"),
        ("https://*", "every host"),
        ("https://example.com/path", "\"/path\""),
        ("https://example.com:0", "port"),
        ("10.0.0.1/8", "10.0.0.0/8"),
    ] {
        let output = Host::serve("hello")
            .arg(format!("--allow-outbound={value}"))
            .run();
        assert!(output.stderr.contains(word), "{value}: {}", output.stderr);
        assert!(output.stderr.contains(value), "{value}: {}", output.stderr);
        assert_eq!((output.code, &*output.stdout), (Some(2), ""), "{value}");
    }
}
