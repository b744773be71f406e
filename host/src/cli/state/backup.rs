//! `host state backup`, and its verb beside it

use std::fs::DirBuilder;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::restore::Restore;
use crate::api::BACKUP;
use crate::cli::Message;
use crate::cli::client::{Client, ClientArgs};
use crate::input;
use crate::stderr;
use crate::store::{Store, StoreError};

/// The method that answers a backup.
const PATH: &str = "/host/v1/state:backup";

/// Back up the state, and restore it
#[derive(Args)]
pub(in crate::cli) struct StateCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Backup(Backup),
    Restore(Restore),
}

/// Copy the state into a new file, whether or not a host serves
///
/// Functions with their components, service accounts, keys and jobs: all but the log, whose files can be copied as they
/// are. Whoever has the file has the private keys in it.
#[derive(Args)]
struct Backup {
    /// The file, which must not be there yet, or `-` for standard output
    file: PathBuf,

    #[command(flatten)]
    host: ClientArgs,
}

impl StateCommand {
    pub(in crate::cli) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Backup(backup) => backup.run(),
            Verb::Restore(restore) => restore.run(),
        }
    }
}

impl Backup {
    fn run(self) -> Result<ExitCode, Message> {
        let source = match self.host.endpoint() {
            Some(url) => url.to_owned(),
            None => self.directory()?.display().to_string(),
        };
        let host = self.host.client()?;
        let place = match input::is_stdin(&self.file) {
            true => {
                pour(&host)?;
                "standard output".to_owned()
            }
            false => {
                receive(&host, &self.file)?;
                self.file.display().to_string()
            }
        };
        stderr::line!(
            "Backed up {source} to {place}. It holds private keys: keep it as safe as the state itself."
        );
        Ok(ExitCode::SUCCESS)
    }

    /// The state directory, in which there is a store.
    fn directory(&self) -> Result<PathBuf, Message> {
        let directory = self.host.state.directory()?;
        match Store::is_in(&directory) {
            true => Ok(directory),
            false => Err(format!(
                "there is no store in {}; name its directory with --state-dir",
                directory.display()
            )),
        }
    }
}

/// Writes a backup into the new file `backup`.
fn receive(host: &Client, backup: &Path) -> Result<(), Message> {
    Store::receive_backup(backup, |file| {
        host.download(PATH, BACKUP, |part| {
            let written = file.write_all(part);
            written.map_err(|error| StoreError::Backup(backup.to_owned(), error).to_string())
        })
    })
}

/// Writes a backup to standard output. The host has it whole before its first byte comes.
fn pour(host: &Client) -> Result<(), Message> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        return Err("a backup is not for a terminal; send standard output to a file".into());
    }
    let unwritable = |error| format!("cannot write the backup to standard output: {error}");
    host.download(PATH, BACKUP, |part| out.write_all(part).map_err(unwritable))?;
    out.flush().map_err(unwritable)
}

/// A directory for one backup, within the state's: for its owner only, and gone with this.
pub(super) struct Scratch {
    directory: PathBuf,
    /// Whether the state's directory was made for this one.
    is_state_new: bool,
}

impl Scratch {
    pub(super) fn new(state: &Path) -> Result<Self, Message> {
        let directory = state.join(format!(".backup-{}", std::process::id()));
        let is_state_new = matches!(state.try_exists(), Ok(false));
        let made = DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(&directory);
        made.map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        Ok(Self {
            directory,
            is_state_new,
        })
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.join("backup")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is in nobody's way. The state's directory stays if there is something in it, or it was there before.
        let _ = std::fs::remove_dir_all(&self.directory);
        if self.is_state_new {
            let _ = self.directory.parent().map(std::fs::remove_dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_was_made_is_removed() {
        let base = tempfile::tempdir().unwrap();
        let state = base.path().join("state");
        drop(Scratch::new(&state).unwrap());
        assert!(!state.exists());
        fs::create_dir(&state).unwrap();
        drop(Scratch::new(&state).unwrap());
        assert!(state.exists());
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
        fs::remove_dir(&state).unwrap();
        let scratch = Scratch::new(&state).unwrap();
        fs::write(state.join("store"), "x").unwrap();
        drop(scratch);
        assert!(state.join("store").exists());
    }
}
