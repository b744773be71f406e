//! Blocks of lines as zstd frames (RFC 8878), each readable without the others.

use std::io;
use std::ops::Range;

use memchr::memmem;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{self, MAGICNUMBER};

/// The maximum size of a block in bytes of text, unless a single line is longer. Larger blocks compress better, but
/// more must be read to find one line; beyond this size the gain is small. A block fits in the second-level cache.
pub(super) const BLOCK: usize = 256 * 1024;
/// The longest line that can be stored, in bytes.
pub(super) const MAX_LINE: usize = 8 << 20;
/// The fastest level. Higher levels make logs only a little smaller and not faster to read.
const LEVEL: i32 = 1;

/// Compresses blocks.
pub(super) struct Packer(Compressor<'static>);

impl Packer {
    pub(super) fn new() -> io::Result<Self> {
        let mut compressor = Compressor::new(LEVEL)?;
        // Readers detect damaged blocks by it.
        compressor.include_checksum(true)?;
        Ok(Self(compressor))
    }

    /// Compresses `block` and replaces the content of `frame`.
    pub(super) fn pack(&mut self, block: &[u8], frame: &mut Vec<u8>) -> io::Result<()> {
        frame.clear();
        frame.reserve(zstd_safe::compress_bound(block.len()));
        self.0.compress_to_buffer(block, frame).map(drop)
    }
}

/// Decompresses blocks.
pub(super) struct Unpacker(Decompressor<'static>);

impl Unpacker {
    pub(super) fn new() -> io::Result<Self> {
        Decompressor::new().map(Self)
    }

    /// Decompresses `frame` and replaces the content of `block`.
    ///
    /// # Errors
    /// If the frame is damaged or states a size that no block can have.
    pub(super) fn unpack(&mut self, frame: &[u8], block: &mut Vec<u8>) -> io::Result<()> {
        let size = zstd_safe::get_frame_content_size(frame).ok().flatten();
        let size = size
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| *size <= MAX_LINE + BLOCK)
            .ok_or_else(damaged)?;
        block.clear();
        block.reserve(size);
        self.0.decompress_to_buffer(frame, block).map(drop)
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a block is damaged")
}

/// Calls `each` for every intact block in `file`, with the range of its frame. Other bytes are skipped.
pub(super) fn unpack_all(file: &[u8], mut each: impl FnMut(Range<usize>, &[u8])) -> io::Result<()> {
    let mut unpacker = Unpacker::new()?;
    let mut block = Vec::new();
    let mut at = 0;
    while let Some(begin) = memmem::find(&file[at..], &MAGICNUMBER.to_le_bytes()) {
        at += begin;
        let length = zstd_safe::find_frame_compressed_size(&file[at..]).unwrap_or(0);
        match unpacker.unpack(&file[at..at + length], &mut block) {
            Ok(()) => {
                each(at..at + length, &block);
                at += length;
            }
            // The stated size of a damaged frame may include frames after it.
            Err(_) => at += 1,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(blocks: &[&[u8]]) -> (Vec<u8>, Vec<usize>) {
        let mut packer = Packer::new().unwrap();
        let (mut file, mut ends, mut frame) = (Vec::new(), Vec::new(), Vec::new());
        for block in blocks {
            packer.pack(block, &mut frame).unwrap();
            file.extend_from_slice(&frame);
            ends.push(file.len());
        }
        (file, ends)
    }

    fn unpack(frame: &[u8]) -> io::Result<Vec<u8>> {
        let mut block = b"previous content".to_vec();
        Unpacker::new()?.unpack(frame, &mut block)?;
        Ok(block)
    }

    fn unpacked(file: &[u8]) -> Vec<(Range<usize>, Vec<u8>)> {
        let mut found = Vec::new();
        unpack_all(file, |range, block| found.push((range, block.to_vec()))).unwrap();
        found
    }

    #[test]
    fn every_block_is_read_back_without_the_others() {
        let blocks: [&[u8]; 3] = [b"one\n", &[b'x'; BLOCK], b"three\n"];
        let (file, ends) = packed(&blocks);
        let found = unpacked(&file);
        assert_eq!(found.len(), 3);
        for (((range, text), block), end) in found.into_iter().zip(blocks).zip(ends) {
            assert_eq!((range.end, &text[..]), (end, block));
            assert_eq!(unpack(&file[range]).unwrap(), block);
        }
    }

    #[test]
    fn a_flipped_bit_is_detected_and_affects_no_other_block() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let (file, ends) = packed(&[text.as_bytes(), text.as_bytes()]);
        for at in 0..ends[0] {
            let mut damaged = file.clone();
            damaged[at] ^= 0x10;
            let found = unpacked(&damaged);
            assert!(found.iter().all(|(_, block)| block == text.as_bytes()));
            assert_eq!(
                found.last().map(|found| found.0.start),
                Some(ends[0]),
                "{at}"
            );
        }
    }

    #[test]
    fn a_frame_that_states_a_huge_size_is_refused_before_memory_is_allocated() {
        let (file, _) = packed(&[&vec![0; MAX_LINE + BLOCK + 1]]);
        assert_eq!(
            unpack(&file).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }

    #[test]
    fn a_truncated_frame_is_not_a_block() {
        let (file, _) = packed(&[b"some text that is long enough\n"]);
        for end in 0..file.len() {
            assert!(unpacked(&file[..end]).is_empty());
        }
    }
}
