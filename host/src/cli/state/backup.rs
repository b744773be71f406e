//! `host state backup`, and its verb beside it

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::State;
use super::restore::Restore;
use crate::cli::Message;
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
    /// The file, which must not be there yet
    file: PathBuf,

    #[command(flatten)]
    state: State,
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
                let done = store.back_up(&backup.file);
                done.map_err(|error| error.to_string())?;
                stderr::line!(
                    "Backed up {} to {}. It holds private keys: keep it as safe as the state itself.",
                    store.directory().display(),
                    backup.file.display()
                );
            }
            Verb::Restore(restore) => return restore.run(),
        }
        Ok(ExitCode::SUCCESS)
    }
}
