//! The file that lines are appended to, which holds whole lines whatever happens.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use memchr::{memchr_iter, memrchr};

use super::name::{Kind, path};

/// What was not written of a batch.
#[derive(Debug, thiserror::Error)]
#[error("{lines} log entries could not be written: {source}")]
pub struct Lost {
    /// Where in the batch the lines begin that are lost; those before are kept.
    pub from: usize,
    /// How many lines are lost.
    pub lines: u64,
    /// Why.
    pub source: io::Error,
}

impl Lost {
    pub(super) fn new(batch: &[u8], from: usize, source: io::Error) -> Self {
        Self {
            from,
            lines: memchr_iter(b'\n', &batch[from..]).count() as u64,
            source,
        }
    }
}

/// A file that can be cut.
pub(super) trait Output: Write {
    /// Cuts the file after `length` bytes; what is written next stands there.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Output for File {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// The plain form of a segment, open for writing.
#[derive(Debug)]
pub(super) struct Active<O = File> {
    output: O,
    /// The whole lines in it, in bytes.
    length: u64,
    /// Whether it ends in a part of a line.
    is_torn: bool,
}

impl Active {
    /// Opens the plain form of the segment `number`, making it if it is not there. A torn last line is set aside.
    pub(super) fn open(directory: &Path, number: u64) -> io::Result<Self> {
        let file = append_to(&path(directory, number, Kind::Plain))?;
        let length = whole_lines(&file, file.metadata()?.len())?;
        set_aside(directory, number, &file, length)?;
        Ok(Self::new(file, length))
    }

    /// Whether it is what others find at `path`, and all of it.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let identity = |metadata: &Metadata| (metadata.dev(), metadata.ino());
        let (Ok(own), Ok(found)) = (self.output.metadata(), fs::metadata(path)) else {
            return false;
        };
        // A pipe has no length.
        let is_cut = found.is_file() && found.len() < self.length;
        identity(&own) == identity(&found) && !is_cut
    }

    /// Sees to it that what was written outlasts a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.output.sync_data()
    }
}

impl<O: Output> Active<O> {
    /// Appends to `output`, which holds `length` bytes of whole lines.
    pub(super) fn new(output: O, length: u64) -> Self {
        Self {
            output,
            length,
            is_torn: false,
        }
    }

    /// How many bytes of whole lines it holds.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends whole lines.
    ///
    /// # Errors
    /// If some could not be written. The file holds the whole lines before those and nothing of them.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), Lost> {
        self.mend().map_err(|error| Lost::new(lines, 0, error))?;
        let mut written = 0;
        while written < lines.len() {
            match self.output.write(&lines[written..]) {
                Ok(0) => return Err(self.give_up(lines, written, ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.give_up(lines, written, error)),
            }
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    fn give_up(&mut self, lines: &[u8], written: usize, error: io::Error) -> Lost {
        let whole = memrchr(b'\n', &lines[..written]).map_or(0, |end| end + 1);
        self.length += whole as u64;
        self.is_torn = whole < written;
        // If it fails it is tried again before anything else is written.
        let _ = self.mend();
        Lost::new(lines, whole, error)
    }

    fn mend(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.output.cut(self.length)?;
            self.is_torn = false;
        }
        Ok(())
    }
}

/// Opens the file at `path` for its owner only, to read it and to append to it.
pub(super) fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// How many of the first `length` bytes of `file` are whole lines.
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

/// Moves what `file` holds after its whole lines to a file beside it.
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
        // On a full disk the torn line is given up: a clean start is worth more.
        if torn.write_all(&buffer[..count]).is_err() {
            break;
        }
        at += count as u64;
    }
    file.set_len(whole)
}

/// Removes the file at `path`, which may be gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::scratch::Scratch;

    /// A disk with so much room.
    struct Disk {
        content: Vec<u8>,
        room: usize,
        /// As one on which not even cutting works.
        is_stuck: bool,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // A page at a time, as a disk that runs full does it.
            let count = bytes.len().min(self.room - self.content.len()).min(7);
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
        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.is_stuck {
                return Err(ErrorKind::Other.into());
            }
            self.content.truncate(length as usize);
            Ok(())
        }
    }

    fn disk(room: usize) -> Active<Disk> {
        let disk = Disk {
            content: Vec::new(),
            room,
            is_stuck: false,
        };
        Active::new(disk, 0)
    }

    #[test]
    fn a_full_disk_leaves_whole_lines_and_tells_what_is_lost() {
        let lines = b"first\nsecond\nthird\n";
        for room in 0..lines.len() {
            let mut active = disk(room);
            let lost = active.append(lines).unwrap_err();
            let kept = &lines[..lost.from];
            assert_eq!(active.output.content, kept);
            assert!(kept.is_empty() || kept.ends_with(b"\n"));
            assert!(room - kept.len() < "second\n".len());
            let all = memchr_iter(b'\n', kept).count() as u64 + lost.lines;
            assert_eq!(all, 3);
            assert_eq!(lost.source.kind(), ErrorKind::StorageFull);
        }
    }

    #[test]
    fn writing_resumes_when_there_is_room_again() {
        let mut active = disk(8);
        assert_eq!(active.append(b"first\nsecond\n").unwrap_err().from, 6);
        active.output.room = 100;
        active.append(b"third\n").unwrap();
        assert_eq!(active.output.content, b"first\nthird\n");
        assert_eq!(active.length(), 12);
    }

    #[test]
    fn a_torn_line_that_could_not_be_cut_is_cut_before_anything_else_is_written() {
        let mut active = disk(8);
        active.output.is_stuck = true;
        assert_eq!(active.append(b"first\nsecond\n").unwrap_err().from, 6);
        active.output.room = 100;
        assert_eq!(active.append(b"third\n").unwrap_err().lines, 1);
        active.output.is_stuck = false;
        active.append(b"fourth\n").unwrap();
        assert_eq!(active.output.content, b"first\nfourth\n");
    }

    #[test]
    fn a_line_torn_anywhere_is_set_aside_and_those_before_it_are_kept() {
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
