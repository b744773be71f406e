//! Writes segments: appends lines, closes and compresses segments, and removes old ones.

mod in_place;

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::active::{Active, AppendError};
use super::age_clock::AgeClock;
use super::closed::{Closed, Finishing, pack};
use super::file::remove;
use super::frame::MAX_LINE;
use super::listing::files;
use super::lock::DirectoryLock;
use super::name::{Kind, path};
use super::place::{activate, find_closed};
use super::retention::{self, Retention};
use super::seal::Seal;
use super::{SegmentError, sealed};
use crate::store::private_directory;

/// How many bytes each call of `maintain` compresses in addition to those appended since the last call, to catch up.
const CATCH_UP: usize = 1 << 20;
/// How often the retention limits are checked.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60);
/// How long a clock that jumped ahead must stay ahead until it is believed: a fraction of the retention time, and at
/// most an hour.
const AHEAD_FRACTION: u32 = 8;
const MAX_AHEAD: Duration = Duration::from_secs(3_600);

/// The only writer of a directory of segments. The caller of [`append`](Self::append) also calls
/// [`maintain`](Self::maintain), which compresses and removes segments. Only syncing a closed segment to the disk has a
/// thread of its own.
pub struct SegmentWriter {
    directory: PathBuf,
    retention: Retention,
    active: Active,
    number: u64,
    /// When the active segment was created.
    begun: SystemTime,
    /// The compressed form of the active segment, as far as it is written.
    seal: Option<Seal>,
    /// Closed segments that are not compressed yet, oldest first.
    closed: VecDeque<Closed>,
    /// The compressed segment that is being synced to the disk.
    finishing: Option<Finishing>,
    /// Compressed segments that were not checked yet: they may be damaged or lack an index.
    unchecked: Vec<u64>,
    /// Bytes appended since the last call of `maintain`.
    appended: usize,
    age_clock: AgeClock,
    /// When the retention limits were last checked.
    retention_checked: Option<Instant>,
    removed: u64,
    damaged: BTreeSet<u64>,
    lock: DirectoryLock,
}

impl SegmentWriter {
    /// Opens `directory`, which is created if necessary, with access for its owner only. Repairs what a process that
    /// was killed left behind, and continues its last segment.
    ///
    /// # Errors
    /// If the directory cannot be used, if others have access to it, or if another process writes to it.
    pub fn open(directory: &Path, retention: Retention) -> Result<Self, SegmentError> {
        let unusable = |error| SegmentError::Directory(directory.to_owned(), error);
        private_directory(directory).map_err(unusable)?;
        let lock = DirectoryLock::acquire(directory)?;
        Self::recover(directory, retention.consistent(), lock).map_err(unusable)
    }

    fn recover(directory: &Path, retention: Retention, lock: DirectoryLock) -> io::Result<Self> {
        let (mut plain, mut sealed) = (Vec::new(), Vec::new());
        for (number, kind) in files(directory)? {
            match kind {
                Kind::Plain => plain.push(number),
                Kind::Sealed => sealed.push(number),
                Kind::Partial => remove(&path(directory, number, kind))?,
                Kind::Index | Kind::Torn => {}
            }
        }
        for number in plain.extract_if(.., |number| sealed.binary_search(number).is_ok()) {
            // The process ended after the segment was compressed, before the plain form was removed.
            remove(&path(directory, number, Kind::Plain))?;
        }
        let newest_sealed = sealed.last().copied().unwrap_or(0);
        let number = match plain.last() {
            Some(number) if *number > newest_sealed => *number,
            _ => newest_sealed + 1,
        };
        // Taken from closed segments before anything is written or truncated, since the clock may be wrong now.
        let last_entry = retention::last_closed(directory, number)?;
        // If the last segment cannot be opened, it stays as it is and the next one is begun.
        let (number, (active, begun)) = match activate(directory, number) {
            Ok(active) => (number, active),
            Err(_) => (number + 1, activate(directory, number + 1)?),
        };
        plain.retain(|plain| *plain != number);
        let (closed, damaged) = find_closed(directory, plain)?;
        Ok(Self {
            directory: directory.to_owned(),
            retention,
            active,
            number,
            begun,
            seal: None,
            closed,
            finishing: None,
            unchecked: sealed,
            appended: 0,
            age_clock: AgeClock::new(
                last_entry.unwrap_or(begun),
                MAX_AHEAD.min(retention.age / AHEAD_FRACTION),
            ),
            retention_checked: None,
            removed: 0,
            damaged,
            lock,
        })
    }

