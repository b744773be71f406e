//! The wasm32-wasip2 target: found, or fetched.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::debian::{self, Debian};
use crate::failure::Failure;
use crate::process;

/// The target that guests are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Long enough for a slow line; the target is 20 MB.
const RUSTUP_BOUND: Duration = Duration::from_secs(120);

/// A compiler answers what it knows at once; the first time, rustup may have to fetch it.
pub(crate) const QUESTION_BOUND: Duration = Duration::from_secs(60);

/// What builds the guests.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The toolchain that builds everything else.
    Installed,
    /// Debian's compiler, beside the one installed.
    Debian(Debian),
}

/// Finds a toolchain that has the target, or fetches one; each step is bounded in time.
pub(crate) fn ensure() -> Result<Toolchain, Failure> {
    match env::var_os("HOST_WASM_TOOLCHAIN")
        .unwrap_or_default()
        .to_str()
    {
        Some("debian") => debian::ensure().map(Toolchain::Debian),
        Some("rustup") if is_installed() => Ok(Toolchain::Installed),
        Some("rustup") => add_with_rustup().map(|()| Toolchain::Installed),
        Some("") if is_installed() => Ok(Toolchain::Installed),
        // Fetched before, when rustup could not be reached: it need not be waited for again.
        Some("") if debian::is_unpacked() => debian::ensure().map(Toolchain::Debian),
        Some("") => fetch(),
        other => Err(Failure::UnknownToolchain(other.unwrap_or("?").to_owned())),
    }
}

fn fetch() -> Result<Toolchain, Failure> {
    eprintln!("The {TARGET} target is missing: asking rustup for it.");
    let rustup = match add_with_rustup() {
        Ok(()) => return Ok(Toolchain::Installed),
        Err(failure) => failure,
    };
    eprintln!("{rustup}");
    eprintln!("Trying Debian's packages instead: some 200 MB, once.");
    debian::ensure().map(Toolchain::Debian).map_err(|debian| {
        Failure::NoWasmTarget(vec![("rustup", rustup), ("Debian's packages", debian)])
    })
}

fn add_with_rustup() -> Result<(), Failure> {
    let mut add = Command::new("rustup");
    add.args(["target", "add", TARGET]);
    process::output_within(&mut add, RUSTUP_BOUND).map(drop)
}

/// Whether the compiler that cargo uses has the target's standard library.
fn is_installed() -> bool {
    has_target(&env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")))
}

/// Whether the compiler `rustc` has the target's standard library.
pub(crate) fn has_target(rustc: &OsStr) -> bool {
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
