//! A compressed segment, read block by block.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::executions;
use super::file::open;
use super::frame::{Unpacker, unpack_all};
use super::index::{Builder, Index};
use super::name::{Kind, path};

/// The largest read, unless one block is larger.
const MAX_WINDOW: usize = 1 << 20;

/// A compressed segment, open for reading.
pub(in crate::logs) struct Sealed {
    file: File,
    index: Index,
    /// Whether it is shorter than when its index was written.
    is_truncated: bool,
    is_whole: bool,
    executions: Executions,
    unpacker: Unpacker,
    window: Window,
}

/// The part of a segment in memory. Blocks are read last one first, for which the system has no read-ahead. So as long
/// as each block precedes the previous one, the reads grow.
#[derive(Debug, Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

/// The list of executions.
#[derive(Debug)]
enum Executions {
    /// In the pages of the index file, which begin at this offset.
    OnDisk(File, u64),
    InMemory(Vec<u64>),
}

impl Sealed {
    /// Opens the compressed form of the segment `number`; `None` if it does not exist. A missing or damaged index is
    /// rebuilt in memory.
    pub(in crate::logs) fn open(directory: &Path, number: u64) -> io::Result<Option<Self>> {
        let Some(file) = open(&path(directory, number, Kind::Sealed))? else {
            return Ok(None);
        };
        let length = file.metadata()?.len();
        let (mut index, mut executions, mut is_truncated) = (None, None, false);
        if let Some((written, pages, start)) = written(directory, number) {
            is_truncated = written.stored > length;
            if written.stored == length {
                (index, executions) = (Some(written), Some(Executions::OnDisk(pages, start)));
            }
        }
        let (index, executions) = match index.zip(executions) {
            Some(written) => written,
            None => {
                let (index, entries) = rebuild(&file)?;
                (index, Executions::InMemory(entries))
            }
        };
        Ok(Some(Self {
            // Damaged bytes in the middle belong to no block.
            is_whole: !is_truncated && index.packed() == length,
            is_truncated,
            file,
            index,
            executions,
            unpacker: Unpacker::new()?,
            window: Window::default(),
        }))
    }

    /// Whether nothing is missing, as far as the index and the frame headers show.
    pub(in crate::logs) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(in crate::logs) fn index(&self) -> &Index {
        &self.index
    }

    /// The blocks that may contain entries of `execution`, in rising order.
    pub(in crate::logs) fn blocks_of(&mut self, execution: &[u8]) -> io::Result<Vec<usize>> {
        if let Executions::OnDisk(file, start) = &self.executions {
            match executions::find(execution, &self.index.pages, file, *start) {
                Ok(blocks) => return Ok(blocks),
                Err(_) => self.executions = Executions::InMemory(rebuild(&self.file)?.1),
            }
        }
        match &self.executions {
            Executions::InMemory(entries) => Ok(executions::find_in(execution, entries)),
            Executions::OnDisk(..) => Ok(Vec::new()),
        }
    }

    /// Reads the lines of the block `number` and replaces the content of `text`.
    ///
    /// # Errors
    /// If the block cannot be read or is damaged. Other blocks may be intact.
    pub(in crate::logs) fn read(&mut self, number: usize, text: &mut Vec<u8>) -> io::Result<()> {
        let block = &self.index.blocks[number];
        let frame = self
            .window
            .frame(&self.file, block.at, block.stored as usize)?;
        self.unpacker.unpack(frame, text)
    }
}

