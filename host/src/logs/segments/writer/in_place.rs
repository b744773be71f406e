//! Handles segments that other processes remove, truncate or replace while they are written to.
//!
//! People who free disk space by hand remove and truncate such files. Entries that are written afterwards must be
//! found.

use std::fs;
use std::io::{self, ErrorKind};

use super::SegmentWriter;
use crate::logs::segments::listing::files;
use crate::logs::segments::lock::DirectoryLock;
use crate::logs::segments::name::{Kind, path};
use crate::logs::segments::place::{CURRENT, activate, find_closed, link};
use crate::store::private_directory;

impl SegmentWriter {
    /// Whether the active segment is at its path, with its whole content.
    pub(super) fn is_in_place(&self) -> bool {
        let plain = path(&self.directory, self.number, Kind::Plain);
        self.active.is_at(&plain)
    }

    /// Begins the next segment if readers cannot find the active one, or not all of it.
    pub(super) fn ensure_in_place(&mut self) -> io::Result<()> {
        if self.is_in_place() {
            return Ok(());
        }
        private_directory(&self.directory)?;
        if !self.lock.is_at(&self.directory)? {
            self.lock = DirectoryLock::acquire(&self.directory).map_err(io::Error::other)?;
        }
        // Programs that follow the log look for a higher number.
        let numbers = files(&self.directory)?.into_iter().map(|file| file.0);
        let number = numbers.fold(self.number, u64::max) + 1;
        (self.active, self.begun) = activate(&self.directory, number)?;
        self.seal = None;
        if path(&self.directory, self.number, Kind::Plain).exists() {
            // It was truncated or replaced. A removed segment does not count as damaged.
            self.damaged.insert(self.number);
        }
        let (closed, damaged) = find_closed(&self.directory, vec![self.number])?;
        self.closed.extend(closed);
        self.damaged.extend(damaged);
        self.number = number;
        self.retention_checked = None;
        Ok(())
    }

    /// Restores the link to the active segment if it was removed.
    pub(super) fn ensure_link(&self) {
        let plain = path(&self.directory, self.number, Kind::Plain);
        let is_correct = match fs::read_link(self.directory.join(CURRENT)) {
            Ok(target) => Some(target.as_os_str()) == plain.file_name(),
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        if !is_correct {
            // Only a convenience for users, so errors are ignored.
            let _ = link(&self.directory, &plain);
        }
    }
}
