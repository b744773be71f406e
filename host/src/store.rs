//! The control plane's database, the single source of truth.
//!
//! The command line and a serving host meet here and nowhere else. What a method has returned is on disk. One file per
//! noun: functions and the components that they run, service accounts, signing keys, revocations, jobs and their runs,
//! the host that serves, keys and values of functions, uploads, operations. Nothing outside this module knows that it
//! is SQLite.

mod backup;
mod components;
mod damage;
mod declared_jobs;
mod error;
mod files;
mod full_name;
mod function_name;
mod function_notes;
mod functions;
mod identity_changes;
mod job_changes;
mod job_ledger;
mod job_name;
mod job_runs;
mod job_settings;
mod jobs;
mod keyvalue;
mod lock;
mod operations;
mod policies;
mod project;
mod revocations;
mod schema;
mod service_accounts;
mod serving;
mod signing_keys;
mod suggestion;
mod tightening;
mod uploads;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

pub use crate::settings::{ClaimValues, FunctionSettings, InvokerRule, Outlet, Rights};
pub(crate) use components::sha256;
pub use declared_jobs::JobDeclaration;
pub use error::StoreError;
use files::DatabaseFile;
pub(crate) use files::private_directory;
pub(crate) use full_name::last_of_full_name;
pub use function_name::{FunctionName, NameError};
pub use functions::{Declaration, FunctionAndComponent, FunctionRecord, Revision};
pub use job_changes::{DueBy, JobChange};
pub use job_ledger::{
    DueRun, Going, JobBatch, JobLedger, JobWait, KEPT_RUNS, NextTimes, PendingRun, Tried,
};
pub(crate) use job_ledger::{PAUSED, not_again};
pub use job_name::{JobName, JobNameError};
pub use job_runs::{AttemptEnd, AttemptRecord, RunKey, RunRecord, RunState, Trigger};
pub use job_settings::{CatchUp, JobSettings, Overlap};
pub use jobs::{JobCounts, JobId, JobRecord};
pub use keyvalue::{
    BucketName, EntryRecord, KeyValueError, KeyValueLedger, LARGEST_VALUE, PAGE, Quota,
};
pub use lock::ServeLock;
pub use operations::{
    ApiGeneration, NewOperation, OperationError, OperationOutcome, OperationRecord, OperationVerb,
};
pub use policies::{Bindings, PolicyOf};
pub use project::Project;
pub use revocations::DatedRevocation;
pub use service_accounts::ServiceAccountRecord;
pub use serving::{NamedIssuer, ServedComponent, ServedFunction, ServingHost};
pub use signing_keys::SigningKeyRecord;
pub(crate) use suggestion::{did_you_mean, nearest};
pub use tightening::Tightening;
pub use uploads::{UPLOAD_TIME, UploadError, UploadId};
pub(crate) use watch::{POLL, watch};

const DATABASE: &str = "host.db";
/// How long a command waits for another one's transaction.
const BUSY: Duration = Duration::from_secs(10);

/// Statements that are kept prepared: all that there are.
const STATEMENTS: usize = 128;

/// An open store. Its methods block for as long as the disk does.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    /// How often what others follow was changed through this connection.
    changes: AtomicU64,
    /// What those who follow this store are told of it.
    seen: tokio::sync::watch::Sender<Option<Version>>,
    directory: PathBuf,
    /// None if it is in memory.
    file: Option<DatabaseFile>,
}

/// A state of the functions in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(u64, i64);

impl Store {
    /// Opens the store in `directory`, making both if they are not there, for their owner only.
    ///
    /// # Errors
    /// If the directory cannot be used or is open to others, or the database is not a store or a newer one.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_with(directory, |_| Ok(()))
    }

    /// As [`open`](Self::open), for a short time: on a full disk, where what processes share while they use the database
    /// finds no room, it is read without the others.
    ///
    /// # Errors
    /// As [`open`](Self::open), or on a full disk if another process uses the store.
    pub fn open_briefly(directory: &Path) -> Result<Self, StoreError> {
        Self::open(directory).or_else(|error| match &error {
            StoreError::Database(database) if finds_no_room(database) => {
                Self::open_with(directory, |connection| {
                    connection.pragma_update(None, "locking_mode", "exclusive")
                })
                .map_err(|_| error)
            }
            _ => Err(error),
        })
    }

    fn open_with(
        directory: &Path,
        prepare: impl FnOnce(&Connection) -> Result<(), rusqlite::Error>,
    ) -> Result<Self, StoreError> {
        let unusable = |error| StoreError::Directory(directory.to_owned(), error);
        private_directory(directory).map_err(unusable)?;
        let file = DatabaseFile::private(&directory.join(DATABASE)).map_err(unusable)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file.path(), flags)?;
        connection.busy_timeout(BUSY)?;
        prepare(&connection)?;
        keep_statements(&connection)?;
        schema::prepare(&mut connection, directory)?;
        Ok(Self {
            connection: Mutex::new(connection),
            changes: AtomicU64::new(0),
            seen: tokio::sync::watch::Sender::default(),
            directory: directory.to_owned(),
            file: Some(file),
        })
    }

    /// Whether there is a store in `directory`.
    pub fn is_in(directory: &Path) -> bool {
        directory.join(DATABASE).exists()
    }

    /// Whether there is certainly no store in `directory`, rather than one that cannot be looked at.
    pub fn is_missing(directory: &Path) -> bool {
        matches!(directory.join(DATABASE).try_exists(), Ok(false))
    }

    /// A store of this process's own, which is gone with it. It has no directory, so nobody can take its lock.
    ///
    /// # Errors
    /// If the database fails.
    pub fn in_memory() -> Result<Self, StoreError> {
        let mut connection = Connection::open_in_memory()?;
        keep_statements(&connection)?;
        schema::prepare(&mut connection, Path::new("memory"))?;
        Ok(Self {
            connection: Mutex::new(connection),
            changes: AtomicU64::new(0),
            seen: tokio::sync::watch::Sender::default(),
            directory: PathBuf::new(),
            file: None,
        })
    }

    /// The state directory that it is in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes sure that others who open the store get this one.
    ///
    /// # Errors
    /// If its database was removed or replaced since it was opened.
    pub fn check_in_place(&self) -> Result<(), StoreError> {
        self.file.as_ref().map_or(Ok(()), DatabaseFile::check)
    }

    /// Differs from the last one when functions may have been changed since, by this process or another.
    ///
    /// # Errors
    /// If the database cannot be read, or is not where others look for it any more.
    pub fn version(&self) -> Result<Version, StoreError> {
        self.check_in_place()?;
        let changes = self.changes.load(Ordering::Relaxed);
        // Tells of all connections but this one.
        let others = self
            .connection()
            .pragma_query_value(None, "data_version", |row| row.get(0))?;
        Ok(Version(changes, others))
    }

    /// Makes all of `change` or nothing, while nobody else writes, and has it noted that something changed.
    fn change<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.try_change(change)
    }

    /// As [`change`](Self::change), with an error of another kind.
    fn try_change<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection();
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(StoreError::from)?;
        let changed = change(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        self.note_change();
        Ok(changed)
    }

    fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic under the lock leaves a transaction that was rolled back.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a database could not be read for want of room on the disk.
fn finds_no_room(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull | ErrorCode::CannotOpen)
    )
}

/// Has statements be prepared once: they are all kept, and not planned anew for each value that is bound.
fn keep_statements(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// This moment, as it is stored: RFC 3339 in UTC, with microseconds.
fn now() -> String {
    format!("{:.6}", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests;
