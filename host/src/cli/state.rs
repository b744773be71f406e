//! Where the host keeps what it must not lose.

mod backup;
mod restore;

use std::path::PathBuf;

use clap::Args;

use super::Message;
use crate::store::Store;
pub(super) use backup::StateCommand;

/// The state directory.
#[derive(Args)]
pub(super) struct State {
    /// Directory for what is kept between runs [default: the platform's state directory]
    #[arg(long, env = "HOST_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl State {
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

    /// The store in it.
    pub(super) fn store(&self) -> Result<Store, Message> {
        Store::open_briefly(&self.directory()?).map_err(|error| error.to_string())
    }
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
