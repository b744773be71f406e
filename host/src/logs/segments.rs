//! The log on disk: segments of JSON Lines in one directory, which only its owner can access.
//!
//! One process writes. Any number of processes read, also while it writes or after it crashed. A segment is named by
//! its number; each new segment has a higher number:
//!
//! - `000000000042.jsonl` contains whole lines as they were written. The one with the highest number is the active
//!   segment, which is appended to. The link `current` points to it.
//! - `000000000042.jsonl.zst` is a closed segment. It consists of zstd frames (RFC 8878), each of whole lines and
//!   readable without the others. `zstdcat` reads it.
//! - `000000000042.index` tells which frames an entry can be in. It is derived from the segment and can be rebuilt.
//! - `000000000042.torn` contains the incomplete last line of a process that was killed.
//!
//! While a segment is written to, its compressed form grows beside it (`.partial`), so that closing takes no time.
//!
//! Depends on `entry` and `forms`.

mod active;
mod age_clock;
mod closed;
mod error;
mod executions;
mod file;
mod frame;
mod index;
mod listing;
mod lock;
mod name;
mod place;
mod retention;
mod seal;
mod sealed;
mod source;
#[cfg(test)]
mod stored_lines;
mod writer;

pub use active::AppendError;
pub(super) use active::whole_lines;
pub use error::SegmentError;
pub(super) use file::open;
pub(super) use listing::{Listing, exists, file_of};
pub use retention::Retention;
pub(super) use sealed::Sealed;
pub(super) use source::Source;
pub use writer::SegmentWriter;
