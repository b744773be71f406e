//! The lock that makes one process the only writer of a directory.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::SegmentError;

/// A lock on a directory. The system releases it when the process ends, however it ends.
pub(super) struct DirectoryLock(File);

impl DirectoryLock {
    /// Locks `directory`.
    pub(super) fn acquire(directory: &Path) -> Result<Self, SegmentError> {
        let unusable = |error| SegmentError::Directory(directory.to_owned(), error);
        let file = File::open(directory).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(SegmentError::Locked(directory.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// Whether the locked directory is still the one at `path`.
    pub(super) fn is_at(&self, path: &Path) -> io::Result<bool> {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        Ok(identity(self.0.metadata()?) == identity(fs::metadata(path)?))
    }
}
