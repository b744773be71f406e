//! The active segment, which contains only whole lines even after errors and crashes.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use memchr::{memchr_iter, memrchr};

use super::file::append_to;
use super::name::{Kind, path};

/// Some lines of a batch could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{lines} log entries could not be written: {source}")]
pub struct AppendError {
    /// The offset in the batch from which on lines were lost. Those before were written.
    pub from: usize,
    /// How many lines were lost.
    pub lines: u64,
    /// The cause.
    pub source: io::Error,
}

impl AppendError {
    pub(super) fn new(batch: &[u8], from: usize, source: io::Error) -> Self {
        Self {
            from,
            lines: memchr_iter(b'\n', &batch[from..]).count() as u64,
            source,
        }
    }
}

/// An output that can be truncated.
pub(super) trait Output: Write {
    /// Truncates the file to `length` bytes. The next write appends there.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

impl Output for File {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// The plain form of a segment, open for writing.
#[derive(Debug)]
pub(super) struct Active<O = File> {
    output: O,
    /// The length of the whole lines in it, in bytes.
    length: u64,
    /// Whether an incomplete line follows them.
    is_torn: bool,
}

impl Active {
    /// Opens the plain form of the segment `number`, which is created if necessary. An incomplete last line is moved to
    /// the `.torn` file.
    pub(super) fn open(directory: &Path, number: u64) -> io::Result<Self> {
        let file = append_to(&path(directory, number, Kind::Plain))?;
        let length = whole_lines(&file, file.metadata()?.len())?;
        set_aside(directory, number, &file, length)?;
        Ok(Self::new(file, length))
    }

    /// Whether it is the file at `path`, with its whole content.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let identity = |metadata: &Metadata| (metadata.dev(), metadata.ino());
        let (Ok(own), Ok(found)) = (self.output.metadata(), fs::metadata(path)) else {
            return false;
        };
        // A pipe has no length.
        let is_truncated = found.is_file() && found.len() < self.length;
        identity(&own) == identity(&found) && !is_truncated
    }

    /// Syncs the content to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.output.sync_data()
    }
}

impl<O: Output> Active<O> {
    /// An active segment on `output`, which contains `length` bytes of whole lines.
    pub(super) fn new(output: O, length: u64) -> Self {
        Self {
            output,
            length,
            is_torn: false,
        }
    }

