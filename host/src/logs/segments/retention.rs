//! The retention limits: when segments are closed and when they are removed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::file::remove;
use super::listing::files;
use super::name::{Kind, path};

/// When segments are closed, and how long they are retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The size at which a segment is closed, in bytes of text.
    pub segment_bytes: u64,
    /// The age at which a segment is closed.
    pub segment_age: Duration,
    /// How long a segment is retained after its last entry.
    pub age: Duration,
    /// The size of the log at which the oldest segments are removed, in bytes on disk.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            segment_age: Duration::from_secs(24 * 3_600),
            age: Duration::from_secs(30 * 24 * 3_600),
            bytes: 10 << 30,
        }
    }
}

impl Retention {
    /// Makes segments small and short enough for the limits: since whole segments are removed, large ones would make
    /// entries disappear much too early.
    pub(super) fn consistent(self) -> Self {
        Self {
            segment_bytes: self.segment_bytes.min(self.bytes / 8).max(1),
            segment_age: self.segment_age.min(self.age / 8),
            ..self
        }
    }
}

/// The files of one segment.
#[derive(Debug, Default)]
struct Size {
    kinds: Vec<Kind>,
    bytes: u64,
    /// When lines were last written to it.
    modified: Option<SystemTime>,
}

/// Removes the oldest segments until the others are within the limits, except the active one. Returns their numbers.
pub(super) fn enforce(
    directory: &Path,
    active: u64,
    retention: &Retention,
    now: SystemTime,
) -> io::Result<Vec<u64>> {
    let sizes = sizes(directory)?;
    let mut total: u64 = sizes.values().map(|size| size.bytes).sum();
    let mut removed = Vec::new();
    for (number, size) in sizes.range(..active) {
        // A segment without lines, of which only the `.torn` file is left, is always too old.
        let age = size.modified.map(|modified| now.duration_since(modified));
        // A time in the future is not an age: the clock was set back.
        let is_old = age.is_none_or(|age| age.is_ok_and(|age| age > retention.age));
        if !is_old && total <= retention.bytes {
            continue;
        }
        // In the order of the kinds, the files with lines are removed first, so that readers do not find an index
        // alone.
        for kind in &size.kinds {
            remove(&path(directory, *number, *kind))?;
        }
        total -= size.bytes;
        removed.push(*number);
    }
    Ok(removed)
}

/// When the last entry before the segment `active` was written.
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
    use crate::logs::test_support::Scratch;
    use std::fs::File;
    use std::time::UNIX_EPOCH;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn noon() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_442_400)
    }

    /// Segments 1 to 5, of 100 bytes each. One was closed every hour; the last one is active, written to at noon.
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
        let retention = Retention {
            age,
            bytes,
            ..Retention::default()
        };
        let removed = enforce(&directory, 5, &retention, noon()).unwrap();
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
    fn segments_within_the_limits_stay() {
        assert_eq!(enforced(HOUR * 4, 500), (vec![], vec![1, 2, 3, 4, 5]));
    }

    #[test]
    fn a_segment_that_is_too_old_is_removed_with_all_of_its_files() {
        assert_eq!(enforced(HOUR * 2, u64::MAX), (vec![1, 2], vec![3, 4, 5]));
    }

    #[test]
    fn the_oldest_segments_are_removed_until_the_size_fits() {
        assert_eq!(enforced(HOUR * 9, 499), (vec![1], vec![2, 3, 4, 5]));
        assert_eq!(enforced(HOUR * 9, 300), (vec![1, 2], vec![3, 4, 5]));
    }

    #[test]
    fn the_active_segment_is_never_removed() {
        assert_eq!(enforced(Duration::ZERO, 0), (vec![1, 2, 3, 4], vec![5]));
    }

    #[test]
    fn a_clock_that_was_set_back_removes_nothing() {
        let directory = directory();
        let retention = Retention::default();
        assert!(
            enforce(&directory, 5, &retention, UNIX_EPOCH)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn other_files_are_neither_counted_nor_removed() {
        let directory = directory();
        fs::write(directory.join("notes.txt"), vec![b'x'; 10_000]).unwrap();
        let retention = Retention {
            bytes: 500,
            ..Retention::default()
        };
        assert!(
            enforce(&directory, 5, &retention, noon())
                .unwrap()
                .is_empty()
        );
        assert!(directory.join("notes.txt").exists());
    }
}
