//! Reads a file of lines backwards.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use memchr::memchr;

use crate::logs::segments::whole_lines;

/// How many bytes are read at once.
const CHUNK: usize = 256 * 1024;

/// The whole lines of a file, last ones first.
pub(super) struct Tail {
    file: File,
    /// The offset up to which lines were not returned yet.
    end: u64,
    text: Vec<u8>,
}

impl Tail {
    /// Starts at the last whole line in the first `length` bytes.
    pub(super) fn new(file: File, length: u64) -> io::Result<Self> {
        let end = whole_lines(&file, length)?;
        Ok(Self {
            file,
            end,
            text: Vec::new(),
        })
    }

    /// The end of the last whole line that was not returned yet.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The lines just before those returned last, in file order; `None` at the beginning of the file.
    pub(super) fn lines_before(&mut self) -> io::Result<Option<&[u8]>> {
        let mut size = CHUNK as u64;
        while self.end > 0 {
            let start = self.end.saturating_sub(size);
            self.text.resize((self.end - start) as usize, 0);
            self.file.read_exact_at(&mut self.text, start)?;
            // Elsewhere than at the beginning of the file, the first line may be incomplete.
            let first = match start {
                0 => Some(0),
                _ => memchr(b'\n', &self.text).map(|end| end + 1),
            };
            if let Some(first) = first.filter(|first| *first < self.text.len()) {
                self.end = start + first as u64;
                return Ok(Some(&self.text[first..]));
            }
            size *= 2;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::test_support::Scratch;
    use std::fs;

    #[test]
    fn every_line_of_any_length_is_returned_once() {
        let directory = Scratch::new();
        fs::create_dir(&*directory).unwrap();
        let path = directory.join("lines");
        let line = |n: usize| format!("{n}{}\n", "x".repeat(n * 7_919 % (3 * CHUNK)));
        let text: String = (0..40).map(line).collect();
        fs::write(&path, format!("{text}half a line")).unwrap();
        let file = File::open(&path).unwrap();
        let mut tail = Tail::new(file, text.len() as u64 + 5).unwrap();
        let mut parts = Vec::new();
        while let Some(lines) = tail.lines_before().unwrap() {
            assert_eq!(lines.last(), Some(&b'\n'));
            parts.insert(0, lines.to_vec());
        }
        assert!(parts.len() > 5);
        assert!(parts.concat() == text.as_bytes());
    }

    #[test]
    fn a_file_without_a_whole_line_has_none() {
        let directory = Scratch::new();
        fs::create_dir(&*directory).unwrap();
        let path = directory.join("lines");
        fs::write(&path, "half a line").unwrap();
        let mut tail = Tail::new(File::open(&path).unwrap(), 11).unwrap();
        assert!(tail.lines_before().unwrap().is_none());
    }
}