    /// The length of the whole lines in it, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// If some could not be written. The file contains the whole lines before them and no part of them.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), AppendError> {
        self.repair()
            .map_err(|error| AppendError::new(lines, 0, error))?;
        let mut written = 0;
        while written < lines.len() {
            match self.output.write(&lines[written..]) {
                Ok(0) => return Err(self.fail(lines, written, ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fail(lines, written, error)),
            }
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    fn fail(&mut self, lines: &[u8], written: usize, error: io::Error) -> AppendError {
        let whole = memrchr(b'\n', &lines[..written]).map_or(0, |end| end + 1);
        self.length += whole as u64;
        self.is_torn = whole < written;
        // If it fails, it is repeated before the next write.
        let _ = self.repair();
        AppendError::new(lines, whole, error)
    }

    /// Removes an incomplete line.
    fn repair(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.output.truncate(self.length)?;
            self.is_torn = false;
        }
        Ok(())
    }
}

/// The length of the whole lines in the first `length` bytes of `file`.
pub(in crate::logs) fn whole_lines(file: &File, length: u64) -> io::Result<u64> {
    let mut buffer = [0; 16 * 1024];
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(buffer.len() as u64);
        let chunk = &mut buffer[..(end - start) as usize];
        file.read_exact_at(chunk, start)?;
        if let Some(at) = memrchr(b'\n', chunk) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Moves what follows the first `whole` bytes of `file` to the `.torn` file.
fn set_aside(directory: &Path, number: u64, file: &File, whole: u64) -> io::Result<()> {
    let end = file.metadata()?.len();
    if end == whole {
        return Ok(());
    }
    let mut torn = append_to(&path(directory, number, Kind::Torn))?;
    let mut buffer = [0; 16 * 1024];
    let mut at = whole;
    while at < end {
        let count = file.read_at(&mut buffer, at)?;
        if count == 0 {
            break;
        }
        // On a full disk the incomplete line is discarded, so that the start succeeds.
        if torn.write_all(&buffer[..count]).is_err() {
            break;
        }
        at += count as u64;
    }
    file.set_len(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::test_support::Scratch;

    /// A disk with limited space.
    struct Disk {
        content: Vec<u8>,
        space: usize,
        /// Truncating fails too.
        is_stuck: bool,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // A few bytes at a time, like a disk that runs full.
            let count = bytes.len().min(self.space - self.content.len()).min(7);
            if count == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.content.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Output for Disk {
        fn truncate(&mut self, length: u64) -> io::Result<()> {
            if self.is_stuck {
                return Err(ErrorKind::Other.into());
            }
            self.content.truncate(length as usize);
            Ok(())
        }
    }

    fn disk(space: usize) -> Active<Disk> {
        let disk = Disk {
            content: Vec::new(),
            space,
            is_stuck: false,
        };
        Active::new(disk, 0)
    }

    #[test]
    fn a_full_disk_leaves_whole_lines_and_reports_the_lost_ones() {
        let lines = b"first\nsecond\nthird\n";
        for space in 0..lines.len() {
            let mut active = disk(space);
            let error = active.append(lines).unwrap_err();
            let written = &lines[..error.from];
            assert_eq!(active.output.content, written);
            assert!(written.is_empty() || written.ends_with(b"\n"));
            assert!(space - written.len() < "second\n".len());
            let all = memchr_iter(b'\n', written).count() as u64 + error.lines;
            assert_eq!(all, 3);
            assert_eq!(error.source.kind(), ErrorKind::StorageFull);
        }
    }

    #[test]
    fn writing_resumes_when_there_is_space_again() {
        let mut active = disk(8);
        assert_eq!(active.append(b"first\nsecond\n").unwrap_err().from, 6);
        active.output.space = 100;
        active.append(b"third\n").unwrap();
        assert_eq!(active.output.content, b"first\nthird\n");
        assert_eq!(active.length(), 12);
    }

    #[test]
    fn a_torn_line_that_could_not_be_removed_is_removed_before_the_next_write() {
        let mut active = disk(8);
        active.output.is_stuck = true;
        assert_eq!(active.append(b"first\nsecond\n").unwrap_err().from, 6);
        active.output.space = 100;
        assert_eq!(active.append(b"third\n").unwrap_err().lines, 1);
        active.output.is_stuck = false;
        active.append(b"fourth\n").unwrap();
        assert_eq!(active.output.content, b"first\nfourth\n");
    }

    #[test]
    fn a_torn_line_of_any_length_is_moved_away_and_earlier_lines_stay() {
        let (kept, last) = (
            b"{\"a\":1}\n{\"a\":2}\n".as_slice(),
            b"{\"a\":\"0123456789\"}\n",
        );
        for cut in 0..=last.len() {
            let directory = Scratch::new();
            fs::create_dir(&*directory).unwrap();
            let plain = path(&directory, 1, Kind::Plain);
            fs::write(&plain, [kept, &last[..cut]].concat()).unwrap();
            let mut active = Active::open(&directory, 1).unwrap();
            active.append(b"next\n").unwrap();
            let torn = fs::read(path(&directory, 1, Kind::Torn)).unwrap_or_default();
            let whole = if cut == last.len() { &last[..] } else { b"" };
            let expected = [kept, whole, b"next\n"].concat();
            assert_eq!(fs::read(&plain).unwrap(), expected);
            assert_eq!(torn, &last[..cut - whole.len()]);
        }
    }

    #[test]
    fn a_long_torn_line_is_set_aside_whole() {
        let directory = Scratch::new();
        fs::create_dir(&*directory).unwrap();
        let torn = vec![b'x'; 100_000];
        fs::write(
            path(&directory, 1, Kind::Plain),
            [b"a\n", &torn[..]].concat(),
        )
        .unwrap();
        assert_eq!(Active::open(&directory, 1).unwrap().length(), 2);
        assert_eq!(fs::read(path(&directory, 1, Kind::Torn)).unwrap(), torn);
    }
}
