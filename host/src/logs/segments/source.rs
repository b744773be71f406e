//! Opens a segment in either form, for readers.

use std::fs::File;
use std::io;
use std::path::Path;

use super::file::open;
use super::name::{Kind, path};
use super::sealed::Sealed;

/// A segment, open for reading.
#[derive(Debug)]
pub(in crate::logs) enum Source {
    /// Plain lines. The file may still be appended to.
    Plain(File),
    /// Compressed lines.
    Sealed(Sealed),
}

impl Source {
    /// Opens the segment `number`; `None` if it does not exist.
    pub(in crate::logs) fn open(directory: &Path, number: u64) -> io::Result<Option<Self>> {
        if let Some(sealed) = Sealed::open(directory, number)? {
            return Ok(Some(Self::Sealed(sealed)));
        }
        if let Some(file) = open(&path(directory, number, Kind::Plain))? {
            return Ok(Some(Self::Plain(file)));
        }
        // It may have been compressed meanwhile.
        let sealed = Sealed::open(directory, number)?;
        Ok(sealed.map(Self::Sealed))
    }
}
