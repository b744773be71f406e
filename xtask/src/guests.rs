//! The components: built, and put where everyone looks for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;
use crate::wasm_target::{Compiler, TARGET};
use crate::workspace::Workspace;

/// The cargo profile that guests are built with.
const PROFILE: &str = "guest";

/// Builds the greeting handler into `hello.wasm` in the target directory.
pub(crate) fn build_hello(workspace: &Workspace, compiler: &Compiler) -> Result<(), Failure> {
    process::run(build(workspace, compiler).args(["--package", "hello"]))?;
    place(
        &artefacts(workspace, compiler).join("hello.wasm"),
        &workspace.hello(),
    )
}

/// Builds each of `tests/guests` into `guests/NAME.wasm` in the target directory, and each of `tests/guests-p3` into
/// `guests/p3_NAME.wasm`.
pub(crate) fn build_tests(workspace: &Workspace, compiler: &Compiler) -> Result<(), Failure> {
    let to = workspace.test_guests();
    fs::create_dir_all(&to).map_err(Failure::file(&to))?;

    build_package(workspace, compiler, "guests", "")?;
    match compiler {
        Compiler::Installed => build_package(workspace, compiler, "guests-p3", "p3_")?,
        Compiler::Debian(_) => {
            eprintln!("Debian's compiler is too old for the guests of WASI 0.3: leaving them out.");
        }
    }
    let mut assemble = workspace.cargo();
    assemble.args([
        "run",
        "--release",
        "--package",
        "guests",
        "--bin",
        "assemble",
        "--",
    ]);
    process::run(assemble.args([&sources(workspace, "guests"), &to]))
}

/// Builds the guests of one package that are written in Rust. Their examples are named for their source files, after
/// `prefix`.
fn build_package(
    workspace: &Workspace,
    compiler: &Compiler,
    package: &str,
    prefix: &str,
) -> Result<(), Failure> {
    process::run(build(workspace, compiler).args(["--package", package, "--examples"]))?;
    let built = artefacts(workspace, compiler).join("examples");
    for name in names(&sources(workspace, package))? {
        let file = format!("{prefix}{name}.wasm");
        place(&built.join(&file), &workspace.test_guests().join(&file))?;
    }
    Ok(())
}

fn sources(workspace: &Workspace, package: &str) -> PathBuf {
    workspace.root().join("tests").join(package)
}

fn build(workspace: &Workspace, compiler: &Compiler) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--target", TARGET, "--profile", PROFILE]);
    cargo.env("CARGO_TARGET_DIR", target_dir(workspace, compiler));
    if let Compiler::Debian(rustc) = compiler {
        cargo.env("RUSTC", rustc);
    }
    cargo
}

/// Two compilers do not share a target directory: each would rebuild what the other left.
fn target_dir(workspace: &Workspace, compiler: &Compiler) -> PathBuf {
    match compiler {
        Compiler::Installed => workspace.target_dir().to_owned(),
        Compiler::Debian(_) => workspace.debian().join("target"),
    }
}

fn artefacts(workspace: &Workspace, compiler: &Compiler) -> PathBuf {
    target_dir(workspace, compiler).join(TARGET).join(PROFILE)
}

/// The guests that are written in Rust: the source files at the top of their package.
fn names(sources: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(sources).map_err(Failure::file(sources))?;
    let rust = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(rust
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect())
}

/// Copies a component in one step, so that a host which reads it meanwhile sees the old or the new.
fn place(from: &Path, to: &Path) -> Result<(), Failure> {
    let partial = to.with_extension("wasm.partial");
    fs::copy(from, &partial).map_err(Failure::file(from))?;
    fs::rename(&partial, to).map_err(Failure::file(to))
}
