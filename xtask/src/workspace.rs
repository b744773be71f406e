use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;

/// Where things are.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target_dir: PathBuf,
    cargo: PathBuf,
}

impl Workspace {
    /// Finds the workspace by what cargo says in the environment of what it runs, and the target
    /// directory by this program's own place in it, however it was configured.
    pub(crate) fn find() -> Result<Self, Failure> {
        let variable = |name| {
            env::var_os(name)
                .map(PathBuf::from)
                .ok_or(Failure::NotUnderCargo)
        };
        let root = parent(&variable("CARGO_MANIFEST_DIR")?)?;
        let executable = env::current_exe().map_err(|_| Failure::NotUnderCargo)?;
        Ok(Self {
            root,
            target_dir: parent(&parent(&executable)?)?,
            cargo: variable("CARGO")?,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target_dir(&self) -> &Path {
        &self.target_dir
    }

    /// Debian's compiler and what it builds, where the installed one cannot build guests.
    pub(crate) fn debian(&self) -> PathBuf {
        self.target_dir.join("debian")
    }

    /// The greeting handler, once it is built.
    pub(crate) fn hello(&self) -> PathBuf {
        self.target_dir.join("hello.wasm")
    }

    /// The test guests, once they are built.
    pub(crate) fn test_guests(&self) -> PathBuf {
        self.target_dir.join("guests")
    }

    /// The cargo that runs this program, in the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.cargo);
        cargo
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target_dir);
        cargo
    }

    /// A program of the workspace, built with `profile`; it runs where the user stands.
    pub(crate) fn binary(&self, profile: &str, name: &str) -> Command {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        Command::new(self.target_dir.join(profile).join(file))
    }
}

fn parent(path: &Path) -> Result<PathBuf, Failure> {
    path.parent()
        .map(Path::to_owned)
        .ok_or(Failure::NotUnderCargo)
}
