//! Compilers that do not do what they should: shell scripts in their place.

use std::time::Instant;

use super::exchange::Heading;
use super::*;
use crate::engine::fingerprint;

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Answers like a compiler for `engine`, up to what it compiled.
fn heading(engine: &Engine) -> String {
    let bytes = Heading::Compiled(fingerprint(engine)).to_bytes();
    bytes.iter().map(|byte| format!("\\{byte:03o}")).collect()
}

fn script(text: &str) -> CompilerProcess {
    CompilerProcess::new("/bin/sh", ["-c", text].map(OsString::from))
}

/// What comes of a component whose compiler is this process.
fn compile(process: CompilerProcess, stop: &AtomicBool) -> Result<Vec<u8>, LoadError> {
    let compiler = Compiler::Child(process);
    let mut sink = Memory::new(compiler.most_output());
    let task = Task {
        wasm: COMPONENT,
        name: None,
        stop,
    };
    compiler.compile(&Engine::default(), &task, &mut sink)?;
    Ok(sink.into_bytes())
}

#[track_caller]
fn assert_fails(process: CompilerProcess, expected: &str) {
    let begun = Instant::now();
    let error = compile(process, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn what_a_compiler_makes_is_taken_whole() {
    let text = format!(
        "cat >/dev/null & printf '{}compiled code'",
        heading(&Engine::default())
    );
    let compiled = compile(script(&text), &AtomicBool::new(false));
    assert_eq!(compiled.unwrap(), b"compiled code");
}

#[test]
fn an_answer_that_is_none_is_not_taken() {
    let of_another_build =
        heading(&Engine::new(wasmtime::Config::new().consume_fuel(true)).unwrap());
    for text in [
        "head -c 100000 /dev/urandom",
        "printf short",
        "true",
        &format!("printf '{of_another_build}compiled code'"),
    ] {
        assert_fails(script(text), "not of the same build");
    }
}

#[test]
fn the_answer_of_a_compiler_that_fails_is_not_taken() {
    let heading = heading(&Engine::default());
    assert_fails(
        script(&format!("printf '{heading}half'; exit 1")),
        "exit status: 1",
    );
    assert_fails(
        script(&format!("printf '{heading}half'; kill -9 $$")),
        "signal: 9",
    );
    assert_fails(CompilerProcess::new("/nowhere/host", []), "No such file");
}

#[test]
fn the_reason_of_a_refusal_is_told_but_not_without_end() {
    assert_fails(
        script(r"printf 'refused\0\0\0\0\0\0\0\0\0because'"),
        "does not compile: because",
    );
    let process =
        script(r"printf 'refused\0\0\0\0\0\0\0\0\0'; head -c 1000000 /dev/zero | tr '\0' x");
    let error = compile(process, &AtomicBool::new(false)).unwrap_err();
    assert!(error.to_string().len() < 5000);
}

#[test]
fn a_compiler_goes_by_the_name_that_it_is_given() {
    let text = r#"printf 'refused\0\0\0\0\0\0\0\0\0%s' "$0""#;
    assert_fails(script(text), "does not compile: /bin/sh");
    let named = script(text).name(Some("a name".into()));
    assert_fails(named, "does not compile: a name");
}

#[test]
fn a_compiler_that_takes_too_long_is_ended() {
    for text in ["exec sleep 60", "exec 1>&-; exec sleep 60"] {
        let mut process = script(text);
        process.time = Duration::from_millis(100);
        assert_fails(process, "took more than 0.1 s");
    }
}

#[test]
fn a_compiler_that_takes_too_much_memory_is_ended() {
    let mut process = script("x=$(head -c 60000000 /dev/zero | tr '\\0' x); exec sleep 60");
    process.memory = 10 << 20;
    assert_fails(process, "needs more than 10 MiB of memory");
}

#[test]
fn a_compiler_that_makes_too_much_is_ended() {
    let heading = heading(&Engine::default());
    let mut process = script(&format!("printf '{heading}'; exec cat /dev/zero"));
    process.memory = 10 << 20;
    assert_fails(process, "more than 10 MiB once it is compiled");
}

#[test]
fn a_compiler_is_ended_when_nobody_waits_for_it_any_more() {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let compiling = scope.spawn(|| compile(script("exec sleep 60"), &stop));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let stopped = compiling.join().unwrap();
        assert!(matches!(stopped, Err(LoadError::Stopped)), "{stopped:?}");
    });
}