impl Window {
    /// The `length` bytes at `at` of `file`.
    fn frame(&mut self, file: &File, at: u64, length: usize) -> io::Result<&[u8]> {
        let end = at + length as u64;
        if at < self.start || end > self.start + self.bytes.len() as u64 {
            let size = match end == self.start {
                true => (2 * self.bytes.len()).clamp(length, MAX_WINDOW.max(length)),
                false => length,
            };
            let start = end.saturating_sub(size as u64);
            self.bytes.resize((end - start) as usize, 0);
            // Until the read succeeds, the window must match no offset.
            self.start = u64::MAX - self.bytes.len() as u64;
            file.read_exact_at(&mut self.bytes, start)?;
            self.start = start;
        }
        let from = (at - self.start) as usize;
        Ok(&self.bytes[from..from + length])
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed")
            .field("file", &self.file)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// The index file and the offset of its pages, if it is intact. It may belong to another segment.
fn written(directory: &Path, number: u64) -> Option<(Index, File, u64)> {
    let file = File::open(path(directory, number, Kind::Index)).ok()?;
    let (index, start) = Index::read(&file).ok()?;
    Some((index, file, start))
}

/// Rebuilds the index and the list of executions from the intact blocks of a segment.
fn rebuild(file: &File) -> io::Result<(Index, Vec<u64>)> {
    let mut content = vec![0; file.metadata()?.len() as usize];
    file.read_exact_at(&mut content, 0)?;
    let mut builder = Builder::default();
    unpack_all(&content, |range, text| {
        if builder.has_capacity() {
            builder.add(text, range.start as u64, range.len());
        }
    })?;
    Ok(builder.finish(content.len() as u64))
}

/// Checks the segment `number`, and writes its index if it is missing or damaged. Returns the result of writing, and
/// whether the segment is whole.
pub(super) fn check(directory: &Path, number: u64) -> (io::Result<()>, bool) {
    match Sealed::open(directory, number) {
        Ok(None) => (Ok(()), true),
        Ok(Some(sealed)) => {
            let lacks_index = matches!(sealed.executions, Executions::InMemory(_));
            // The index of a truncated segment is kept: it shows that the segment was truncated.
            let written = match lacks_index && !sealed.is_truncated {
                true => write_index(directory, number, &sealed.file),
                false => Ok(()),
            };
            (written, sealed.is_whole)
        }
        // Readers report the error as well.
        Err(_) => (Ok(()), false),
    }
}

/// Rebuilds the index of a segment on disk.
fn write_index(directory: &Path, number: u64, segment: &File) -> io::Result<()> {
    let (mut index, executions) = rebuild(segment)?;
    let partial = path(directory, number, Kind::Partial);
    fs::write(&partial, index.encode(&executions)?)?;
    fs::rename(&partial, path(directory, number, Kind::Index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::test_support::Scratch;

    fn file(directory: &Scratch) -> (File, Vec<u8>) {
        let bytes: Vec<_> = (0..3_000_000_u32).map(|n| (n / 7) as u8).collect();
        fs::create_dir(&**directory).unwrap();
        let path = directory.join("segment");
        fs::write(&path, &bytes).unwrap();
        (File::open(path).unwrap(), bytes)
    }

    #[test]
    fn reading_frames_backwards_grows_the_reads() {
        let directory = Scratch::new();
        let (file, bytes) = file(&directory);
        let mut window = Window::default();
        let mut sizes = Vec::new();
        for at in (0..bytes.len()).step_by(30_000).rev() {
            let frame = window.frame(&file, at as u64, 30_000).unwrap();
            assert_eq!(frame, &bytes[at..at + 30_000]);
            sizes.push(window.bytes.len());
        }
        sizes.dedup();
        assert_eq!(sizes[..5], [30_000, 60_000, 120_000, 240_000, 480_000]);
        assert!(sizes.len() < 12 && sizes.iter().all(|size| *size <= MAX_WINDOW));
    }

    #[test]
    fn a_frame_at_another_offset_is_read_alone() {
        let directory = Scratch::new();
        let (file, bytes) = file(&directory);
        let mut window = Window::default();
        for at in [900_000, 5_000, 2_000_000, 0, 700] {
            let frame = window.frame(&file, at, 700).unwrap();
            assert_eq!(frame, &bytes[at as usize..at as usize + 700]);
            assert_eq!(window.bytes.len(), 700);
        }
    }

    #[test]
    fn a_frame_beyond_the_end_is_an_error_and_later_reads_work() {
        let directory = Scratch::new();
        let (file, bytes) = file(&directory);
        let mut window = Window::default();
        assert!(window.frame(&file, 2_999_990, 20).is_err());
        for at in [2_999_980, 0] {
            let frame = window.frame(&file, at, 20).unwrap();
            assert_eq!(frame, &bytes[at as usize..at as usize + 20]);
        }
    }
}
