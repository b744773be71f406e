//! `cargo xtask VERB`: the project's own chores.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::thread;

use failure::Failure;
use workspace::Workspace;

mod failure;
mod fuzz;
mod guests;
mod process;
mod wasm_target;
mod workspace;

const USAGE: &str = "\
usage: cargo xtask VERB [ARGS…]

  guests           build hello.wasm and the test guests into the target directory
  serve [ARGS…]    build hello.wasm and the host, and run `host serve hello.wasm ARGS…`
  test [ARGS…]     build all there is and run `cargo test` over the workspace
  bench [ARGS…]    build all that the benchmark needs, and run it
  fuzz SECONDS     fuzz the readers of tokens, filters, uploads and requests, each so long

A `--` before the ARGS of `serve` and `bench` may be left out. Where the wasm32-wasip2 target is missing, it comes from
rustup, else from Debian's packages, unpacked in the target directory.";

/// See [`threads`].
const TESTS_PER_CORE: usize = 6;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    match run(verb.to_str().unwrap_or_default(), &rest) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &str, arguments: &[OsString]) -> Result<ExitCode, Failure> {
    let chore = match verb {
        "guests" => guests,
        "serve" => serve,
        "test" => test,
        "bench" => bench,
        "fuzz" => fuzz::run,
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            return Ok(ExitCode::SUCCESS);
        }
        _ => {
            eprintln!("{USAGE}");
            return Ok(ExitCode::from(2));
        }
    };
    chore(&Workspace::find()?, arguments)?;
    Ok(ExitCode::SUCCESS)
}

fn guests(workspace: &Workspace, _: &[OsString]) -> Result<(), Failure> {
    let compiler = wasm_target::ensure(workspace)?;
    guests::build_hello(workspace, &compiler)?;
    guests::build_tests(workspace, &compiler)
}

fn serve(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Failure> {
    guests::build_hello(workspace, &wasm_target::ensure(workspace)?)?;
    process::run(
        workspace
            .cargo()
            .args(["build", "--release", "--package", "host"]),
    )?;
    let mut host = workspace.binary("release", "host");
    host.arg("serve")
        .arg(workspace.hello())
        .args(own(arguments));
    process::exec(host)
}

fn test(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Failure> {
    guests(workspace, &[])?;
    // With an example among what is built, dependencies have the features that they have for the tests. Without, most of
    // them, the engine's compiler among them, would be built twice.
    let mut build = workspace.cargo();
    build.args(["build", "--release", "--workspace", "--bin", "host"]);
    process::run(build.args(["--example", "plugins"]))?;
    let mut tests = workspace.cargo();
    tests
        .args(["test", "--release", "--workspace"])
        .args(arguments)
        .env("RUST_TEST_THREADS", threads());
    process::run(&mut tests)
}

/// How many tests run at once. Most of them wait for processes and timers, so that many share a core.
fn threads() -> OsString {
    env::var_os("RUST_TEST_THREADS").unwrap_or_else(|| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        (TESTS_PER_CORE * cores).to_string().into()
    })
}

fn bench(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Failure> {
    guests(workspace, &[])?;
    let mut build = workspace.cargo();
    build.args(["build", "--profile", "dist", "--bins"]);
    build.args(["--example", "kept_logs"]);
    build.args(["--package", "host", "--package", "tests"]);
    process::run(&mut build)?;
    let mut benchmark = workspace.binary("dist", "benchmark");
    benchmark.args(own(arguments));
    process::exec(benchmark)
}

/// The arguments of the program that is run, without a `--` that divides them from those of cargo.
fn own(arguments: &[OsString]) -> &[OsString] {
    match arguments {
        [divider, rest @ ..] if divider == "--" => rest,
        all => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_go_on_with_or_without_a_divider() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let plain = words("--wasmtime FILE");
        assert_eq!(own(&words("-- --wasmtime FILE")), plain);
        assert_eq!(own(&plain), plain);
    }
}
