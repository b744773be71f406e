//! A copy of the whole store in one file, made while others use it, and a store made of such a copy.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::files::{BESIDE, beside};
use super::schema;
use super::{DATABASE, Store, StoreError, private_directory};

/// How the names of backups begin that are on their way to clients.
const PASSING: &str = ".backup-";

impl Store {
    /// Copies all that the store holds at one moment, private keys included, into the new file `backup`, for its owner
    /// only. It is on disk when this returns; nothing is left of it if it fails.
    ///
    /// # Errors
    /// If there is such a file, it cannot be written, or the database fails.
    pub fn back_up(&self, backup: &Path) -> Result<(), StoreError> {
        let unusable = |error| StoreError::Backup(backup.to_owned(), error);
        // Absolute, so that SQLite takes no name for a URI.
        let path = std::path::absolute(backup).map_err(unusable)?;
        // Made first, so that it is never anybody else's to read; SQLite writes into an empty file.
        new_file(&path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StoreError::BackupExists(backup.to_owned()),
            _ => unusable(error),
        })?;
        let copied = self
            .copy_into(&path)
            .and_then(|()| make_durable(&path).map_err(unusable));
        if copied.is_err() {
            // What is there is no backup.
            let _ = fs::remove_file(&path);
        }
        copied
    }

    /// Copies the store into the empty file `path`, by a connection of its own: whoever uses this store does not wait.
    fn copy_into(&self, path: &Path) -> Result<(), StoreError> {
        // Its bytes as they are: a path need not be UTF-8.
        let copy = |connection: &Connection| {
            let target = path.as_os_str().as_bytes();
            connection.execute("VACUUM INTO CAST(? AS TEXT)", [target])
        };
        match &self.file {
            Some(file) => copy(&Connection::open_with_flags(
                file.path(),
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?)?,
            None => copy(&self.connection())?,
        };
        Ok(())
    }

    /// A file in the state directory for a backup that is on its way to a client.
    pub fn passing_backup(&self) -> PathBuf {
        let name = format!("{PASSING}{:032x}", rand::random::<u128>());
        self.directory().join(name)
    }

    /// Removes the backups that an earlier process left on their way to clients. Only the process that serves may.
    ///
    /// # Errors
    /// If the state directory cannot be read, or one cannot be removed.
    pub fn remove_left_backups(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.directory())? {
            let entry = entry?;
            if entry.file_name().as_bytes().starts_with(PASSING.as_bytes()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Makes the new file `backup`, for its owner only, of what `write` writes into it. It is on disk when this returns;
    /// nothing is left of it if it fails.
    ///
    /// # Errors
    /// If there is such a file, it cannot be written, or `write` fails.
    pub fn receive_backup<E: From<StoreError>>(
        backup: &Path,
        write: impl FnOnce(&mut File) -> Result<(), E>,
    ) -> Result<(), E> {
        let unusable = |error| StoreError::Backup(backup.to_owned(), error);
        let mut file = new_file(backup).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StoreError::BackupExists(backup.to_owned()),
            _ => unusable(error),
        })?;
        let written = write(&mut file).and_then(|()| Ok(make_durable(backup).map_err(unusable)?));
        if written.is_err() {
            let _ = fs::remove_file(backup);
        }
        written
    }

    /// Makes the store in `directory`, where there is none yet, of a backup.
    ///
    /// # Errors
    /// If there is a store already, or the file is not the backup of a store that this program knows, whole and
    /// unchanged. Then no store is made.
    pub fn restore(directory: &Path, backup: &Path) -> Result<Self, StoreError> {
        let unusable = |error| StoreError::Directory(directory.to_owned(), error);
        let unreadable = |error| StoreError::Backup(backup.to_owned(), error);
        check(backup)?;
        private_directory(directory).map_err(unusable)?;
        let path = directory.join(DATABASE);
        if path.exists() {
            return Err(StoreError::Exists(directory.to_owned()));
        }
        // SQLite would play what is in them into the new database.
        if let Some(left) = BESIDE
            .map(|end| beside(&path, end))
            .into_iter()
            .find(|left| left.exists())
        {
            return Err(StoreError::LeftOver(left));
        }
        let part = directory.join(format!("{DATABASE}.restored"));
        let mut from = File::open(backup).map_err(unreadable)?;
        let _ = fs::remove_file(&part);
        let mut to = new_file(&part).map_err(unusable)?;
        let copied = io::copy(&mut from, &mut to)
            .and_then(|_| make_durable(&part))
            .map_err(unusable)
            // The backup may have changed since it was looked at, and a disk may not give back what it took.
            .and_then(|()| check(&part));
        if let Err(error) = copied {
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        // Not a rename: that would take the place of a store that was made meanwhile.
        fs::hard_link(&part, &path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StoreError::Exists(directory.to_owned()),
            _ => unusable(error),
        })?;
        fs::remove_file(&part).map_err(unusable)?;
        make_durable(&path).map_err(unusable)?;
        Self::open(directory)
    }
}

/// Whether `backup` is a whole store of a version that this program knows.
fn check(backup: &Path) -> Result<(), StoreError> {
    let damaged = |reason: String| StoreError::Damaged(backup.to_owned(), reason);
    let unreadable = |error| StoreError::Backup(backup.to_owned(), error);
    let file = File::open(backup).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(damaged("it is no file".into()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path = std::path::absolute(backup).map_err(unreadable)?;
    let connection = Connection::open_with_flags(path, flags)?;
    let said = schema::check(&connection, backup).and_then(|()| {
        let check =
            connection.pragma_query_value(None, "integrity_check", |row| row.get::<_, String>(0));
        Ok(check?)
    });
    match said {
        Ok(said) if said == "ok" => Ok(()),
        Ok(said) => Err(damaged(said)),
        Err(StoreError::Database(error)) => Err(damaged(error.to_string())),
        Err(error) => Err(error),
    }
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Has the file and its name outlast a loss of power.
fn make_durable(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    let parent = path.parent().map(Path::to_owned);
    let parent = parent.filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| PathBuf::from(".")))?.sync_all()
}
