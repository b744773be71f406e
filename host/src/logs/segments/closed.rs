//! Closed segments on their way to the compressed form.

use std::io;
use std::path::Path;
use std::thread::{self, JoinHandle};

use super::seal::Seal;

/// A closed segment that is not compressed yet.
pub(super) struct Closed {
    pub(super) number: u64,
    pub(super) length: u64,
    pub(super) seal: Option<Seal>,
}

/// A compressed segment that is being synced to the disk, on a thread of its own.
pub(super) struct Finishing {
    pub(super) number: u64,
    pub(super) length: u64,
    pub(super) thread: JoinHandle<io::Result<()>>,
}

impl Closed {
    pub(super) fn new(number: u64, length: u64) -> Self {
        Self {
            number,
            length,
            seal: None,
        }
    }

    /// Compresses at most `budget` bytes, which it reduces. Returns the compressed form when it is complete.
    pub(super) fn compress(
        &mut self,
        directory: &Path,
        budget: &mut usize,
    ) -> io::Result<Option<Seal>> {
        let mut seal = match self.seal.take() {
            Some(seal) => seal,
            None => Seal::begin(directory, self.number)?,
        };
        let is_packed = pack(&mut seal, self.length, true, budget);
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
    /// Starts the thread.
    pub(super) fn start(number: u64, length: u64, seal: Seal) -> io::Result<Self> {
        let thread = thread::Builder::new().name("log seal".into());
        let thread = thread.spawn(move || seal.finish())?;
        Ok(Self {
            number,
            length,
            thread,
        })
    }
}

/// Compresses blocks while there is `budget` left, in bytes. Returns whether all are compressed.
pub(super) fn pack(
    seal: &mut Seal,
    length: u64,
    is_closed: bool,
    budget: &mut usize,
) -> io::Result<bool> {
    while *budget > 0 {
        match seal.pack_block(length, is_closed)? {
            0 => return Ok(true),
            count => *budget = budget.saturating_sub(count),
        }
    }
    Ok(false)
}
