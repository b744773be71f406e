//! Compiling is held to bounds: it is done by a child process, which takes as much as it may and nothing of what serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tests::{Host, Output, Signal, State, guest, wait_until};

/// The greeting with a module that nothing uses, of `functions` functions of so many local variables each, which are
/// added up `steps` times in a loop that may begin anew after each third.
fn component(functions: usize, locals: u32, steps: usize) -> Vec<u8> {
    let mut random = 1_u32;
    let mut local = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        leb((random >> 8) % locals)
    };
    // (local …) loop … end end
    let mut body = [vec![1], leb(locals), vec![0x7e, 0x03, 0x40]].concat();
    for step in 0..steps {
        // local.get, local.get, i64.add, local.set
        body.extend(
            [
                vec![0x20],
                local(),
                vec![0x20],
                local(),
                vec![0x7c, 0x21],
                local(),
            ]
            .concat(),
        );
        if step % 3 == 0 {
            // local.get, i64.eqz, br_if 0
            body.extend([vec![0x20], local(), vec![0x50, 0x0d, 0]].concat());
        }
    }
    body.extend([0x0b, 0x0b]);
    let code = [leb(body.len() as u32), body].concat();
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[&[1, 0x60, 0, 0]]),
        section(3, &[&leb(functions as u32), &vec![0; functions]]),
        section(10, &[&leb(functions as u32), &code.repeat(functions)]),
    ];
    let mut component = fs::read(guest("hello")).expect("it can be read");
    component.extend(section(1, &[&module.concat()]));
    component
}

/// LEB128 (WebAssembly Core Specification, 5.2.2).
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn section(id: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    [vec![id], leb(content.len() as u32), content].concat()
}

/// 250 kB that take gigabytes to compile.
fn bomb() -> Vec<u8> {
    component(1, 3000, 25_000)
}

/// A component within the bounds of what is counted, which takes seconds to compile.
fn slow() -> Vec<u8> {
    component(50, 2000, 5_700)
}

/// With so much memory there is one thread, wherever this runs.
const ONE_THREAD: &str = "--compile-memory=400Mi";

#[track_caller]
fn assert_refused(output: &Output, words: &str) {
    assert_eq!(output.code, Some(1), "{output:?}");
    let last = output.stderr.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("error: ") && last.contains(words),
        "{output:?}"
    );
}

/// The compiler that `host` waits for, as soon as there is one.
fn compiler_of(host: &Host) -> u32 {
    let parent = host.pid().to_string();
    let mut compiler = None;
    wait_until("a component is compiled", || {
        let processes = fs::read_dir("/proc").expect("the system tells of processes");
        compiler = processes.flatten().find_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            (stat(id)?.get(1)? == &parent).then_some(id)
        });
        compiler.is_some()
    });
    compiler.unwrap_or_default()
}

/// What the system tells of a process behind its name: its state, its parent and so on (proc_pid_stat(5)).
fn stat(id: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).ok()?;
    let (_, behind) = stat.rsplit_once(')')?;
    Some(behind.split_whitespace().map(str::to_owned).collect())
}

fn has_ended(id: u32) -> bool {
    stat(id).is_none_or(|stat| stat[0] == "Z")
}

/// A state with `host.toml` beside it, which declares `hello.wasm`.
fn declared() -> (State, PathBuf) {
    let state = State::new();
    let component = state.beside().join("hello.wasm");
    fs::copy(guest("hello"), &component).expect("it can be copied");
    state.file(
        "host.toml",
        "[functions.hello]\nsource = \"hello.wasm\"\nallow-unauthenticated = true\n",
    );
    (state, component)
}

fn serve(state: &State) -> Host {
    let config = state.beside().join("host.toml");
    state
        .serve()
        .arg("--config")
        .arg(config)
        .arg(ONE_THREAD)
        .start()
}

#[test]
fn a_component_that_is_made_to_be_hard_to_compile_is_refused_before_it_is_compiled() {
    let state = State::new();
    let bomb = state.file("bomb.wasm", bomb());
    let words = "local variables times branches in one function, more than the 4000000";
    let deploy = ["deploy", "bomb", "--source"];
    assert_refused(&state.functions(deploy).arg(&bomb).run(), words);
    assert_refused(&state.command(["check"]).arg(&bomb).run(), words);
    assert_refused(&state.serve().arg(&bomb).run(), words);
}

