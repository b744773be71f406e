//! What is written to a body and not read yet.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

/// A guest may write on while no more than this stands unread, in bytes: as long as nobody reads, and afterwards.
pub(super) const BEFORE_READING: usize = 1024 * 1024;
pub(super) const WHILE_READING: usize = 64 * 1024;

/// Smaller writes are gathered in blocks of this size. Else the host would hold many times what they have.
pub(super) const BLOCK: usize = 16 * 1024;

/// What stands in a body, and who waits for it.
#[derive(Default)]
pub(super) struct Flow {
    /// What stands unread, in order; `block` comes last.
    pieces: VecDeque<Bytes>,
    block: BytesMut,
    pub(super) unread: usize,
    pub(super) written: u64,
    pub(super) reader: Reader,
    pub(super) end: End,
    pub(super) waiting_reader: Option<Waker>,
    pub(super) waiting_writer: Option<Waker>,
}

/// Who reads a body.
#[derive(Clone, Copy, Default)]
pub(super) enum Reader {
    /// Nobody has read yet.
    #[default]
    Absent,
    Reads,
    /// What is written is dropped, and may be no more than the limit.
    Discards {
        limit: Option<u64>,
    },
    Gone,
}

/// How far the guest has come with a body.
#[derive(Default)]
pub(super) enum End {
    #[default]
    Open,
    Finished(Option<Box<HeaderMap>>),
    /// The guest has let go of it, or has ended, without finishing it.
    Cut,
}

impl Flow {
    /// Whether the guest may write on.
    pub(super) fn may_write(&self) -> bool {
        let most = match self.reader {
            Reader::Absent => BEFORE_READING,
            Reader::Reads => WHILE_READING,
            Reader::Discards { .. } | Reader::Gone => return true,
        };
        self.unread <= most
    }

    /// Adds what the guest writes.
    pub(super) fn push(&mut self, bytes: Bytes) {
        self.unread += bytes.len();
        let is_first = self.pieces.is_empty() && self.block.is_empty();
        if is_first || bytes.len() >= BLOCK {
            self.end_block();
            self.pieces.push_back(bytes);
            return;
        }
        // The block grows with what is in it: it may be taken at any time, and only its content is charged.
        let room = BLOCK - self.block.len();
        let (now, rest) = bytes.split_at(room.min(bytes.len()));
        self.block.extend_from_slice(now);
        if !rest.is_empty() {
            self.end_block();
            self.block.extend_from_slice(rest);
        }
    }

    fn end_block(&mut self) {
        if !self.block.is_empty() {
            let block = std::mem::take(&mut self.block);
            self.pieces.push_back(block.freeze());
        }
    }

    /// Takes out what stands there longest.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        if self.pieces.is_empty() {
            self.end_block();
        }
        let piece = self.pieces.pop_front()?;
        self.unread -= piece.len();
        Some(piece)
    }

    /// Drops all that stands unread. Answers how much that was.
    pub(super) fn clear(&mut self) -> usize {
        self.pieces = VecDeque::new();
        self.block = BytesMut::new();
        std::mem::take(&mut self.unread)
    }

    /// Whether there is something to read.
    pub(super) fn has_more(&self) -> bool {
        !self.pieces.is_empty() || !self.block.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_pieces_take_little_more_than_what_is_in_them() {
        for pieces in [2, 10, 100, 1000] {
            let mut flow = Flow::default();
            for _ in 0..pieces {
                flow.push(Bytes::from_static(b"x"));
            }
            let taken = flow.block.capacity();
            assert!(
                taken <= (2 * pieces).max(64),
                "{taken} bytes for {pieces} pieces"
            );
        }
    }
}
