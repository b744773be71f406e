//! `host state backup`, and its verb beside it

use std::fs::{DirBuilder, File};
use std::io::{self, IsTerminal};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::StateDirectory;
use super::restore::Restore;
use crate::cli::Message;
use crate::input;
use crate::stderr;
use crate::store::Store;

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
    state: StateDirectory,
}

impl StateCommand {
    pub(in crate::cli) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Backup(backup) => {
                let directory = backup.state.directory()?;
                if !Store::is_in(&directory) {
                    return Err(format!(
                        "there is no store in {}; name its directory with --state-dir",
                        directory.display()
                    ));
                }
                let store = backup.state.store()?;
                let place = match input::is_stdin(&backup.file) {
                    true => {
                        pour(&store)?;
                        "standard output".to_owned()
                    }
                    false => {
                        store.back_up(&backup.file)?;
                        backup.file.display().to_string()
                    }
                };
                stderr::line!(
                    "Backed up {} to {place}. It holds private keys: keep it as safe as the state itself.",
                    store.directory().display(),
                );
            }
            Verb::Restore(restore) => return restore.run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes a backup of `store` to standard output. It is whole before its first byte is written.
fn pour(store: &Store) -> Result<(), Message> {
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        return Err("a backup is not for a terminal; send standard output to a file".into());
    }
    let scratch = Scratch::new(store.directory())?;
    store.back_up(&scratch.file())?;
    let copied = File::open(scratch.file()).and_then(|mut file| io::copy(&mut file, &mut out));
    let copied = copied.and_then(|_| io::Write::flush(&mut out));
    copied.map_err(|error| format!("cannot write the backup to standard output: {error}"))
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
