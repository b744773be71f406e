//! Opens the active segment and finds the closed ones in a directory.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use super::active::Active;
use super::closed::Closed;
use super::file::remove;
use super::name::{Kind, path};

/// The link to the active segment, for `tail -F`. It is not named like a segment, so that programs that read all
/// segments do not read one twice.
pub(super) const CURRENT: &str = "current";

/// The segments of `numbers` that have a plain form and must be compressed, and those that cannot be read.
pub(super) fn find_closed(
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

/// Opens the segment `number` for appending. Also returns the time when it was created.
pub(super) fn activate(directory: &Path, number: u64) -> io::Result<(Active, SystemTime)> {
    let active = Active::open(directory, number)?;
    let plain = path(directory, number, Kind::Plain);
    let metadata = fs::metadata(&plain)?;
    // Not every file system stores the creation time.
    let created = metadata.created().or_else(|_| metadata.modified())?;
    // Only a convenience for users, so errors are ignored.
    let _ = link(directory, &plain);
    Ok((active, created))
}

/// Points the link `current` to `plain`.
pub(super) fn link(directory: &Path, plain: &Path) -> io::Result<()> {
    let new = directory.join("current.new");
    remove(&new)?;
    std::os::unix::fs::symlink(plain.file_name().unwrap_or_default(), &new)?;
    fs::rename(new, directory.join(CURRENT))
}
