//! Compresses a segment block by block, while it is still appended to or later.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use memchr::memrchr;

use super::file::remove;
use super::frame::{BLOCK, MAX_LINE, Packer};
use super::index::Builder;
use super::name::{Kind, path};

/// The incomplete compressed form of a segment.
pub(super) struct Seal<O = File> {
    directory: PathBuf,
    number: u64,
    source: File,
    /// How many bytes of the source are compressed.
    packed: u64,
    output: O,
    /// The length of the complete blocks in the output. An incomplete block may follow.
    stored: u64,
    packer: Packer,
    builder: Builder,
    text: Vec<u8>,
    frame: Vec<u8>,
}

/// An output that can be written at any offset.
pub(super) trait WriteAt {
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;
}

impl WriteAt for File {
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }
}

impl Seal {
    /// Begins to compress the segment `number`.
    pub(super) fn begin(directory: &Path, number: u64) -> io::Result<Self> {
        let source = File::open(path(directory, number, Kind::Plain))?;
        let output = create(&path(directory, number, Kind::Partial))?;
        Self::new(directory, number, source, output)
    }

    /// Replaces the plain form by the compressed one. If it fails, the plain form stays.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let path = |kind| path(&self.directory, self.number, kind);
        self.output.set_len(self.stored)?;
        // The age of a segment is that of its last entry.
        self.output
            .set_modified(self.source.metadata()?.modified()?)?;
        self.output.sync_all()?;
        let (mut index, executions) = std::mem::take(&mut self.builder).finish(self.stored);
        if let Ok(mut file) = create(&path(Kind::Index)) {
            // A missing or incomplete index does no harm: it is rebuilt later.
            let _ = file.write_all(&index.encode(&executions)?);
        }
        fs::rename(path(Kind::Partial), path(Kind::Sealed))?;
        File::open(&self.directory)?.sync_all()?;
        remove(&path(Kind::Plain))
    }
}

impl<O: WriteAt> Seal<O> {
    fn new(directory: &Path, number: u64, source: File, output: O) -> io::Result<Self> {
        Ok(Self {
            directory: directory.to_owned(),
            number,
            source,
            packed: 0,
            output,
            stored: 0,
            packer: Packer::new()?,
            builder: Builder::default(),
            text: Vec::new(),
            frame: Vec::new(),
        })
    }

    /// Compresses the next block of a segment with `length` bytes. The last, shorter block is compressed only if the
    /// segment is closed. Returns the number of bytes of text.
    ///
    /// # Errors
    /// If the block cannot be written, in which case it can be tried again; or, as `InvalidData`, if the segment
    /// contains a line that is too long.
    pub(super) fn pack_block(&mut self, length: u64, is_closed: bool) -> io::Result<usize> {
        let left = usize::try_from(length.saturating_sub(self.packed)).unwrap_or(usize::MAX);
        if left == 0 || left < BLOCK && !is_closed {
            return Ok(0);
        }
        self.read(left)?;
        self.packer.pack(&self.text, &mut self.frame)?;
        self.output.write_at(&self.frame, self.stored)?;
        self.builder.add(&self.text, self.stored, self.frame.len());
        self.stored += self.frame.len() as u64;
        self.packed += self.text.len() as u64;
        Ok(self.text.len())
    }

    /// Reads whole lines from the `left` bytes that remain.
    fn read(&mut self, left: usize) -> io::Result<()> {
        let mut size = BLOCK.min(left);
        while size <= BLOCK + MAX_LINE && self.builder.has_capacity() {
            self.text.resize(size, 0);
            self.source.read_exact_at(&mut self.text, self.packed)?;
            if let Some(end) = memrchr(b'\n', &self.text) {
                self.text.truncate(end + 1);
                return Ok(());
            }
            if size == left {
                break;
            }
            size = (2 * size).min(left);
        }
        Err(io::Error::new(
            ErrorKind::InvalidData,
            "a segment of the log cannot be compressed: it has a line that is too long",
        ))
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::segments::sealed::Sealed;
    use crate::logs::segments::{Listing, Source};
    use crate::logs::test_support::Scratch;
    use std::cell::Cell;

    /// A directory with the plain segment 1, of about four blocks.
    fn segment() -> (Scratch, Vec<u8>) {
        let directory = Scratch::new();
        fs::create_dir(&*directory).unwrap();
        let line = |n: usize| {
            format!(
                "{{\"timestamp\":\"2026-11-23T14:00:00.{n:09}Z\",\"severity\":\"INFO\",\"resource\":{{\"type\":\
                 \"cloud_function\",\"labels\":{{\"function_name\":\"f{}\"}}}},\"labels\":{{\"execution_id\":\
                 \"{:012}\"}},\"textPayload\":\"{n}\"}}\n",
                n % 7,
                n / 3
            )
        };
        let text = (0..5_000).map(line).collect::<String>().into_bytes();
        fs::write(path(&directory, 1, Kind::Plain), &text).unwrap();
        (directory, text)
    }

    fn read(directory: &Path) -> Vec<u8> {
        let Some(Source::Sealed(mut sealed)) = Source::open(directory, 1).unwrap() else {
            panic!("the segment is not compressed");
        };
        let (mut all, mut text) = (Vec::new(), Vec::new());
        for number in 0..sealed.index().blocks.len() {
            sealed.read(number, &mut text).unwrap();
            assert!(text.ends_with(b"\n"));
            all.extend_from_slice(&text);
        }
        all
    }

    fn seal(directory: &Path, length: u64) {
        let mut seal = Seal::begin(directory, 1).unwrap();
        while seal.pack_block(length, true).unwrap() > 0 {}
        seal.finish().unwrap();
    }

    #[test]
    fn a_compressed_segment_holds_the_same_lines_and_replaces_the_plain_one() {
        let (directory, text) = segment();
        let before = fs::metadata(path(&directory, 1, Kind::Plain)).unwrap();
        seal(&directory, text.len() as u64);
        assert!(!path(&directory, 1, Kind::Plain).exists());
        assert!(!path(&directory, 1, Kind::Partial).exists());
        assert_eq!(read(&directory), text);
        let after = fs::metadata(path(&directory, 1, Kind::Sealed)).unwrap();
        assert_eq!(after.modified().unwrap(), before.modified().unwrap());
        assert!(after.len() < before.len() / 5);
        assert_eq!(Listing::read(&directory).unwrap().newest_first().count(), 1);
    }

    #[test]
    fn any_zstd_reader_gets_the_whole_text() {
        let (directory, text) = segment();
        seal(&directory, text.len() as u64);
        let file = fs::read(path(&directory, 1, Kind::Sealed)).unwrap();
        assert_eq!(zstd::decode_all(&file[..]).unwrap(), text);
    }

    #[test]
    fn an_active_segment_is_compressed_in_full_blocks() {
        let (directory, text) = segment();
        let mut seal = Seal::begin(&directory, 1).unwrap();
        assert_eq!(seal.pack_block(BLOCK as u64 - 1, false).unwrap(), 0);
        let mut packed = 0;
        loop {
            match seal.pack_block(text.len() as u64, false).unwrap() {
                0 => break,
                count => packed += count,
            }
            assert!(text[..packed].ends_with(b"\n"));
        }
        assert!(text.len() - packed < BLOCK);
        seal.pack_block(text.len() as u64, true).unwrap();
        seal.finish().unwrap();
        assert_eq!(read(&directory), text);
    }

    #[test]
    fn a_line_longer_than_a_block_is_a_block_of_its_own() {
        let (directory, mut text) = segment();
        let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(3 * BLOCK));
        text.splice(0..0, long.bytes());
        fs::write(path(&directory, 1, Kind::Plain), &text).unwrap();
        seal(&directory, text.len() as u64);
        assert_eq!(read(&directory), text);
    }

