//! The wasm32-wasip2 target: found, or fetched.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// The target that guests are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Long enough for a slow line; the target is 20 MB.
const RUSTUP_BOUND: Duration = Duration::from_secs(120);

/// A compiler answers what it knows at once; the first time, rustup may have to fetch it.
const QUESTION_BOUND: Duration = Duration::from_secs(60);

/// The compiler that builds the guests.
#[derive(Debug)]
pub(crate) enum Compiler {
    /// The one that builds everything else.
    Installed,
    /// Debian's, beside the one installed: a program to run in place of `rustc`.
    Debian(PathBuf),
}

/// Finds a compiler that has the target, or fetches the target: from rustup, else from Debian's packages.
pub(crate) fn ensure(workspace: &Workspace) -> Result<Compiler, Failure> {
    let installed = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let directory = workspace.debian();
    let debian = directory.join("rustc");
    if has_target(&installed) {
        return Ok(Compiler::Installed);
    }
    // Fetched before, when rustup could not be reached: it need not be waited for again.
    if has_target(debian.as_os_str()) {
        return Ok(Compiler::Debian(debian));
    }
    eprintln!("The {TARGET} target is missing: asking rustup for it.");
    let rustup = match add_with_rustup() {
        Ok(()) => return Ok(Compiler::Installed),
        Err(failure) => failure,
    };
    eprintln!("{rustup}");
    eprintln!("Trying Debian's packages instead: some 200 MB, once.");
    let mut fetch = Command::new(workspace.root().join(".ci").join("debian-rustc"));
    process::run(fetch.arg(directory)).map_err(|debian| {
        Failure::NoWasmTarget(vec![("rustup", rustup), ("Debian's packages", debian)])
    })?;
    Ok(Compiler::Debian(debian))
}

fn add_with_rustup() -> Result<(), Failure> {
    let mut add = Command::new("rustup");
    add.args(["target", "add", TARGET]);
    process::output_within(&mut add, RUSTUP_BOUND).map(drop)
}

/// Whether the compiler `rustc` has the target's standard library.
fn has_target(rustc: &OsStr) -> bool {
    let mut question = Command::new(rustc);
    question.args(["--print", "target-libdir", "--target", TARGET]);
    process::output_within(&mut question, QUESTION_BOUND)
        .is_ok_and(|answer| holds_std(Path::new(answer.trim())))
}

fn holds_std(directory: &Path) -> bool {
    let Ok(entries) = directory.read_dir() else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}
