//! Where segments are written, and what becomes of those that others remove, cut or replace.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use super::super::active::{Active, remove};
use super::super::listing::files;
use super::super::name::{Kind, path};
use super::{Closed, SegmentWriter, is_same, lock};
use crate::store::private_directory;

/// The link to the segment that is written to, for `tail -F`. Its name is not that of a segment, so that who reads all
/// segments does not read one twice.
pub(super) const CURRENT: &str = "current";

/// Those who make room on a disk by hand remove and cut files that are written to. What is written then must be found
/// again.
impl SegmentWriter {
    pub(super) fn is_in_place(&self) -> bool {
        let plain = path(&self.directory, self.number, Kind::Plain);
        self.active.is_at(&plain)
    }

    /// Begins the next segment if others do not find the active one, or not all of it.
    pub(super) fn keep_place(&mut self) -> io::Result<()> {
        if self.is_in_place() {
            return Ok(());
        }
        private_directory(&self.directory)?;
        if !is_same(&self.lock, &self.directory)? {
            self.lock = lock(&self.directory).map_err(io::Error::other)?;
        }
        // Who follows the log looks for the next one.
        let numbers = files(&self.directory)?.into_iter().map(|file| file.0);
        let number = numbers.fold(self.number, u64::max) + 1;
        (self.active, self.begun) = activate(&self.directory, number)?;
        self.seal = None;
        if path(&self.directory, self.number, Kind::Plain).exists() {
            // Somebody cut it, or put another in its place. One that was removed is no damage.
            self.damaged.insert(self.number);
        }
        let (left, damaged) = closed(&self.directory, vec![self.number])?;
        self.closed.extend(left);
        self.damaged.extend(damaged);
        self.number = number;
        self.looked = None;
        Ok(())
    }

    /// Has the link lead to the active segment again if it was removed.
    pub(super) fn keep_link(&self) {
        let plain = path(&self.directory, self.number, Kind::Plain);
        let is_right = match fs::read_link(self.directory.join(CURRENT)) {
            Ok(leads_to) => Some(leads_to.as_os_str()) == plain.file_name(),
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        if !is_right {
            // A convenience; nothing here relies on it.
            let _ = link(&self.directory, &plain);
        }
    }
}

/// The segments of `numbers` whose plain form is there, to be compressed, and which of them cannot be read.
pub(super) fn closed(
    directory: &Path,
    numbers: Vec<u64>,
) -> io::Result<(VecDeque<Closed>, BTreeSet<u64>)> {
    let (mut closed, mut damaged) = (VecDeque::new(), BTreeSet::new());
    for number in numbers {
        let plain = path(directory, number, Kind::Plain);
        if !plain.exists() {
            continue;
        }
        match Active::open(directory, number) {
            Ok(active) if active.length() == 0 => remove(&plain)?,
            Ok(active) => closed.push_back(Closed::new(number, active.length())),
            Err(_) => drop(damaged.insert(number)),
        }
    }
    Ok((closed, damaged))
}

/// Opens the segment `number` for writing, and tells when it was begun.
pub(super) fn activate(directory: &Path, number: u64) -> io::Result<(Active, SystemTime)> {
    let active = Active::open(directory, number)?;
    let plain = path(directory, number, Kind::Plain);
    let metadata = fs::metadata(&plain)?;
    // Not every file system knows when a file was made.
    let begun = metadata.created().or_else(|_| metadata.modified())?;
    // A convenience; nothing here relies on it.
    let _ = link(directory, &plain);
    Ok((active, begun))
}

fn link(directory: &Path, plain: &Path) -> io::Result<()> {
    let new = directory.join("current.new");
    remove(&new)?;
    std::os::unix::fs::symlink(plain.file_name().unwrap_or_default(), &new)?;
    fs::rename(new, directory.join(CURRENT))
}