    /// Appends `lines`, each with its line feed, as [`JsonLines`](crate::logs::JsonLines) renders them. When it
    /// returns, they were handed to the operating system, so that a crash of this process does not lose them.
    ///
    /// # Errors
    /// If some lines could not be written, for example on a full disk. No part of them is left in the file, and later
    /// lines can be written as soon as there is space. If a line is longer than 8 MiB or has no line feed, none is
    /// written.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), AppendError> {
        check(lines).map_err(|error| AppendError::new(lines, 0, error))?;
        self.ensure_in_place()
            .map_err(|error| AppendError::new(lines, 0, error))?;
        let length = self.active.length();
        if length > 0 && length + lines.len() as u64 > self.retention.segment_bytes {
            // If that fails, as on a full disk, the old segment is continued.
            let _ = self.rotate();
        }
        self.appended += lines.len();
        self.append_in_place(lines)?;
        if !self.is_in_place() {
            // The file was removed during the write, so readers would not find the lines.
            self.ensure_in_place()
                .map_err(|error| AppendError::new(lines, 0, error))?;
            self.active.append(lines)?;
        }
        Ok(())
    }

    /// Appends to the active segment, or to the next one if the file size limit is reached (`ulimit -f`).
    fn append_in_place(&mut self, lines: &[u8]) -> Result<(), AppendError> {
        let error = match self.active.append(lines) {
            Err(error)
                if error.source.kind() == ErrorKind::FileTooLarge && self.active.length() > 0 =>
            {
                error
            }
            appended => return appended,
        };
        let from = error.from;
        self.rotate()
            .map_err(|error| AppendError::new(lines, from, error))?;
        self.active
            .append(&lines[from..])
            .map_err(|more| AppendError {
                from: from + more.from,
                ..more
            })
    }

    /// Performs a part of the maintenance that is due: closes a segment that is too old, compresses closed ones, and
    /// removes segments beyond the retention limits. Call it after each `append`, and about once a second without one.
    /// It takes a few milliseconds and does not wait for the disk to sync.
    ///
    /// # Errors
    /// If some of it failed, for example on a full disk. Lines can still be appended, and the next call tries again.
    pub fn maintain(&mut self, now: SystemTime) -> io::Result<()> {
        self.maintain_at(now, Instant::now())
    }

    /// Like [`maintain`](Self::maintain), with the monotonic time that the system's clock is compared to.
    pub(in crate::logs) fn maintain_at(&mut self, now: SystemTime, at: Instant) -> io::Result<()> {
        let placed = self.ensure_in_place();
        self.ensure_link();
        let now = self.age_clock.now(now, at);
        let age = now.duration_since(self.begun).unwrap_or_default();
        let rotated = match self.active.length() {
            length if length > 0 && age > self.retention.segment_age => self.rotate(),
            _ => Ok(()),
        };
        let compressed = self.compress();
        let removed = self.remove_old(now, at);
        placed.and(rotated).and(compressed).and(removed)
    }

    /// Whether [`maintain`](Self::maintain) has more work that is due.
    pub fn is_behind(&self) -> bool {
        !self.closed.is_empty() || self.finishing.is_some()
    }

    /// How many segments the retention limits have removed since the directory was opened.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// The numbers of the segments that were found truncated, damaged or unreadable since the directory was opened.
    pub fn damaged(&self) -> &BTreeSet<u64> {
        &self.damaged
    }

    /// Syncs all appended lines to the disk, so that they survive a power failure.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&mut self) -> io::Result<()> {
        let settled = self.settle();
        self.active.sync().and(settled)
    }

    /// Waits until no segment is being synced to the disk.
    pub(in crate::logs) fn settle(&mut self) -> io::Result<()> {
        self.finishing
            .take()
            .map_or(Ok(()), |finishing| self.finished(finishing))
    }

    fn finished(&mut self, finishing: Finishing) -> io::Result<()> {
        // The segment now uses less space.
        self.retention_checked = None;
        let finished = finishing.thread.join();
        let finished = finished.unwrap_or_else(|_| Err(io::Error::other("the thread panicked")));
        if is_gone(&finished) {
            return Ok(());
        }
        if finished.is_err() {
            let closed = Closed::new(finishing.number, finishing.length);
            self.closed.push_front(closed);
        }
        finished
    }

    /// Closes the active segment and begins another.
    fn rotate(&mut self) -> io::Result<()> {
        let (active, begun) = activate(&self.directory, self.number + 1)?;
        let length = std::mem::replace(&mut self.active, active).length();
        self.closed.push_back(Closed {
            seal: self.seal.take(),
            ..Closed::new(self.number, length)
        });
        self.number += 1;
        self.begun = begun;
        self.retention_checked = None;
        Ok(())
    }

    fn compress(&mut self) -> io::Result<()> {
        let mut budget = CATCH_UP + std::mem::take(&mut self.appended);
        let is_over = |finishing: &mut Finishing| finishing.thread.is_finished();
        if let Some(finishing) = self.finishing.take_if(is_over) {
            self.finished(finishing)?;
        }
        while self.finishing.is_none()
            && let Some(closed) = self.closed.front_mut()
        {
            match closed.compress(&self.directory, &mut budget) {
                Ok(None) => return Ok(()),
                // The segment was removed by another process.
                failed if is_gone(&failed) => drop(self.closed.pop_front()),
                Err(error) if error.kind() != ErrorKind::InvalidData => return Err(error),
                // It is compressed, or it cannot be compressed and stays plain.
                done => {
                    let (number, length) = (closed.number, closed.length);
                    if done.is_err() {
                        self.damaged.insert(number);
                    }
                    if let Some(seal) = done.inspect_err(|_| drop(self.closed.pop_front()))? {
                        self.finishing = Some(Finishing::start(number, length, seal)?);
                        self.closed.pop_front();
                    }
                }
            }
        }
        if let Some(number) = self.unchecked.pop() {
            let (written, is_whole) = sealed::check(&self.directory, number);
            if !is_whole {
                self.damaged.insert(number);
            }
            written?;
        }
        let seal = match &mut self.seal {
            Some(seal) => seal,
            none => none.insert(Seal::begin(&self.directory, self.number)?),
        };
        pack(seal, self.active.length(), false, &mut budget).map(drop)
    }

    fn remove_old(&mut self, now: SystemTime, at: Instant) -> io::Result<()> {
        if self
            .retention_checked
            .is_some_and(|checked| at - checked < RETENTION_INTERVAL)
        {
            return Ok(());
        }
        self.retention_checked = Some(at);
        // The files of a segment that is being synced are still being renamed, so it is not removed.
        let finishing = self.finishing.as_ref();
        let end = finishing.map_or(self.number, |finishing| finishing.number);
        let removed = retention::enforce(&self.directory, end, &self.retention, now)?;
        self.removed += removed.len() as u64;
        self.closed
            .retain(|closed| !removed.contains(&closed.number));
        Ok(())
    }
}

impl Drop for SegmentWriter {
    /// Waits for the sync, so that the directory is not written to after the lock is released.
    fn drop(&mut self) {
        // If it fails, the next writer of the directory repeats it.
        let _ = self.settle();
    }
}

/// Whether an operation failed because its file was removed.
fn is_gone<T>(result: &io::Result<T>) -> bool {
    let error = result.as_ref().err();
    error.is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

fn check(lines: &[u8]) -> io::Result<()> {
    let is_whole = lines.last().is_none_or(|last| *last == b'\n');
    let is_long = |line: &[u8]| line.len() >= MAX_LINE;
    let has_long = lines.len() > MAX_LINE && lines.split(|byte| *byte == b'\n').any(is_long);
    match is_whole && !has_long {
        true => Ok(()),
        false => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "expected lines of less than 8 MiB, each with its line feed",
        )),
    }
}

#[cfg(test)]
mod tests;
