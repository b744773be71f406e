//! Writing, closing, compressing and removing segments.

mod interference;

use super::*;
use crate::logs::segments::place::CURRENT;
use crate::logs::segments::stored_lines::texts;
use crate::logs::test_support::Scratch;
use std::fs::{self, File};
use std::thread;

/// Segments of a few lines each.
const SMALL: Retention = Retention {
    segment_bytes: 2_000,
    segment_age: Duration::from_secs(3_600),
    age: Duration::from_secs(30 * 24 * 3_600),
    bytes: 1 << 30,
};

fn line(n: usize) -> Vec<u8> {
    format!(
        "{{\"timestamp\":\"2026-11-23T14:00:00.{n:09}Z\",\"severity\":\"INFO\",\"resource\":{{\"type\":\
         \"cloud_function\",\"labels\":{{\"function_name\":\"f\"}}}},\"labels\":{{\"execution_id\":\"{n:012}\"}},\
         \"textPayload\":\"{n}\"}}\n"
    )
    .into_bytes()
}

/// Maintenance that also completes the sync that it starts.
fn maintain(writer: &mut SegmentWriter, now: SystemTime) -> io::Result<()> {
    maintain_at(writer, now, Instant::now())
}

fn maintain_at(writer: &mut SegmentWriter, now: SystemTime, at: Instant) -> io::Result<()> {
    writer.maintain_at(now, at)?;
    if writer.finishing.is_some() {
        writer.settle()?;
        writer.maintain_at(now, at)?;
    }
    Ok(())
}

/// Opens `directory` and appends the lines of `numbers`, one by one.
fn write(directory: &Path, numbers: std::ops::Range<usize>) -> SegmentWriter {
    let mut writer = SegmentWriter::open(directory, SMALL).unwrap();
    for n in numbers {
        writer.append(&line(n)).unwrap();
        maintain(&mut writer, SystemTime::now()).unwrap();
    }
    writer
}

