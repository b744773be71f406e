//! Entries as they are kept: segments of JSON Lines in one directory, its owner's only.
//!
//! One process writes; any number read, while it does or after it died. A segment is named by its number, which only
//! ever rises by one:
//!
//! - `000000000042.jsonl` holds whole lines as they were written. The one with the highest number is written to, and
//!   the link `current` leads to it.
//! - `000000000042.jsonl.zst` is a closed segment: zstd frames (RFC 8878), each of whole lines and readable without
//!   the others. `zstdcat` reads it.
//! - `000000000042.index` tells which frames of it an entry can be in. It is made of the segment and can be made anew.
//! - `000000000042.torn` holds what a process that was killed had written of a line.
//!
//! While a segment is written to, its compressed form grows beside it (`.partial`), so that closing one takes no time.

mod active;
mod age_clock;
mod executions;
mod frame;
mod index;
mod listing;
mod name;
mod retention;
mod seal;
mod sealed;
mod writer;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use active::Lost;
pub(super) use active::whole_lines;
pub(super) use listing::{Listing, Source, exists, file_of, open};
pub(super) use sealed::Sealed;
pub use writer::SegmentWriter;

/// When segments are closed, and how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// The size at which a segment is closed, in bytes of text.
    pub segment_bytes: u64,
    /// The age at which a segment is closed.
    pub segment_age: Duration,
    /// How long a segment is kept after its last entry.
    pub age: Duration,
    /// How much is kept in all, in bytes on disk.
    pub bytes: u64,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(24 * 3_600),
            age: Duration::from_secs(30 * 24 * 3_600),
            bytes: 10 << 30,
        }
    }
}

impl Keeping {
    /// With segments small and short enough that entries can go when they should, and not much earlier: what is kept
    /// is removed a segment at a time.
    fn consistent(self) -> Self {
        Self {
            segment_bytes: self.segment_bytes.min(self.bytes / 8).max(1),
            segment_age: self.segment_age.min(self.age / 8),
            ..self
        }
    }
}

/// Why the kept log cannot be used.
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
