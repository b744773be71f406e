//! The index of a compressed segment.
//!
//! The file consists of a magic number, the length and the checksum of the header, the header as JSON, and the
//! [pages](super::executions) of executions. All of it is derived from the
//! [headers of the lines](crate::logs::forms::line_header).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use memchr::memchr_iter;
use serde::{Deserialize, Serialize};

use super::executions::{self, MAX_BLOCKS, Page};
use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::forms::line_header::LineHeader;

/// Changes with the format of the file. A file of another format counts as damaged and is rebuilt.
const MAGIC: &[u8; 8] = b"logindx1";
const PREFIX: usize = MAGIC.len() + 8;
/// How much is read at first. Most headers are shorter.
const FIRST_READ: usize = 64 * 1024;
/// The longest header that is read. That of a 64 MiB segment has about 50 KiB.
const MAX_HEADER: usize = 64 << 20;

/// The header of an index file.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::logs) struct Index {
    /// The size of the compressed segment, in bytes.
    pub(super) stored: u64,
    /// The sources of the entries in it, as in the headers of the lines: functions and other logs.
    pub(in crate::logs) functions: Vec<String>,
    /// Its blocks, oldest first.
    pub(in crate::logs) blocks: Vec<Block>,
    /// The pages of the list of executions.
    pub(super) pages: Vec<Page>,
}

/// What the index knows about a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::logs) struct Block {
    /// The offset of its frame in the segment.
    pub(super) at: u64,
    /// The size of its frame, in bytes.
    pub(super) stored: u32,
    /// The number of entries.
    pub(in crate::logs) entries: u32,
    /// The earliest and the latest time of an entry; `None` without entries.
    pub(in crate::logs) times: Option<(Rfc3339, Rfc3339)>,
    /// The set of severities of its entries, as bits.
    pub(in crate::logs) severities: u16,
    /// The sources of its entries, as positions in [`Index::functions`], in rising order.
    pub(in crate::logs) functions: Vec<u32>,
}

/// Builds an index from the blocks of a segment, added one after another.
#[derive(Debug, Default)]
pub(super) struct Builder {
    index: Index,
    positions: HashMap<Vec<u8>, u32>,
    executions: Vec<u64>,
}

impl Builder {
    /// Adds the block with `text`, whose frame begins at `at` and has `stored` bytes.
    pub(super) fn add(&mut self, text: &[u8], at: u64, stored: usize) {
        let number = self.index.blocks.len();
        let mut block = Block {
            at,
            stored: stored as u32,
            entries: 0,
            times: None,
            severities: 0,
            functions: Vec::new(),
        };
        let first_execution = self.executions.len();
        let mut start = 0;
        for end in memchr_iter(b'\n', text) {
            if let Some(header) = LineHeader::parse(&text[start..end]) {
                self.add_line(&header, number, &mut block);
            }
            start = end + 1;
        }
        block.functions.sort_unstable();
        block.functions.dedup();
        self.executions[first_execution..].sort_unstable();
        let mut unique = self.executions.split_off(first_execution);
        unique.dedup();
        self.executions.append(&mut unique);
        self.index.blocks.push(block);
    }

    fn add_line(&mut self, header: &LineHeader<'_>, number: usize, block: &mut Block) {
        block.entries += 1;
        block.severities |= header.severity.bit();
        let (earliest, latest) = block.times.unwrap_or((header.time, header.time));
        block.times = Some((earliest.min(header.time), latest.max(header.time)));
        let position = self.position(header.source);
        // Consecutive entries are often of the same source.
        if block.functions.last() != Some(&position) {
            block.functions.push(position);
        }
        if let Some(execution) = header.execution {
            let entry = executions::entry(execution, number);
            if self.executions.last() != Some(&entry) {
                self.executions.push(entry);
            }
        }
    }

    fn position(&mut self, source: &[u8]) -> u32 {
        if let Some(position) = self.positions.get(source) {
            return *position;
        }
        let position = self.index.functions.len() as u32;
        let name = String::from_utf8_lossy(source).into_owned();
        self.index.functions.push(name);
        self.positions.insert(source.to_owned(), position);
        position
    }

    /// Whether another block can be added.
    pub(super) fn has_capacity(&self) -> bool {
        self.index.blocks.len() < MAX_BLOCKS
    }

    /// The index of a segment of `stored` bytes, and the sorted list of its executions.
    pub(super) fn finish(mut self, stored: u64) -> (Index, Vec<u64>) {
        self.index.stored = stored;
        self.executions.sort_unstable();
        (self.index, self.executions)
    }
}

impl Index {
    /// The size of all blocks in the segment, in bytes.
    pub(super) fn packed(&self) -> u64 {
        self.blocks
            .iter()
            .map(|block| u64::from(block.stored))
            .sum()
    }

