//! Lists the segments of a directory, for readers.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::name::{self, Kind, path};

/// The largest gap between two listed numbers in which every number is tried.
const MAX_GAP: u64 = 1_000;

/// The numbers of the segments in a directory at one moment.
#[derive(Debug, Default)]
pub(in crate::logs) struct Listing(BTreeSet<u64>);

impl Listing {
    /// Lists `directory`. If it does not exist, the listing is empty.
    ///
    /// A directory is not read atomically: a segment that is being closed can appear under neither of its names. So the
    /// numbers next to those seen are included; opening a segment shows whether it exists.
    pub(in crate::logs) fn read(directory: &Path) -> io::Result<Self> {
        let seen = files(directory)?
            .into_iter()
            .filter(|(_, kind)| matches!(kind, Kind::Plain | Kind::Sealed))
            .map(|(number, _)| number)
            .collect();
        Ok(Self::complete(seen, |number| exists(directory, number)))
    }

    /// Adds segments that exist but were not `seen`.
    fn complete(mut seen: BTreeSet<u64>, exists: impl Fn(u64) -> bool) -> Self {
        let (Some(&first), Some(&last)) = (seen.first(), seen.last()) else {
            return Self(seen);
        };
        let mut before = first;
        for number in seen.clone() {
            if number - before <= MAX_GAP {
                seen.extend(before..number);
            }
            before = number;
        }
        seen.extend((0..first).rev().take_while(|number| exists(*number)));
        seen.extend((last + 1..).take_while(|number| exists(*number)));
        Self(seen)
    }

    /// The segments, newest first.
    pub(in crate::logs) fn newest_first(&self) -> impl Iterator<Item = u64> {
        self.0.iter().rev().copied()
    }

    /// The oldest segment after `number`.
    pub(in crate::logs) fn after(&self, number: u64) -> Option<u64> {
        self.0.range(number + 1..).next().copied()
    }

    /// The oldest segment.
    pub(in crate::logs) fn first(&self) -> Option<u64> {
        self.0.first().copied()
    }
}

/// Whether the segment `number` is in `directory`.
pub(in crate::logs) fn exists(directory: &Path, number: u64) -> bool {
    let is_there = |kind| path(directory, number, kind).exists();
    // The compressed form is complete before the plain form is removed.
    is_there(Kind::Plain) || is_there(Kind::Sealed)
}

/// The path of the file with the lines of the segment `number`.
pub(in crate::logs) fn file_of(directory: &Path, number: u64) -> PathBuf {
    let sealed = path(directory, number, Kind::Sealed);
    match sealed.exists() {
        true => sealed,
        false => path(directory, number, Kind::Plain),
    }
}

/// The files of all segments in `directory`.
pub(super) fn files(directory: &Path) -> io::Result<Vec<(u64, Kind)>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        files.extend(entry?.file_name().to_str().and_then(name::parse));
    }
    files.sort_by_key(|(number, _)| *number);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::test_support::Scratch;

    fn listed(names: &[&str]) -> Vec<u64> {
        let directory = Scratch::new();
        fs::create_dir(&*directory).unwrap();
        for name in names {
            fs::write(directory.join(name), "").unwrap();
        }
        let listing = Listing::read(&directory).unwrap();
        listing.newest_first().collect()
    }

    #[test]
    fn segments_come_newest_first_and_once_each() {
        assert_eq!(
            listed(&[
                "000000000009.jsonl.zst",
                "000000000010.jsonl",
                "000000000010.jsonl.zst",
                "000000000011.jsonl",
                "000000000012.torn",
                "current",
            ]),
            [11, 10, 9]
        );
    }

    #[test]
    fn numbers_in_a_small_gap_are_included() {
        let names = ["000000000001.jsonl.zst", "000000000004.jsonl"];
        assert_eq!(listed(&names), [4, 3, 2, 1]);
        let names = ["000000000001.jsonl.zst", "999999999999.jsonl"];
        assert_eq!(listed(&names), [999_999_999_999, 1]);
    }

    #[test]
    fn segments_at_both_ends_that_were_not_seen_are_found() {
        let listed = |there: std::ops::Range<u64>| {
            let seen = [5, 6].into_iter().collect();
            let listing = Listing::complete(seen, |number| there.contains(&number));
            listing.newest_first().collect::<Vec<_>>()
        };
        assert_eq!(listed(5..7), [6, 5]);
        assert_eq!(listed(4..9), [8, 7, 6, 5, 4]);
        assert_eq!(listed(0..7), [6, 5, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn a_missing_directory_has_no_segments() {
        let listing = Listing::read(&Scratch::new()).unwrap();
        assert_eq!(listing.newest_first().count(), 0);
    }
}
