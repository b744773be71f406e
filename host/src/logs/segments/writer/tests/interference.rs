//! Files that others remove, truncate, replace or damage.

use super::*;

/// What operators do to free space on the disk.
#[test]
fn entries_are_found_after_the_active_segment_was_removed_or_replaced() {
    let plain = |directory: &Path| path(directory, 1, Kind::Plain);
    let fates: [fn(&Path, &Path); 5] = [
        |_, plain| fs::remove_file(plain).unwrap(),
        |_, plain| drop(File::create(plain).unwrap()),
        |_, plain| {
            fs::remove_file(plain).unwrap();
            fs::create_dir(plain).unwrap();
        },
        |directory, _| fs::remove_dir_all(directory).unwrap(),
        |directory, _| {
            fs::remove_dir_all(directory).unwrap();
            private_directory(directory).unwrap();
        },
    ];
    for (number, fate) in fates.into_iter().enumerate() {
        let directory = Scratch::new();
        let mut writer = write(&directory, 0..3);
        fate(&directory, &plain(&directory));
        writer.append(&line(3)).unwrap();
        maintain(&mut writer, SystemTime::now()).unwrap();
        assert_eq!(stored(&directory), [3], "fate {number}");
        assert_eq!(kinds(&directory, Kind::Plain).last(), Some(&2));
        let current = fs::read(directory.join(CURRENT)).unwrap();
        assert_eq!(current, line(3));
        let second = SegmentWriter::open(&directory, SMALL);
        assert!(matches!(second, Err(SegmentError::Locked(_))));
    }
}

#[test]
fn the_rest_of_a_truncated_segment_is_readable() {
    let directory = Scratch::new();
    let mut writer = write(&directory, 0..6);
    let plain = path(&directory, 1, Kind::Plain);
    let whole = fs::read(&plain).unwrap();
    fs::write(&plain, &whole[..line(0).len() * 3 + 10]).unwrap();
    for n in 6..20 {
        writer.append(&line(n)).unwrap();
        maintain(&mut writer, SystemTime::now()).unwrap();
    }
    let expected: Vec<_> = (0..3).chain(6..20).collect();
    assert_eq!(stored(&directory), expected);
}

#[test]
fn segments_that_were_removed_before_they_were_compressed_delay_nothing() {
    let directory = Scratch::new();
    let mut writer = SegmentWriter::open(&directory, SMALL).unwrap();
    for n in 0..100 {
        writer.append(&line(n)).unwrap();
    }
    assert!(writer.closed.len() > 3);
    for entry in fs::read_dir(&*directory).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    writer.append(&line(100)).unwrap();
    while writer.is_behind() {
        maintain(&mut writer, SystemTime::now()).unwrap();
    }
    maintain(&mut writer, SystemTime::now()).unwrap();
    assert_eq!(stored(&directory), [100]);
}

#[test]
fn damaged_segments_do_not_prevent_the_start_and_are_counted() {
    let directory = Scratch::new();
    drop(write(&directory, 0..100));
    let sealed = |number| path(&directory, number, Kind::Sealed);
    let whole = fs::read(sealed(1)).unwrap();
    fs::write(sealed(1), &whole[..whole.len() - 10]).unwrap();
    fs::write(sealed(2), "no segment at all").unwrap();
    fs::create_dir(path(&directory, 1_000, Kind::Plain)).unwrap();
    let mut writer = write(&directory, 100..101);
    for _ in 0..20 {
        maintain(&mut writer, SystemTime::now()).unwrap();
    }
    assert_eq!(writer.damaged().len(), 3);
    // The count is the same each time the log is opened.
    drop(writer);
    let mut writer = write(&directory, 101..102);
    for _ in 0..20 {
        maintain(&mut writer, SystemTime::now()).unwrap();
    }
    assert_eq!(writer.damaged().len(), 3);
    assert_eq!(texts(&directory).last().unwrap(), "101");
}
