//! Keeping a compiled component as it comes, or holding it in memory where that cannot be.

use super::Entry;
use crate::compile::{Memory, Sink};
use crate::error::LoadError;

/// A compiled component that is coming.
pub(crate) struct KeptSink<'a> {
    entry: Option<Entry<'a>>,
    memory: Memory,
}

/// One that has come.
pub(crate) enum Compiled<'a> {
    /// In the cache, once it is kept there.
    Entry(Entry<'a>),
    /// In memory.
    Bytes(Vec<u8>),
}

impl<'a> KeptSink<'a> {
    /// Into this entry of the cache, or into memory; `limit` bytes at most.
    pub(crate) fn new(entry: Option<Entry<'a>>, limit: u64) -> Self {
        Self {
            entry,
            memory: Memory::new(limit),
        }
    }

    /// What has come.
    pub(crate) fn finish(self) -> Compiled<'a> {
        match self.entry {
            Some(entry) => Compiled::Entry(entry),
            None => Compiled::Bytes(self.memory.into_bytes()),
        }
    }
}

impl Sink for KeptSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let Some(entry) = &mut self.entry else {
            return self.memory.write(bytes);
        };
        self.memory.count(bytes.len())?;
        if entry.write(bytes).is_err() {
            // A full disk costs memory, and the next start some time, nothing more.
            let written = entry.read_back();
            let written = written.map_err(|error| LoadError::Compiler(error.to_string()))?;
            self.memory.keep(&written);
            self.memory.keep(bytes);
            self.entry = None;
        }
        Ok(())
    }
}
