//! Why the log directory cannot be used.

use std::io;
use std::path::PathBuf;

/// The error of [`SegmentWriter::open`](super::SegmentWriter::open).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// The directory cannot be used.
    #[error("the log directory {} cannot be used: {_1}", _0.display())]
    Directory(PathBuf, io::Error),
    /// Another process writes to it.
    #[error("another process writes the log in {}; stop it, or choose another directory", _0.display())]
    Locked(PathBuf),
}
