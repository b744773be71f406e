//! `cargo xtask VERB`: the project's own chores.
#![forbid(unsafe_code)]

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use failure::Failure;
use workspace::Workspace;

mod debian;
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
  fuzz SECONDS     fuzz the reader of tokens for so long

Each sees to the wasm32-wasip2 target itself. HOST_WASM_TOOLCHAIN says how:
  rustup    from rustup, and nowhere else
  debian    from Debian's packages, unpacked in the user's cache directory
  (unset)   what is installed, else rustup, else Debian's packages";

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
    let toolchain = wasm_target::ensure()?;
    guests::build_hello(workspace, &toolchain)?;
    guests::build_tests(workspace, &toolchain)
}

fn serve(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Failure> {
    guests::build_hello(workspace, &wasm_target::ensure()?)?;
    process::run(
        workspace
            .cargo()
            .args(["build", "--release", "--package", "host"]),
    )?;
    let mut host = workspace.binary("release", "host");
    host.arg("serve").arg(workspace.hello()).args(arguments);
    process::exec(host)
}

fn test(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Failure> {
    guests(workspace, &[])?;
    process::run(
        workspace
            .cargo()
            .args(["build", "--release", "--package", "host"]),
    )?;
    let mut tests = workspace.cargo();
    tests
        .args(["test", "--release", "--workspace"])
        .args(arguments);
    process::run(&mut tests)
}

fn bench(workspace: &Workspace, arguments: &[OsString]) -> Result<(), Failure> {
    guests(workspace, &[])?;
    let mut build = workspace.cargo();
    build.args(["build", "--profile", "dist", "--bins"]);
    build.args(["--example", "kept_logs"]);
    build.args(["--package", "host", "--package", "tests"]);
    process::run(&mut build)?;
    let mut benchmark = workspace.binary("dist", "benchmark");
    benchmark.args(arguments);
    process::exec(benchmark)
}
