//! Writes segments: appends lines, closes and compresses what is full or old, and removes what is kept too long.

mod place;

use std::collections::{BTreeSet, VecDeque};
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::active::{Active, Lost, remove};
use super::age_clock::AgeClock;
use super::frame::LONGEST_LINE;
use super::listing::files;
use super::name::{Kind, path};
use super::seal::Seal;
use super::sealed;
use super::{Keeping, SegmentError, retention};
use crate::store::private_directory;
use place::{activate, closed};

/// How much text a step compresses more than was appended since the last one, so that what is behind catches up.
const STEP: usize = 1 << 20;
/// How often it is looked whether something is kept too long.
const LOOK: Duration = Duration::from_secs(60);
/// How long a clock that jumped ahead has to go on so until entries grow old by it: as a part of the time for which they
/// are kept, and at the longest.
const AHEAD_PART: u32 = 8;
const AHEAD: Duration = Duration::from_secs(3_600);

/// The one writer of a directory of segments. Whoever appends also calls [`step`](Self::step), and does the work; only what
/// waits for the disk to make a closed segment safe has a thread of its own.
pub struct SegmentWriter {
    directory: PathBuf,
    keeping: Keeping,
    active: Active,
    number: u64,
    /// When the active segment was begun.
    begun: SystemTime,
    /// Of the active segment.
    seal: Option<Seal>,
    /// Closed and not compressed yet, oldest first.
    closed: VecDeque<Closed>,
    /// Compressed, and being made safe.
    finishing: Option<Finishing>,
    /// Compressed, perhaps without an index, and perhaps damaged.
    unseen: Vec<u64>,
    /// Bytes, since the last step.
    appended: usize,
    age_clock: AgeClock,
    looked: Option<Instant>,
    removed: u64,
    damaged: BTreeSet<u64>,
    /// Held on the directory; given back by the system however the process ends.
    lock: File,
}

struct Closed {
    number: u64,
    length: u64,
    seal: Option<Seal>,
}

struct Finishing {
    number: u64,
    length: u64,
    thread: JoinHandle<io::Result<()>>,
}

impl SegmentWriter {
    /// Opens `directory`, making it if it is not there, for its owner only. What a process that was killed left behind
    /// is put in order, and its last segment is written on.
    ///
    /// # Errors
    /// If the directory cannot be used or is open to others, or another process writes to it.
    pub fn open(directory: &Path, keeping: Keeping) -> Result<Self, SegmentError> {
        let unusable = |error| SegmentError::Directory(directory.to_owned(), error);
        private_directory(directory).map_err(unusable)?;
        let lock = lock(directory)?;
        Self::recover(directory, keeping.consistent(), lock).map_err(unusable)
    }

