//! Where the host keeps what it must not lose.

mod backup;
mod restore;

use std::path::{Path, PathBuf};

use clap::Args;

use super::Message;
use crate::stderr;
use crate::store::Store;
pub(super) use backup::StateCommand;

/// The state directory.
#[derive(Args)]
pub(super) struct StateDirectory {
    /// Directory for what is kept between runs [default: the platform's state directory]
    #[arg(long, env = "HOST_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl StateDirectory {
    /// The one that a flag names, or the environment.
    pub(super) fn named(directory: Option<PathBuf>) -> Self {
        let variable = || std::env::var_os("HOST_STATE_DIR").map(PathBuf::from);
        Self {
            state_dir: directory.or_else(variable),
        }
    }

    /// With `directory` if none is given.
    pub(super) fn or(self, directory: Option<PathBuf>) -> Self {
        Self {
            state_dir: self.state_dir.or(directory),
        }
    }

    /// Where compiled components are kept; nowhere if no directory is known.
    pub(super) fn compile_cache(&self) -> Option<PathBuf> {
        Some(self.directory().ok()?.join("compiled"))
    }

    /// The directory.
    pub(super) fn directory(&self) -> Result<PathBuf, Message> {
        let state = self.state_dir.clone().or_else(platform_directory);
        state.ok_or_else(|| {
            "there is no place for the state: set --state-dir, $HOST_STATE_DIR or $HOME".into()
        })
    }

    /// The directory, if a flag, the environment or a file names one.
    pub(super) fn named_directory(&self) -> Option<PathBuf> {
        self.state_dir.clone()
    }

    /// Whether it is the one that is used where no flag names another.
    pub(super) fn is_default(&self) -> bool {
        let variable = std::env::var_os("HOST_STATE_DIR").map(PathBuf::from);
        let default = variable.or_else(platform_directory);
        self.state_dir.is_none() || self.state_dir == default
    }

    /// Where log entries are kept.
    pub(super) fn log_directory(&self) -> Result<PathBuf, Message> {
        Ok(self.directory()?.join("logs"))
    }

    /// Where log entries were kept. Says so if none can have been, most likely because another directory is meant.
    pub(super) fn kept_log(&self) -> Result<PathBuf, Message> {
        let (directory, log) = (self.directory()?, self.log_directory()?);
        if Store::is_missing(&directory) && !log.exists() {
            stderr::line!("note: {}", no_store(&directory));
        }
        Ok(log)
    }

    /// The store in it.
    ///
    /// # Errors
    /// If there is none, most likely because another directory is meant.
    pub(super) fn store(&self) -> Result<Store, Message> {
        let directory = self.directory()?;
        match Store::is_missing(&directory) {
            true => Err(no_store(&directory)),
            false => self.store_or_new(),
        }
    }

    /// The store in it, which is made if there is none.
    pub(super) fn store_or_new(&self) -> Result<Store, Message> {
        Store::open_briefly(&self.directory()?).map_err(|error| error.to_string())
    }
}

/// Says that there is no store in `directory`, and what to do.
fn no_store(directory: &Path) -> Message {
    format!(
        "there is no store in {}; name its directory with --state-dir or $HOST_STATE_DIR; `host functions deploy` and \
         `host serve` make a new one",
        directory.display()
    )
}

/// The XDG Base Directory Specification's state directory.
fn platform_directory() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    from("XDG_STATE_HOME")
        .or_else(|| Some(from("HOME")?.join(".local/state")))
        .map(|base| base.join("host"))
}
