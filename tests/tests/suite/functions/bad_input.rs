//! What commands cannot do is one line that says what was wrong and what to do; nothing is changed.

use std::fs::File;

use tests::{Output, State, guest};

/// That `output` is a failure with this code, one line on stderr with each of `words`, and no data.
#[track_caller]
fn assert_fails(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(
        (output.code, &*output.stdout),
        (Some(code), ""),
        "{output:?}"
    );
    let last = output.stderr.lines().last().unwrap_or_default();
    assert!(
        code == 2 || last.starts_with("error: "),
        "{}",
        output.stderr
    );
    for word in words {
        assert!(
            output.stderr.contains(word),
            "no {word:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest_right_one() {
    let state = State::new();
    state.deploy("hello_world", "hello", &[]);
    for arguments in [
        &["describe", "helo_world"][..],
        &["delete", "helo_world", "--quiet"],
        &["call", "helo_world"],
        &["get-iam-policy", "helo_world"],
        &[
            "add-iam-policy-binding",
            "helo_world",
            "--member=allUsers",
            "--role=roles/run.invoker",
        ],
    ] {
        let output = state.functions(arguments).run();
        let words = ["no function `helo_world`", "did you mean `hello_world`?"];
        assert_fails(&output, 1, &words);
        assert_eq!(output.stderr.lines().count(), 1);
    }
}

#[test]
fn more_executions_than_a_host_can_hold_are_wrong_usage() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let before = state.describe("f");
    for number in ["0", "10001", "2305843009213693952"] {
        for flag in ["--concurrency", "--max-instances"] {
            let output = state.functions(["deploy", "f", flag, number]).run();
            assert_fails(&output, 2, &[flag, "expected 1 to 10000"]);
        }
    }
    assert_eq!(state.describe("f"), before);
}

#[test]
fn what_is_no_name_is_wrong_usage() {
    let state = State::new();
    for name in ["a/b", "1a", "a.b", "..", "a%2fb", "", "\u{1b}[31m"] {
        let output = state.functions(["describe", name]).run();
        assert_fails(&output, 2, &["is not a function name; expected a letter"]);
        assert!(!output.stderr.contains('\u{1b}'));
    }
}

#[test]
fn what_cannot_be_served_is_not_deployed() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let before = state.describe("f");
    let wasm = std::fs::read(guest("hello")).expect("it can be read");
    let huge = state.file("huge.wasm", &wasm);
    let grown = File::options().write(true).open(&huge).expect("it is ours");
    grown.set_len(200 << 20).expect("a file may have holes");
    let cases = [
        (state.file("text.wasm", "fn main() {}"), "not WebAssembly"),
        (
            state.file("cut.wasm", &wasm[..wasm.len() / 2]),
            "does not compile",
        ),
        (
            state.file("core.wasm", b"\0asm\x01\0\0\0"),
            "a core WebAssembly module",
        ),
        (huge, "more than the 104857600 allowed"),
        (
            state.beside().to_owned(),
            "several components (core.wasm, cut.wasm, huge.wasm, 1 more)",
        ),
        (state.beside().join("gone.wasm"), "cannot read"),
    ];
    for (file, expected) in cases {
        let output = state
            .functions(["deploy", "f", "--source"])
            .arg(&file)
            .run();
        assert_fails(&output, 1, &[expected]);
        let error = output.stderr.lines().last().unwrap_or_default();
        let name = file.display().to_string();
        assert_eq!(error.matches(&name).count(), 1, "{error}");
        assert_eq!(state.describe("f"), before, "{expected}");
    }
}

#[test]
fn an_account_of_this_host_that_is_not_there_is_told_with_the_nearest() {
    let state = State::new();
    let created = state.run("iam service-accounts create caller");
    assert_eq!(created.code, Some(0), "{created:?}");
    state.deploy("f", "hello", &["--service-account=caller@host.internal"]);
    let before = state.describe("f");
    for (email, expected) in [
        (
            "calller@host.internal",
            "did you mean `caller@host.internal`?",
        ),
        ("caller", "there is no service account caller"),
    ] {
        let output = state
            .functions(["deploy", "f", "--service-account", email])
            .run();
        assert_fails(&output, 1, &[expected]);
        assert_eq!(state.describe("f"), before, "{email}");
    }
}

#[test]
fn a_new_function_needs_a_component() {
    let output = State::new().functions(["deploy", "f"]).run();
    assert_fails(&output, 1, &["no function `f` yet", "--source"]);
}

#[test]
fn bad_values_of_settings_are_wrong_usage() {
    let state = State::new();
    for flag in [
        "--memory=lots",
        "--timeout=never",
        "--concurrency=0",
        "--max-instances=-1",
        "--set-env-vars=novalue",
        "--update-labels=novalue",
        "--format=xml",
        "--no-such-flag",
    ] {
        let output = state.functions(["deploy", "f", flag]).run();
        assert_fails(&output, 2, &[]);
    }
}

#[test]
fn a_setting_that_cannot_be_is_told_before_anything_is_changed() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let before = state.describe("f");
    for (flag, expected) in [
        ("--allow-outbound=ftp://a.example", "ftp"),
        ("--host=a.example:80", "expected one without a port"),
        (
            "--set-secrets=KEY=/nowhere/secret",
            "cannot read the secret /nowhere/secret",
        ),
        (
            "--env-vars-file=/nowhere/vars.yaml",
            "cannot read /nowhere/vars.yaml",
        ),
        ("--memory=1", "memory"),
    ] {
        let output = state.functions(["deploy", "f", flag]).run();
        assert_fails(&output, 1, &[expected]);
        assert_eq!(state.describe("f"), before, "{flag}");
    }
}

#[test]
fn a_call_where_nobody_serves_says_what_to_do() {
    let state = State::new();
    state.deploy("f", "hello", &[]);
    let output = state.functions(["call", "f"]).run();
    assert_fails(
        &output,
        1,
        &["no host serves this store; start one with `host serve`"],
    );
}
