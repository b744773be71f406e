//! Which segments go because they are too old or too much is kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

use super::Keeping;
use super::active::remove;
use super::listing::files;
use super::name::{Kind, path};

/// What the files of one segment come to.
#[derive(Debug, Default)]
struct Size {
    kinds: Vec<Kind>,
    bytes: u64,
    /// When its lines were last written to.
    modified: Option<SystemTime>,
}

/// Removes the oldest segments until what is left is within bounds, save the one that is written to; tells which.
pub(super) fn enforce(
    directory: &Path,
    active: u64,
    keeping: &Keeping,
    now: SystemTime,
) -> io::Result<Vec<u64>> {
    let sizes = sizes(directory)?;
    let mut total: u64 = sizes.values().map(|size| size.bytes).sum();
    let mut removed = Vec::new();
    for (number, size) in sizes.range(..active) {
        // What has no lines, such as the torn end of a segment that was never closed, is as old as can be.
        let age = size.modified.map(|modified| now.duration_since(modified));
        // A time to come is no age: the clock was set back.
        let is_old = age.is_none_or(|age| age.is_ok_and(|age| age > keeping.age));
        if !is_old && total <= keeping.bytes {
            continue;
        }
        // In the order of the kinds the lines go first, so that nobody looks for them in vain.
        for kind in &size.kinds {
            remove(&path(directory, *number, *kind))?;
        }
        total -= size.bytes;
        removed.push(*number);
    }
    Ok(removed)
}

/// When the last entry was written of all in segments before `active`.
pub(super) fn last_closed(directory: &Path, active: u64) -> io::Result<Option<SystemTime>> {
    let sizes = sizes(directory)?;
    let closed = sizes.range(..active);
    Ok(closed.filter_map(|(_, size)| size.modified).max())
}

fn sizes(directory: &Path) -> io::Result<BTreeMap<u64, Size>> {
    let mut sizes = BTreeMap::<u64, Size>::new();
    for (number, kind) in files(directory)? {
        let metadata = match fs::metadata(path(directory, number, kind)) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let size = sizes.entry(number).or_default();
        size.bytes += metadata.len();
        size.kinds.push(kind);
        size.kinds.sort_by_key(|kind| *kind as u8);
        if matches!(kind, Kind::Plain | Kind::Sealed) {
            size.modified = size.modified.max(metadata.modified().ok());
        }
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::scratch::Scratch;
    use std::fs::File;
    use std::time::{Duration, UNIX_EPOCH};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn noon() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_442_400)
    }

    /// Segments 1 to 5, of 100 bytes each, closed an hour after one another, the last one at noon and written to.
    fn directory() -> Scratch {
        let directory = Scratch::new();
        fs::create_dir(&*directory).unwrap();
        for number in 1..=5 {
            let kinds = match number {
                5 => [(Kind::Plain, 60), (Kind::Partial, 40)],
                _ => [(Kind::Sealed, 60), (Kind::Index, 40)],
            };
            for (kind, size) in kinds {
                let path = path(&directory, number, kind);
                fs::write(&path, vec![b'x'; size]).unwrap();
                let closed = noon() - HOUR * (5 - number as u32);
                File::open(&path).unwrap().set_modified(closed).unwrap();
            }
        }
        directory
    }

    fn enforced(age: Duration, bytes: u64) -> (Vec<u64>, Vec<u64>) {
        let directory = directory();
        let keeping = Keeping {
            age,
            bytes,
            ..Keeping::default()
        };
        let removed = enforce(&directory, 5, &keeping, noon()).unwrap();
        let mut left: Vec<_> = files(&directory)
            .unwrap()
            .iter()
            .map(|file| file.0)
            .collect();
        assert_eq!(left.len() % 2, 0);
        left.dedup();
        (removed, left)
    }

    #[test]
    fn what_is_within_the_bounds_stays() {
        assert_eq!(enforced(HOUR * 4, 500), (vec![], vec![1, 2, 3, 4, 5]));
    }

    #[test]
    fn what_is_too_old_goes_with_all_of_its_files() {
        assert_eq!(enforced(HOUR * 2, u64::MAX), (vec![1, 2], vec![3, 4, 5]));
    }

    #[test]
    fn the_oldest_go_until_there_is_room() {
        assert_eq!(enforced(HOUR * 9, 499), (vec![1], vec![2, 3, 4, 5]));
        assert_eq!(enforced(HOUR * 9, 300), (vec![1, 2], vec![3, 4, 5]));
    }

    #[test]
    fn the_segment_that_is_written_to_stays_whatever_the_bounds() {
        assert_eq!(enforced(Duration::ZERO, 0), (vec![1, 2, 3, 4], vec![5]));
    }

    #[test]
    fn a_clock_that_was_set_back_removes_nothing() {
        let directory = directory();
        let keeping = Keeping::default();
        assert!(
            enforce(&directory, 5, &keeping, UNIX_EPOCH)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn other_files_are_neither_counted_nor_removed() {
        let directory = directory();
        fs::write(directory.join("notes.txt"), vec![b'x'; 10_000]).unwrap();
        let keeping = Keeping {
            bytes: 500,
            ..Keeping::default()
        };
        assert!(enforce(&directory, 5, &keeping, noon()).unwrap().is_empty());
        assert!(directory.join("notes.txt").exists());
    }
}