    fn recover(directory: &Path, keeping: Keeping, lock: File) -> io::Result<Self> {
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
            // It was compressed, and the process ended before it was removed.
            remove(&path(directory, number, Kind::Plain))?;
        }
        let newest_sealed = sealed.last().copied().unwrap_or(0);
        let number = match plain.last() {
            Some(number) if *number > newest_sealed => *number,
            _ => newest_sealed + 1,
        };
        // Of what is closed, and before anything is written or cut: a clock that went wrong since says nothing by it.
        let last_entry = retention::last_closed(directory, number)?;
        // One that cannot be written on stays as it is, and the next one is begun.
        let (number, (active, begun)) = match activate(directory, number) {
            Ok(active) => (number, active),
            Err(_) => (number + 1, activate(directory, number + 1)?),
        };
        plain.retain(|plain| *plain != number);
        let (closed, damaged) = closed(directory, plain)?;
        Ok(Self {
            directory: directory.to_owned(),
            keeping,
            active,
            number,
            begun,
            seal: None,
            closed,
            finishing: None,
            unseen: sealed,
            appended: 0,
            age_clock: AgeClock::new(
                last_entry.unwrap_or(begun),
                AHEAD.min(keeping.age / AHEAD_PART),
            ),
            looked: None,
            removed: 0,
            damaged,
            lock,
        })
    }

    /// Appends `lines`, each with its end, as [`JsonLines`](crate::logs::JsonLines) makes them. They have been
    /// handed to the system when it returns: the end of this process loses none of them.
    ///
    /// # Errors
    /// If some could not be written, as on a full disk. Nothing of them is left behind, and later ones can be written
    /// as soon as there is room. If one of the lines is longer than 8 MiB or has no end, none is written.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), Lost> {
        check(lines).map_err(|error| Lost::new(lines, 0, error))?;
        self.keep_place()
            .map_err(|error| Lost::new(lines, 0, error))?;
        let length = self.active.length();
        if length > 0 && length + lines.len() as u64 > self.keeping.segment_bytes {
            // On a full disk the old segment is written on as far as it goes.
            let _ = self.rotate();
        }
        self.appended += lines.len();
        self.append_in_place(lines)?;
        if !self.is_in_place() {
            // Removed at this moment: nobody would find them.
            self.keep_place()
                .map_err(|error| Lost::new(lines, 0, error))?;
            self.active.append(lines)?;
        }
        Ok(())
    }

    /// Appends to the active segment, or to the next one if a file may not be any larger (`ulimit -f`).
    fn append_in_place(&mut self, lines: &[u8]) -> Result<(), Lost> {
        let lost = match self.active.append(lines) {
            Err(lost)
                if lost.source.kind() == ErrorKind::FileTooLarge && self.active.length() > 0 =>
            {
                lost
            }
            appended => return appended,
        };
        let from = lost.from;
        self.rotate()
            .map_err(|error| Lost::new(lines, from, error))?;
        self.active.append(&lines[from..]).map_err(|more| Lost {
            from: from + more.from,
            ..more
        })
    }

    /// Does a part of what else there is to do: closes a segment that is too old, compresses, removes what is kept too
    /// long. To be called after each `append`, and every second or so without one. Takes a few milliseconds; while the
    /// disk makes a closed segment safe, nothing waits.
    ///
    /// # Errors
    /// If some of it failed, as on a full disk. Entries go on being written, and it is tried again at the next call.
    pub fn step(&mut self, now: SystemTime) -> io::Result<()> {
        self.step_at(now, Instant::now())
    }

    /// As [`step`](Self::step), with the moment by which the system's clock is judged.
    pub(in crate::logs) fn step_at(&mut self, now: SystemTime, at: Instant) -> io::Result<()> {
        let placed = self.keep_place();
        self.keep_link();
        let now = self.age_clock.tell(now, at);
        let age = now.duration_since(self.begun).unwrap_or_default();
        let rotated = match self.active.length() {
            length if length > 0 && age > self.keeping.segment_age => self.rotate(),
            _ => Ok(()),
        };
        let compressed = self.compress();
        let removed = self.remove_old(now, at);
        placed.and(rotated).and(compressed).and(removed)
    }

    /// Whether [`step`](Self::step) has more to do at once.
    pub fn is_behind(&self) -> bool {
        !self.closed.is_empty() || self.finishing.is_some()
    }

    /// How many segments were removed since it was opened, because they were too old or too much was kept.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// The numbers of the segments met since it was opened that are cut, damaged or cannot be read.
    pub fn damaged(&self) -> &BTreeSet<u64> {
        &self.damaged
    }

    /// Sees to it that all that was appended outlasts a loss of power as well.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&mut self) -> io::Result<()> {
        let settled = self.settle();
        self.active.sync().and(settled)
    }

    /// Waits until nothing is being made safe.
    pub(in crate::logs) fn settle(&mut self) -> io::Result<()> {
        self.finishing
            .take()
            .map_or(Ok(()), |finishing| self.finished(finishing))
    }

    fn finished(&mut self, finishing: Finishing) -> io::Result<()> {
        // Now it takes less room.
        self.looked = None;
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
        self.looked = None;
        Ok(())
    }

    fn compress(&mut self) -> io::Result<()> {
        let mut left = STEP + std::mem::take(&mut self.appended);
        let is_over = |finishing: &mut Finishing| finishing.thread.is_finished();
        if let Some(finishing) = self.finishing.take_if(is_over) {
            self.finished(finishing)?;
        }
        while self.finishing.is_none()
            && let Some(closed) = self.closed.front_mut()
        {
            match closed.compress(&self.directory, &mut left) {
                Ok(None) => return Ok(()),
                // Somebody removed it.
                failed if is_gone(&failed) => drop(self.closed.pop_front()),
                Err(error) if error.kind() != ErrorKind::InvalidData => return Err(error),
                // It is compressed, or it never can be and stays plain.
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
        if let Some(number) = self.unseen.pop() {
            let (written, is_whole) = sealed::look_after(&self.directory, number);
            if !is_whole {
                self.damaged.insert(number);
            }
            written?;
        }
        let seal = match &mut self.seal {
            Some(seal) => seal,
            none => none.insert(Seal::begin(&self.directory, self.number)?),
        };
        pack(seal, self.active.length(), false, &mut left).map(drop)
    }

    fn remove_old(&mut self, now: SystemTime, at: Instant) -> io::Result<()> {
        if self.looked.is_some_and(|looked| at - looked < LOOK) {
            return Ok(());
        }
        self.looked = Some(at);
        // Files of the one that is being made safe are about to take others' places.
        let finishing = self.finishing.as_ref();
        let end = finishing.map_or(self.number, |finishing| finishing.number);
        let removed = retention::enforce(&self.directory, end, &self.keeping, now)?;
        self.removed += removed.len() as u64;
        self.closed
            .retain(|closed| !removed.contains(&closed.number));
        Ok(())
    }
}

impl Closed {
    fn new(number: u64, length: u64) -> Self {
        Self {
            number,
            length,
            seal: None,
        }
    }

    /// Compresses what is `left` to be compressed in this step; hands out what it has made when that was the last of it.
    fn compress(&mut self, directory: &Path, left: &mut usize) -> io::Result<Option<Seal>> {
        let mut seal = match self.seal.take() {
            Some(seal) => seal,
            None => Seal::begin(directory, self.number)?,
        };
        let is_packed = pack(&mut seal, self.length, true, left);
        match is_packed {
            Ok(true) => Ok(Some(seal)),
            unfinished => {
                self.seal = Some(seal);
                unfinished.map(|_| None)
            }
        }
    }
}

impl Finishing {
    fn start(number: u64, length: u64, seal: Seal) -> io::Result<Self> {
        let thread = thread::Builder::new().name("log seal".into());
        let thread = thread.spawn(move || seal.finish())?;
        Ok(Self {
            number,
            length,
            thread,
        })
    }
}

impl Drop for SegmentWriter {
    /// Nobody else writes in the directory while something is done there.
    fn drop(&mut self) {
        // It is tried again by the next one who opens it.
        let _ = self.settle();
    }
}

/// Takes the lock on `directory`.
fn lock(directory: &Path) -> Result<File, SegmentError> {
    let unusable = |error| SegmentError::Directory(directory.to_owned(), error);
    let lock = File::open(directory).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(SegmentError::Locked(directory.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Whether the open `file` is the one at `path`.
fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    Ok(identity(file.metadata()?) == identity(fs::metadata(path)?))
}

/// Whether something failed because its file was removed.
fn is_gone<T>(result: &io::Result<T>) -> bool {
    let error = result.as_ref().err();
    error.is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Packs blocks while there is something `left` to do in this step; tells whether all are packed.
fn pack(seal: &mut Seal, length: u64, is_closed: bool, left: &mut usize) -> io::Result<bool> {
    while *left > 0 {
        match seal.step(length, is_closed)? {
            0 => return Ok(true),
            count => *left = left.saturating_sub(count),
        }
    }
    Ok(false)
}

fn check(lines: &[u8]) -> io::Result<()> {
    let is_whole = lines.last().is_none_or(|last| *last == b'\n');
    let is_long = |line: &[u8]| line.len() >= LONGEST_LINE;
    let has_long = lines.len() > LONGEST_LINE && lines.split(|byte| *byte == b'\n').any(is_long);
    match is_whole && !has_long {
        true => Ok(()),
        false => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "expected lines of less than 8 MiB, each with its end",
        )),
    }
}

#[cfg(test)]
mod tests;
