//! One process serves from a store at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::{Store, StoreError};

const FILE: &str = "serve.lock";
/// How long the lock is tried for: a command that asks whether a process serves holds it for a moment.
const PATIENCE: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(5);

/// Held by the process that serves; given back by the system however the process ends.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl Store {
    /// Takes the lock, and writes into it who has it.
    ///
    /// # Errors
    /// If another process has it.
    pub fn lock_for_serving(&self) -> Result<ServeLock, StoreError> {
        let unusable = |error| StoreError::Directory(self.directory.clone(), error);
        let mut file = self.lock_file().map_err(unusable)?;
        if !is_taken(&file) {
            let mut holder = String::new();
            // Who it is only makes the message better.
            let _ = (&mut file).take(100).read_to_string(&mut holder);
            return Err(StoreError::Locked {
                directory: self.directory.clone(),
                holder: holder.trim().to_owned(),
            });
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).map_err(unusable)?;
        Ok(ServeLock { _file: file })
    }

    /// Whether a process serves from this store at this moment.
    pub fn is_served(&self) -> bool {
        self.lock_file()
            .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_err())
    }

    fn lock_file(&self) -> std::io::Result<File> {
        use std::os::unix::fs::OpenOptionsExt;
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.directory.join(FILE))
    }
}

/// Takes the lock, if no process has it for good.
fn is_taken(file: &File) -> bool {
    let begun = Instant::now();
    loop {
        if flock(file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            return true;
        }
        if begun.elapsed() >= PATIENCE {
            return false;
        }
        thread::sleep(PAUSE);
    }
}
