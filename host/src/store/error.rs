use std::io;
use std::path::PathBuf;

use super::suggestion::did_you_mean;
use super::{FunctionName, JobName, KeyValueError, OperationError, UploadError};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The state directory cannot be used.
    #[error("the state directory {} cannot be used: {_1}", _0.display())]
    Directory(PathBuf, io::Error),
    /// A backup cannot be written or read.
    #[error("the backup {} cannot be written or read: {_1}", _0.display())]
    Backup(PathBuf, io::Error),
    /// A backup does not take the place of a file.
    #[error("there is a file {} already; a backup goes into a new one", _0.display())]
    BackupExists(PathBuf),
    /// A file is no backup, or not any more.
    #[error("{} is not a whole backup: {_1}", _0.display())]
    Damaged(PathBuf, String),
    /// There is a store where one was to be made.
    #[error(
        "there is a store in {} already; a backup is restored to a new directory, such as one given with --state-dir",
        _0.display()
    )]
    Exists(PathBuf),
    /// Files of a store that is gone are where one was to be made.
    #[error(
        "{} is left over from a store that is gone, and would be taken for a part of this one; move it away, or restore \
         to another directory with --state-dir",
        _0.display()
    )]
    LeftOver(PathBuf),
    /// The database that is in use is not the one that others find.
    #[error("{} was removed or replaced while it was in use; start the host again", _0.display())]
    Replaced(PathBuf),
    /// The database is not one of this program.
    #[error("{} is not a store of this program; choose another directory with --state-dir", _0.display())]
    Foreign(PathBuf),
    /// The database was last used by a newer version of this program.
    #[error(
        "the store in {} has version {found}, and this program knows versions up to {known}; use the newer program, or \
         another directory with --state-dir",
        directory.display()
    )]
    Newer {
        /// Where it is.
        directory: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// Another process serves from this store.
    #[error(
        "process {holder} serves from {} already; stop it, or choose another directory with --state-dir",
        directory.display()
    )]
    Locked {
        /// Where it is.
        directory: PathBuf,
        /// The process's id, as it told.
        holder: String,
    },
    /// There is no function of this name.
    #[error("there is no function `{name}`{}", did_you_mean(nearest.as_ref()))]
    NoFunction {
        /// The name that was asked for.
        name: FunctionName,
        /// The one most like it.
        nearest: Option<String>,
    },
    /// There is no service account with this address.
    #[error("there is no service account {email}{}", did_you_mean(nearest.as_ref()))]
    NoServiceAccount {
        /// The address that was asked for.
        email: String,
        /// The one most like it.
        nearest: Option<String>,
    },
    /// There is a service account with this address already.
    #[error("there is a service account {0} already")]
    ServiceAccountExists(String),
    /// A file declares the function, so commands do not change it.
    #[error("the function `{name}` is declared in {file}; change it there")]
    Declared {
        /// Its name.
        name: FunctionName,
        /// The file.
        file: String,
    },
    /// A file declares a function that has been deployed.
    #[error(
        "the function `{0}` has been deployed, so it cannot be declared as well; give it another name, or remove it with \
         `host functions delete {0}`"
    )]
    Deployed(FunctionName),
    /// Another function has the host name.
    #[error("the host name {host} leads to the function `{name}` already")]
    HostTaken {
        /// The host name.
        host: String,
        /// That function.
        name: FunctionName,
    },
    /// There is no job of this name.
    #[error("there is no job `{name}`{}", did_you_mean(nearest.as_ref()))]
    NoJob {
        /// The name that was asked for.
        name: JobName,
        /// The one most like it.
        nearest: Option<String>,
    },
    /// There is a job of this name already.
    #[error("there is a job `{0}` already; change it with `host scheduler jobs update http {0}`")]
    JobExists(JobName),
    /// A file declares the job, so commands do not change it.
    #[error("the job `{name}` is declared in {file}; change it there")]
    JobDeclared {
        /// Its name.
        name: JobName,
        /// The file.
        file: String,
    },
    /// A file declares a job that has been created.
    #[error(
        "the job `{0}` has been created, so it cannot be declared as well; give it another name, or remove it with \
         `host scheduler jobs delete {0}`"
    )]
    JobCreated(JobName),
    /// The record of the function cannot be read.
    #[error(
        "the function `{name}` is damaged: its record in the store cannot be read ({damage}), so nobody may call it; \
         deploy it anew with --source, which gives it new settings, or remove it with `host functions delete {name}`"
    )]
    DamagedFunction {
        /// Its name.
        name: FunctionName,
        /// What is wrong with it.
        damage: String,
    },
    /// The record of the job cannot be read.
    #[error(
        "the job `{name}` is damaged: its record in the store cannot be read ({damage}), so it does not run; remove it \
         with `host scheduler jobs delete {name}`"
    )]
    DamagedJob {
        /// Its name.
        name: JobName,
        /// What is wrong with it.
        damage: String,
    },
    /// There is no bucket of this name.
    #[error("there is no bucket `{name}`{}", did_you_mean(nearest.as_ref()))]
    NoBucket {
        /// The name that was asked for.
        name: String,
        /// The one most like it.
        nearest: Option<String>,
    },
    /// A bucket did not do what it was asked.
    #[error(transparent)]
    KeyValue(#[from] KeyValueError),
    /// Somebody else changed a policy after it was read.
    #[error("the policy of {0} has changed since it was read; read it again, and change that")]
    PolicyChanged(String),
    /// There is such a function already.
    #[error("there is a function `{0}` already; update it, or choose another name")]
    FunctionExists(FunctionName),
    /// An upload was refused.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// An operation is not there, or not one that can be gone on with.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// Settings could not be changed as asked.
    #[error("{0}")]
    Settings(String),
    /// A record in the database is not what this program writes.
    #[error("the store holds a record that this program cannot read: {0}")]
    Record(#[from] serde_json::Error),
    /// The database failed.
    #[error("the store failed: {0}")]
    Database(#[from] rusqlite::Error),
}

/// The message, which is all that a command tells.
impl From<StoreError> for String {
    fn from(error: StoreError) -> Self {
        error.to_string()
    }
}