    #[test]
    fn a_rebuilt_index_equals_the_written_one() {
        let (directory, text) = segment();
        seal(&directory, text.len() as u64);
        let index = path(&directory, 1, Kind::Index);
        let written = fs::read(&index).unwrap();
        fs::remove_file(&index).unwrap();
        let (rebuilt, is_whole) = super::super::sealed::check(&directory, 1);
        assert!(rebuilt.is_ok() && is_whole);
        assert_eq!(fs::read(&index).unwrap(), written);
    }

    #[test]
    fn a_missing_or_damaged_index_changes_no_result() {
        let (directory, text) = segment();
        seal(&directory, text.len() as u64);
        let index = path(&directory, 1, Kind::Index);
        let whole = fs::read(&index).unwrap();
        let blocks = |id: u32| {
            let mut sealed = Sealed::open(&directory, 1).unwrap().unwrap();
            sealed.blocks_of(format!("{id:012}").as_bytes()).unwrap()
        };
        let expected: Vec<_> = (0..1_700).step_by(100).map(blocks).collect();
        assert!(expected.iter().take(16).all(|blocks| !blocks.is_empty()));
        assert!(expected.last().is_some_and(Vec::is_empty) == (1_600 * 3 >= 5_000));
        let damaged_page = [&whole[..whole.len() - 1], &[whole[whole.len() - 1] ^ 1]].concat();
        for damaged in [&b""[..], &whole[..100], &damaged_page] {
            fs::write(&index, damaged).unwrap();
            let found: Vec<_> = (0..1_700).step_by(100).map(blocks).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_index_of_another_segment_is_not_used() {
        let (directory, text) = segment();
        seal(&directory, text.len() as u64);
        let other = segment();
        seal(&other.0, first_lines(&other.1));
        fs::copy(
            path(&other.0, 1, Kind::Index),
            path(&directory, 1, Kind::Index),
        )
        .unwrap();
        assert_eq!(read(&directory), text);
    }

    fn first_lines(text: &[u8]) -> u64 {
        memrchr(b'\n', &text[..text.len() / 2]).unwrap() as u64 + 1
    }

    #[test]
    fn text_without_a_line_feed_cannot_be_compressed() {
        let (directory, _) = segment();
        fs::write(path(&directory, 1, Kind::Plain), vec![b'x'; 2 * BLOCK]).unwrap();
        let mut seal = Seal::begin(&directory, 1).unwrap();
        let error = seal.pack_block(2 * BLOCK as u64, true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    /// A file on a disk that is full for the first writes.
    struct Full(File, Cell<u32>);

    impl WriteAt for Full {
        fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
            if self.1.get() == 0 {
                return self.0.write_all_at(bytes, at);
            }
            self.1.set(self.1.get() - 1);
            // A part is written.
            self.0.write_all_at(&bytes[..bytes.len() / 2], at)?;
            Err(ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn compression_continues_when_there_is_space_again() {
        let (directory, text) = segment();
        let open = || File::open(path(&directory, 1, Kind::Plain)).unwrap();
        let partial = path(&directory, 1, Kind::Partial);
        let output = Full(create(&partial).unwrap(), Cell::new(3));
        let mut seal = Seal::new(&directory, 1, open(), output).unwrap();
        let (mut errors, mut packed) = (0, 0);
        while packed < text.len() {
            match seal.pack_block(text.len() as u64, true) {
                Ok(count) => packed += count,
                Err(_) => errors += 1,
            }
        }
        assert_eq!(errors, 3);
        assert_eq!(
            zstd::decode_all(&fs::read(partial).unwrap()[..]).unwrap(),
            text
        );
    }
}
