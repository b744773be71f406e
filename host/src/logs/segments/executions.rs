//! Finds the blocks of a segment that contain entries of an execution.
//!
//! The list of fingerprints with block numbers is sorted and divided into pages. The first entry of each page is known,
//! so that a lookup reads one or two pages for any size of segment. Each page has a checksum.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};

/// The number of entries in a page, of eight bytes each.
const PAGE: usize = 512;
const ENTRY: usize = 8;
/// The lower bits of an entry are the number of the block, the upper ones the fingerprint.
const BLOCK_BITS: u32 = 24;
/// The number of blocks that an entry can distinguish.
pub(super) const MAX_BLOCKS: usize = 1 << BLOCK_BITS;

/// What the index knows about a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    first: u64,
    checksum: u32,
}

/// The lowest entry that `execution` can have.
fn lowest(execution: &[u8]) -> u64 {
    // FNV-1a. If two executions have the same fingerprint, a block is read in vain, nothing worse.
    let hash = execution
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    hash >> BLOCK_BITS << BLOCK_BITS
}

/// The entry of `execution` in the block `number`.
pub(super) fn entry(execution: &[u8], number: usize) -> u64 {
    lowest(execution) | number as u64
}

/// Appends a sorted list of entries as pages.
pub(super) fn pages(entries: &[u64], out: &mut Vec<u8>) -> Vec<Page> {
    let mut page = |entries: &[u64]| {
        let start = out.len();
        for entry in entries {
            out.extend_from_slice(&entry.to_le_bytes());
        }
        Page {
            first: entries[0],
            checksum: crc32fast::hash(&out[start..]),
        }
    };
    entries.chunks(PAGE).map(&mut page).collect()
}

/// The blocks that may contain entries of `execution`, in rising order. The pages begin at `start` in `file`.
///
/// # Errors
/// If a page cannot be read or is damaged.
pub(super) fn find(
    execution: &[u8],
    pages: &[Page],
    file: &File,
    start: u64,
) -> io::Result<Vec<usize>> {
    let lowest = lowest(execution);
    let highest = lowest | (MAX_BLOCKS as u64 - 1);
    // Its entries may begin in the page before the first page that begins with one of them.
    let first = pages
        .partition_point(|page| page.first < lowest)
        .saturating_sub(1);
    let mut blocks = Vec::new();
    let mut buffer = Vec::new();
    for (number, page) in pages.iter().enumerate().skip(first) {
        if page.first > highest {
            break;
        }
        read_page(file, start, number, page, &mut buffer)?;
        let numbers = buffer
            .as_chunks()
            .0
            .iter()
            .map(|entry| u64::from_le_bytes(*entry))
            .filter(|entry| (lowest..=highest).contains(entry))
            .map(|entry| (entry - lowest) as usize);
        blocks.extend(numbers);
    }
    Ok(blocks)
}

/// The blocks that may contain entries of `execution`, in rising order, from a sorted list in memory.
pub(super) fn find_in(execution: &[u8], entries: &[u64]) -> Vec<usize> {
    let lowest = lowest(execution);
    let start = entries.partition_point(|entry| *entry < lowest);
    entries[start..]
        .iter()
        .map(|entry| (entry - lowest) as usize)
        .take_while(|block| *block < MAX_BLOCKS)
        .collect()
}

fn read_page(
    file: &File,
    start: u64,
    number: usize,
    page: &Page,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    let at = start + (number * PAGE * ENTRY) as u64;
    buffer.resize(PAGE * ENTRY, 0);
    let mut count = 0;
    // The last page is shorter.
    while count < buffer.len() {
        match file.read_at(&mut buffer[count..], at + count as u64)? {
            0 => break,
            more => count += more,
        }
    }
    buffer.truncate(count);
    if crc32fast::hash(buffer) != page.checksum {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a page of the index is damaged",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::test_support::Scratch;
    use std::fs;

    /// 2,000 executions, each in two neighbouring blocks of 100, and one in all of them.
    fn entries() -> Vec<u64> {
        let mut entries: Vec<_> = (0..2_000)
            .flat_map(|n| [(n, n / 20), (n, (n / 20 + 1).min(99))])
            .map(|(n, block)| entry(format!("execution{n}").as_bytes(), block))
            .chain((0..100).map(|block| entry(b"everywhere", block)))
            .collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    fn written(directory: &Scratch) -> (File, Vec<Page>) {
        let mut out = b"head".to_vec();
        let pages = pages(&entries(), &mut out);
        fs::create_dir_all(&**directory).unwrap();
        let path = directory.join("pages");
        fs::write(&path, &out).unwrap();
        (File::open(path).unwrap(), pages)
    }

    #[test]
    fn every_execution_is_found_in_its_blocks_and_no_others() {
        let directory = Scratch::new();
        let (file, pages) = written(&directory);
        let list = entries();
        let find = |id: &str| {
            let blocks = find(id.as_bytes(), &pages, &file, 4).unwrap();
            assert_eq!(blocks, find_in(id.as_bytes(), &list));
            blocks
        };
        for n in 0..2_000 {
            let mut expected = vec![n / 20, (n / 20 + 1).min(99)];
            expected.dedup();
            assert_eq!(find(&format!("execution{n}")), expected);
        }
        assert_eq!(find("everywhere"), (0..100).collect::<Vec<_>>());
        assert!(find("nowhere").is_empty() && find("").is_empty());
    }

    #[test]
    fn a_damaged_page_is_an_error_and_never_a_wrong_answer() {
        let directory = Scratch::new();
        let (_, pages) = written(&directory);
        let path = directory.join("pages");
        let whole = fs::read(&path).unwrap();
        let right = |n: usize| vec![n / 20, n / 20 + 1];
        for at in (4..whole.len()).step_by(997) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            let file = File::open(&path).unwrap();
            let mut errors = 0;
            for n in (0..1_900).step_by(13) {
                match find(format!("execution{n}").as_bytes(), &pages, &file, 4) {
                    Ok(blocks) => assert_eq!(blocks, right(n)),
                    Err(_) => errors += 1,
                }
            }
            assert!(errors > 0);
        }
    }

    #[test]
    fn an_empty_list_has_no_pages() {
        assert!(pages(&[], &mut Vec::new()).is_empty());
    }
}