#[test]
fn a_host_goes_on_as_it_was_when_such_a_component_is_declared() {
    let (state, component) = declared();
    let host = serve(&state);
    fs::write(component, bomb()).expect("it can be written");
    host.signal(Signal::Hup);
    let line = host.wait_for_stderr(|line| line.starts_with("error: "));
    let words = [
        "the old configuration stays in use",
        "times branches in one function",
    ];
    assert!(words.iter().all(|word| line.contains(word)), "{line}");
    assert_eq!(host.post("/hello", "{}").text(), "Hello World!");
}

#[test]
fn compiling_takes_no_more_memory_and_time_than_is_set() {
    let state = State::new();
    let hello = guest("hello");
    let deploy = ["deploy", "hello", "--source"];
    for (flag, words) in [
        (
            "--compile-memory=1Mi",
            "needs more than 1 MiB of memory to be compiled; allow more with --compile-memory",
        ),
        (
            "--compile-timeout=1ms",
            "took more than 0.001 s; allow more with --compile-timeout",
        ),
    ] {
        assert_refused(&state.functions(deploy).arg(&hello).arg(flag).run(), words);
        assert_refused(&state.command(["check"]).arg(&hello).arg(flag).run(), words);
        assert_refused(&state.serve().arg(&hello).arg(flag).run(), words);
    }
    assert_eq!(state.functions(deploy).arg(&hello).run().code, Some(0));
}

#[test]
fn the_configuration_sets_both_as_well() {
    let (state, _) = declared();
    let config = state.beside().join("host.toml");
    let declared = fs::read_to_string(&config).expect("it is there");
    for (line, words) in [
        (
            "compile-memory = \"1Mi\"",
            "needs more than 1 MiB of memory",
        ),
        ("compile-timeout = \"1ms\"", "took more than 0.001 s"),
    ] {
        fs::write(&config, format!("[host]\n{line}\n{declared}")).expect("it can be written");
        assert_refused(
            &state.command(["config", "check"]).arg(&config).run(),
            words,
        );
        assert_refused(&state.serve().arg("--config").arg(&config).run(), words);
    }
}

#[test]
fn a_drain_does_not_wait_for_a_compiler_and_ends_it() {
    let (state, component) = declared();
    let host = serve(&state);
    fs::write(component, slow()).expect("it can be written");
    host.signal(Signal::Hup);
    let compiler = compiler_of(&host);
    assert_eq!(host.post("/hello", "{}").text(), "Hello World!");
    let asked = Instant::now();
    host.signal(Signal::Term);
    assert_eq!(host.wait(Duration::from_secs(5)).code(), Some(0));
    assert!(has_ended(compiler));
    assert!(asked.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_compiler_ends_with_its_parent_however_that_ends() {
    let state = State::new();
    let slow = state.file("slow.wasm", slow());
    let host = state.serve().arg(&slow).arg(ONE_THREAD).start_unannounced();
    let compiler = compiler_of(&host);
    host.signal(Signal::Kill);
    wait_until("the compiler has ended", || has_ended(compiler));
}

#[test]
fn what_takes_longer_than_a_moment_is_shown_with_its_size_and_on_a_terminal_with_the_seconds() {
    let state = State::new();
    let slow = state.file("slow.wasm", slow());
    let deploy = |time: &str| {
        let deploy = state.functions(["deploy", "slow", "--source"]);
        deploy.arg(&slow).args([time, ONE_THREAD])
    };
    let plain = deploy("--compile-timeout=4s").run();
    assert_refused(&plain, "took more than 4 s");
    let shown: Vec<_> = plain.stderr.lines().collect();
    let expected = format!("Compiling {} (", slow.display());
    assert!(
        shown[1].starts_with(&expected) && shown[1].ends_with(" MB) …"),
        "{shown:?}"
    );
    assert_eq!(shown.len(), 3, "{shown:?}");
    let terminal = deploy("--compile-timeout=2500ms")
        .run_on_terminal("")
        .stdout;
    let lines = [" MB) … 1 s\r\x1b[KCompiling ", " MB) … 2 s\r\x1b[K"];
    assert!(
        lines.iter().all(|line| terminal.contains(line)),
        "{terminal:?}"
    );
}
