//! Where a compiled component goes as it comes: into the cache, or into memory where that cannot be.

use super::super::cache::{ENTRY_LIMIT, Entry};
use super::super::error::LoadError;
use super::super::limits::MIB;

/// A compiled component that is coming.
pub(crate) struct Sink<'a> {
    entry: Option<Entry<'a>>,
    memory: Vec<u8>,
    length: u64,
    limit: u64,
}

/// One that has come.
pub(crate) enum Compiled<'a> {
    /// In the cache, once it is kept there.
    Entry(Entry<'a>),
    /// In memory.
    Bytes(Vec<u8>),
}

impl<'a> Sink<'a> {
    /// Into this entry of the cache, or into memory; `limit` bytes at most.
    pub(crate) fn new(entry: Option<Entry<'a>>, limit: u64) -> Self {
        Self {
            entry,
            memory: Vec::new(),
            length: 0,
            limit: limit.min(ENTRY_LIMIT),
        }
    }

    /// # Errors
    /// If there is more than may be.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        self.length += bytes.len() as u64;
        if self.length > self.limit {
            return Err(LoadError::CompiledSize {
                limit: self.limit / MIB,
            });
        }
        if let Some(entry) = &mut self.entry {
            if entry.write(bytes).is_ok() {
                return Ok(());
            }
            // A full disk costs memory, and the next start some time, nothing more.
            let written = entry.read_back();
            self.memory = written.map_err(|error| LoadError::Compiler(error.to_string()))?;
            self.entry = None;
        }
        self.memory.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn finish(self) -> Compiled<'a> {
        match self.entry {
            Some(entry) => Compiled::Entry(entry),
            None => Compiled::Bytes(self.memory),
        }
    }
}