    /// The content of the index file.
    pub(super) fn encode(&mut self, executions: &[u64]) -> io::Result<Vec<u8>> {
        let mut pages = Vec::new();
        self.pages = executions::pages(executions, &mut pages);
        let header = serde_json::to_vec(self)?;
        let mut file = Vec::with_capacity(PREFIX + header.len() + pages.len());
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&(header.len() as u32).to_le_bytes());
        file.extend_from_slice(&crc32fast::hash(&header).to_le_bytes());
        file.extend_from_slice(&header);
        file.append(&mut pages);
        Ok(file)
    }

    /// Reads the header of an index. Also returns the offset of its pages.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub(super) fn read(file: &File) -> io::Result<(Self, u64)> {
        let mut buffer = vec![0; FIRST_READ];
        let mut count = read_at_most(file, &mut buffer, 0)?;
        let prefix: &[u8; PREFIX] = buffer[..count].first_chunk().ok_or_else(damaged)?;
        let [_, _, length, checksum] = *prefix.as_chunks::<4>().0 else {
            return Err(damaged());
        };
        let length = u32::from_le_bytes(length) as usize;
        if !prefix.starts_with(MAGIC) || length > MAX_HEADER {
            return Err(damaged());
        }
        let end = PREFIX + length;
        if end > count {
            buffer.resize(end, 0);
            count += read_at_most(file, &mut buffer[count..], count as u64)?;
        }
        let header = buffer[..count].get(PREFIX..end).ok_or_else(damaged)?;
        if crc32fast::hash(header) != u32::from_le_bytes(checksum) {
            return Err(damaged());
        }
        let index = serde_json::from_slice(header).map_err(|_| damaged())?;
        Ok((index, end as u64))
    }
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the index is damaged")
}

fn read_at_most(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match file.read_at(&mut buffer[count..], at + count as u64)? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution_id::ExecutionId;
    use crate::logs::test_support::Scratch;
    use crate::logs::{Entry, JsonLines, Severity};
    use std::fs;

    fn text(function: &str, severity: Severity, count: usize) -> Vec<u8> {
        let mut lines = JsonLines::new();
        let mut out = Vec::new();
        for _ in 0..count {
            let id = Some(ExecutionId::random());
            lines.line(
                &Entry::note(function.into(), id, severity, "x".into()),
                &mut out,
            );
        }
        out
    }

    #[test]
    fn a_block_is_described_by_the_headers_of_its_lines() {
        let mut builder = Builder::default();
        let mut first = text("a", Severity::Info, 3);
        first.extend(text("b", Severity::Error, 1));
        builder.add(&first, 0, 10);
        builder.add(&text("b", Severity::Info, 2), 10, 5);
        builder.add(b"not an entry\n", 15, 5);
        let (index, executions) = builder.finish(20);
        assert_eq!(index.functions, ["a", "b"]);
        let seen = |n: usize| {
            let block = &index.blocks[n];
            (block.entries, block.severities, block.functions.clone())
        };
        let (info, error) = (Severity::Info.bit(), Severity::Error.bit());
        assert_eq!(seen(0), (4, info | error, vec![0, 1]));
        assert_eq!(seen(1), (2, info, vec![1]));
        assert_eq!(seen(2), (0, 0, vec![]));
        let (earliest, latest) = index.blocks[0].times.unwrap();
        assert!(earliest <= latest);
        assert_eq!(index.blocks[2].times, None);
        assert_eq!(executions.len(), 6);
    }

    #[test]
    fn an_index_with_a_header_of_any_length_is_read_back() {
        for blocks in [0, 1, 2_000] {
            let mut builder = Builder::default();
            for at in 0..blocks {
                builder.add(&text("f", Severity::Info, 2), at, 1);
            }
            let (mut index, executions) = builder.finish(blocks);
            let directory = Scratch::new();
            fs::create_dir(&*directory).unwrap();
            let path = directory.join("index");
            fs::write(&path, index.encode(&executions).unwrap()).unwrap();
            let (read, start) = Index::read(&File::open(&path).unwrap()).unwrap();
            assert_eq!(read, index);
            let pages = fs::metadata(&path).unwrap().len() - start;
            assert_eq!(pages, 8 * executions.len() as u64);
        }
    }

    #[test]
    fn an_index_that_is_truncated_or_changed_anywhere_in_its_header_is_damaged() {
        let mut builder = Builder::default();
        builder.add(&text("f", Severity::Info, 2), 0, 1);
        let (mut index, executions) = builder.finish(1);
        let whole = index.encode(&executions).unwrap();
        let header = whole.len() - 8 * executions.len();
        let directory = Scratch::new();
        fs::create_dir(&*directory).unwrap();
        let path = directory.join("index");
        let read = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            Index::read(&File::open(&path).unwrap())
        };
        for at in 0..header {
            let mut changed = whole.clone();
            changed[at] ^= 0x20;
            assert!(read(&changed).is_err(), "{at}");
            assert!(read(&whole[..at]).is_err(), "{at}");
        }
        assert!(read(&whole).is_ok());
    }
}
