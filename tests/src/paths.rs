//! Where the binary and the components are.

use std::env;
use std::path::{Path, PathBuf};

/// The binary under test: `$HOST_BIN`, else the one beside this program.
pub fn host_binary() -> PathBuf {
    from_environment("HOST_BIN").unwrap_or_else(|| {
        let name = format!("host{}", env::consts::EXE_SUFFIX);
        existing(profile_directory().join(name))
    })
}

/// The component called `name`: `hello`, or one of the test guests.
pub fn guest(name: &str) -> PathBuf {
    if name == "hello" {
        return from_environment("HELLO_WASM")
            .unwrap_or_else(|| existing(target_directory().join("hello.wasm")));
    }
    let guests =
        from_environment("HOST_GUESTS").unwrap_or_else(|| target_directory().join("guests"));
    existing(guests.join(format!("{name}.wasm")))
}

fn from_environment(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from)
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(
        path.is_file(),
        "{} is missing; `cargo xtask test` builds all that the specifications need",
        path.display()
    );
    path
}

fn target_directory() -> PathBuf {
    parent(&profile_directory())
}

/// `target/release` for `target/release/deps/NAME` and for `target/release/NAME`.
fn profile_directory() -> PathBuf {
    let program = env::current_exe().expect("a running program has a path");
    let directory = parent(&program);
    match directory.file_name() {
        Some(name) if name == "deps" => parent(&directory),
        _ => directory,
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent()
        .unwrap_or_else(|| panic!("{} lies in no directory", path.display()))
        .to_owned()
}