/// The numbers of all lines, in the order in which they are stored.
fn stored(directory: &Path) -> Vec<usize> {
    let texts = texts(directory);
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn kinds(directory: &Path, kind: Kind) -> Vec<u64> {
    let files = files(directory).unwrap().into_iter();
    files
        .filter(|file| file.1 == kind)
        .map(|file| file.0)
        .collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<usize> {
    range.collect()
}

#[test]
fn full_segments_are_closed_and_compressed_and_every_entry_is_found() {
    let directory = Scratch::new();
    let _writer = write(&directory, 0..100);
    let sealed = kinds(&directory, Kind::Sealed);
    let last = *sealed.last().unwrap();
    assert!(last > 5);
    assert_eq!(sealed, (1..=last).collect::<Vec<_>>());
    assert_eq!(kinds(&directory, Kind::Index), sealed);
    assert_eq!(kinds(&directory, Kind::Plain), [last + 1]);
    assert_eq!(stored(&directory), numbers(0..100));
}

#[test]
fn the_directory_and_its_files_are_their_owners_only() {
    use std::os::unix::fs::MetadataExt;
    let directory = Scratch::new();
    let _writer = write(&directory, 0..100);
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for (number, kind) in files(&directory).unwrap() {
        assert_eq!(mode(&path(&directory, number, kind)), 0o600, "{kind:?}");
    }
}

#[test]
fn the_link_points_to_the_active_segment() {
    let directory = Scratch::new();
    let _writer = write(&directory, 0..100);
    let current = fs::read(directory.join(CURRENT)).unwrap();
    assert!(current.ends_with(&line(99)));
}

#[test]
fn there_is_one_writer_at_a_time() {
    let directory = Scratch::new();
    let writer = write(&directory, 0..1);
    let second = SegmentWriter::open(&directory, SMALL);
    assert!(matches!(second, Err(SegmentError::Locked(_))));
    drop(writer);
    drop(write(&directory, 1..2));
    assert_eq!(stored(&directory), [0, 1]);
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Scratch::new();
    fs::create_dir(&*directory).unwrap();
    fs::set_permissions(&*directory, fs::Permissions::from_mode(0o777)).unwrap();
    let error = SegmentWriter::open(&directory, SMALL).err().unwrap();
    assert!(error.to_string().contains("others"));
}

#[test]
fn a_restart_continues_the_last_segment() {
    let directory = Scratch::new();
    for start in (0..100).step_by(3) {
        drop(write(&directory, start..start + 3));
    }
    let segments = kinds(&directory, Kind::Sealed).len();
    assert!((5..50).contains(&segments), "{segments}");
    assert_eq!(stored(&directory), numbers(0..102));
}

/// A killed process can leave any part of its last line on disk.
#[test]
fn a_kill_at_any_byte_of_the_last_line_loses_that_line_only() {
    let directory = Scratch::new();
    drop(write(&directory, 0..3));
    let plain = path(&directory, 1, Kind::Plain);
    let whole = fs::read(&plain).unwrap();
    let kept_bytes = whole.len() - line(2).len();
    for cut in kept_bytes..whole.len() {
        fs::write(&plain, &whole[..cut]).unwrap();
        drop(write(&directory, 7..8));
        assert_eq!(stored(&directory), [0, 1, 7]);
        let torn = fs::read(path(&directory, 1, Kind::Torn)).unwrap_or_default();
        assert_eq!(torn, &whole[kept_bytes..cut]);
        let _ = fs::remove_file(path(&directory, 1, Kind::Torn));
    }
}

#[test]
fn a_kill_while_a_segment_is_compressed_loses_and_doubles_nothing() {
    let directory = Scratch::new();
    let mut writer = SegmentWriter::open(&directory, SMALL).unwrap();
    for n in 0..10 {
        writer.append(&line(n)).unwrap();
    }
    // Rotated, but nothing is compressed yet.
    writer.rotate().unwrap();
    drop(writer);
    fs::write(path(&directory, 1, Kind::Partial), "half of it").unwrap();
    assert_eq!(stored(&directory), numbers(0..10));
    let plain = path(&directory, 1, Kind::Plain);
    let text = fs::read(&plain).unwrap();
    drop(write(&directory, 10..11));
    assert!(!plain.exists());
    assert_eq!(stored(&directory), numbers(0..11));
    // The segment was compressed, but the plain form was not removed.
    fs::write(&plain, text).unwrap();
    assert_eq!(stored(&directory), numbers(0..11));
    drop(write(&directory, 11..12));
    assert!(!plain.exists());
    assert_eq!(stored(&directory), numbers(0..12));
}

#[test]
fn a_missing_or_damaged_index_is_rebuilt() {
    let directory = Scratch::new();
    drop(write(&directory, 0..100));
    let index = |number| path(&directory, number, Kind::Index);
    let (first, second) = (fs::read(index(1)).unwrap(), fs::read(index(2)).unwrap());
    fs::remove_file(index(1)).unwrap();
    fs::write(index(2), &second[..50]).unwrap();
    let mut writer = SegmentWriter::open(&directory, SMALL).unwrap();
    for _ in kinds(&directory, Kind::Sealed) {
        maintain(&mut writer, SystemTime::now()).unwrap();
    }
    assert_eq!(fs::read(index(1)).unwrap(), first);
    assert_eq!(fs::read(index(2)).unwrap(), second);
}

#[test]
fn a_segment_is_closed_when_it_is_old() {
    let directory = Scratch::new();
    let mut writer = write(&directory, 0..1);
    maintain(&mut writer, SystemTime::now()).unwrap();
    assert!(kinds(&directory, Kind::Sealed).is_empty());
    let (begun, age) = (Instant::now(), SMALL.segment_age + Duration::from_secs(60));
    // A clock that jumps ahead does not make a segment old.
    maintain_at(&mut writer, SystemTime::now() + age, begun).unwrap();
    assert!(kinds(&directory, Kind::Sealed).is_empty());
    maintain_at(&mut writer, SystemTime::now() + age, begun + age).unwrap();
    assert_eq!(kinds(&directory, Kind::Sealed), [1]);
    // An empty segment is not closed.
    maintain_at(&mut writer, SystemTime::now() + age * 3, begun + age * 3).unwrap();
    assert_eq!(kinds(&directory, Kind::Plain), [2]);
}

#[test]
fn segments_beyond_the_retention_time_are_removed_while_running() {
    let directory = Scratch::new();
    let mut writer = write(&directory, 0..100);
    let count = kinds(&directory, Kind::Sealed).len() as u64;
    maintain(&mut writer, SystemTime::now() + RETENTION_INTERVAL * 2).unwrap();
    assert_eq!(writer.removed(), 0);
    // A clock that is ahead is used after a delay.
    let (begun, ahead) = (Instant::now(), SMALL.age + Duration::from_secs(120));
    let later = |passed| (SystemTime::now() + ahead + passed, begun + passed);
    let (time, moment) = later(RETENTION_INTERVAL);
    maintain_at(&mut writer, time, moment).unwrap();
    assert_eq!(writer.removed(), 0);
    let (time, moment) = later(RETENTION_INTERVAL + MAX_AHEAD);
    maintain_at(&mut writer, time, moment).unwrap();
    assert!(writer.removed() >= count);
    writer.append(&line(100)).unwrap();
    assert_eq!(stored(&directory), [100]);
}

#[test]
fn the_log_stays_within_its_size_limit() {
    let directory = Scratch::new();
    let retention = Retention {
        bytes: 20_000,
        ..SMALL
    };
    let mut writer = SegmentWriter::open(&directory, retention).unwrap();
    for n in 0..2_000 {
        writer.append(&line(n)).unwrap();
        maintain(&mut writer, SystemTime::now()).unwrap();
        let size = |file: &(u64, Kind)| {
            fs::metadata(path(&directory, file.0, file.1))
                .unwrap()
                .len()
        };
        let total: u64 = files(&directory).unwrap().iter().map(size).sum();
        assert!(total <= 20_000 + 2_000, "{total}");
    }
    let numbers_left = stored(&directory);
    assert!(numbers_left.len() > 20);
    assert_eq!(numbers_left, numbers(numbers_left[0]..2_000));
}

#[test]
fn lines_that_are_too_long_or_have_no_line_feed_are_refused() {
    let directory = Scratch::new();
    let mut writer = write(&directory, 0..1);
    let huge = [vec![b'x'; 100 << 20], b"\n".to_vec()].concat();
    let lost = writer.append(&huge).unwrap_err();
    assert_eq!((lost.from, lost.lines), (0, 1));
    assert!(writer.append(b"no end").is_err());
    writer.append(&line(1)).unwrap();
    assert_eq!(stored(&directory), [0, 1]);
}

#[test]
fn a_batch_of_many_mebibytes_is_not_a_long_line() {
    let directory = Scratch::new();
    let mut writer = write(&directory, 0..1);
    let many: Vec<u8> = (1..50_000).flat_map(line).collect();
    assert!(many.len() > MAX_LINE);
    writer.append(&many).unwrap();
    writer.append(&line(50_000)).unwrap();
    while !writer.closed.is_empty() {
        maintain(&mut writer, SystemTime::now()).unwrap();
    }
    assert_eq!(kinds(&directory, Kind::Plain).len(), 1);
    assert_eq!(stored(&directory), numbers(0..50_001));
}

#[test]
fn lines_that_cannot_be_compressed_stay_and_delay_nothing() {
    let directory = Scratch::new();
    private_directory(&directory).unwrap();
    let foreign = [vec![b'x'; 20 << 20], b"\n".to_vec(), line(0)].concat();
    fs::write(path(&directory, 1, Kind::Plain), foreign).unwrap();
    fs::write(path(&directory, 2, Kind::Plain), line(1)).unwrap();
    let mut writer = SegmentWriter::open(&directory, SMALL).unwrap();
    assert!(maintain(&mut writer, SystemTime::now()).is_err());
    drop(writer);
    assert_eq!(stored(&directory), [0, 1]);
}

#[test]
fn entries_are_appended_while_a_segment_is_synced() {
    let directory = Scratch::new();
    let mut writer = SegmentWriter::open(&directory, SMALL).unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    // Like a slow disk.
    let thread = thread::spawn(move || {
        let _ = held.recv();
        Err(ErrorKind::StorageFull.into())
    });
    for n in 0..10 {
        writer.append(&line(n)).unwrap();
    }
    writer.rotate().unwrap();
    let closed = writer.closed.pop_front().unwrap();
    writer.finishing = Some(Finishing {
        number: closed.number,
        length: closed.length,
        thread,
    });
    for n in 10..100 {
        writer.append(&line(n)).unwrap();
        writer.maintain(SystemTime::now()).unwrap();
    }
    assert_eq!(stored(&directory), numbers(0..100));
    assert!(kinds(&directory, Kind::Sealed).is_empty());
    drop(release);
    // It fails and is repeated.
    assert!(writer.settle().is_err());
    while !writer.closed.is_empty() || writer.finishing.is_some() {
        let _ = writer.settle();
        writer.maintain(SystemTime::now()).unwrap();
    }
    assert_eq!(kinds(&directory, Kind::Plain).len(), 1);
    assert_eq!(stored(&directory), numbers(0..100));
}
