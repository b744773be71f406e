//! Where a compiled component goes as it comes.

use crate::error::LoadError;
use crate::limits::MIB;

/// The largest compiled component, in bytes.
pub(crate) const MOST_BYTES: u64 = 1 << 30;

/// Takes a compiled component, piece by piece.
pub(crate) trait Sink {
    /// # Errors
    /// If there is more than may be, or it cannot be kept.
    fn write(&mut self, bytes: &[u8]) -> Result<(), LoadError>;
}

/// Keeps it in memory.
pub(crate) struct Memory {
    bytes: Vec<u8>,
    length: u64,
    limit: u64,
}

impl Memory {
    /// At most `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            bytes: Vec::new(),
            length: 0,
            limit: limit.min(MOST_BYTES),
        }
    }

    /// Counts bytes, wherever they are kept.
    ///
    /// # Errors
    /// If with these there are more than may be.
    pub(crate) fn count(&mut self, bytes: usize) -> Result<(), LoadError> {
        self.length += bytes as u64;
        match self.length > self.limit {
            true => Err(LoadError::CompiledSize {
                limit: self.limit / MIB,
            }),
            false => Ok(()),
        }
    }

    /// Keeps bytes that are counted already.
    pub(crate) fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// All that is kept.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl Sink for Memory {
    fn write(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        self.count(bytes.len())?;
        self.keep(bytes);
        Ok(())
    }
}
