//! Damaged and unreadable parts of the log.

use super::*;

#[test]
fn a_damaged_block_loses_only_its_own_entries_and_is_reported() {
    let log = Log::of((0..100).map(|n| printed("f", n, &n.to_string())));
    let sealed = log.directory.join("000000000003.jsonl.zst");
    let mut bytes = fs::read(&sealed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&sealed, bytes).unwrap();
    let found = read(&log.directory, &all()).unwrap();
    assert_eq!((found.unreadable.parts, found.unreadable.entries), (1, 0));
    assert!((80..100).contains(&found.entries.len()));
}

#[test]
fn invalid_lines_are_skipped_and_counted() {
    let log = Log::of([printed("f", 0, "one"), printed("f", 1, "two")]);
    let plain = log.directory.join("000000000001.jsonl");
    let text = fs::read_to_string(&plain).unwrap();
    let (one, two) = text.split_at(text.find('\n').unwrap() + 1);
    // A header without the rest of its line, and lines without a header.
    let cut = &one[..one.find("\"insertId\"").unwrap()];
    let others = "\0\0\0\nnot json\n{\"severity\":\"INFO\"}\n\n[1]\n";
    let bytes = [
        one.as_bytes(),
        cut.as_bytes(),
        b"\n\xff\xfe\n",
        others.as_bytes(),
        two.as_bytes(),
    ]
    .concat();
    fs::write(&plain, bytes).unwrap();
    let found = read(&log.directory, &all()).unwrap();
    assert_eq!(texts(&found.entries), ["one", "two"]);
    assert_eq!((found.unreadable.parts, found.unreadable.entries), (0, 6));
    let words = Query {
        contains: Some("two".into()),
        ..all()
    };
    assert_eq!(log.read(&words), ["two"]);
    let (before, _) = Follow::start(&log.directory, &all()).unwrap();
    assert_eq!(before.unreadable.entries, 6);
}

#[test]
fn a_missing_log_is_empty() {
    let found = read(Path::new("/nowhere/at/all"), &all()).unwrap();
    assert!(found.entries.is_empty());
}

#[test]
fn a_log_is_read_without_a_writer() {
    let mut log = Log::of((0..50).map(|n| printed("f", n, &n.to_string())));
    log.writer = None;
    assert_eq!(log.read(&all()), count(0..50));
}

#[test]
fn a_truncated_segment_is_counted_and_named_and_the_rest_is_read() {
    for cut in [1, 1_000] {
        let log = Log::of((0..100).map(|n| printed("f", n, &n.to_string())));
        let sealed = log.directory.join("000000000003.jsonl.zst");
        let bytes = fs::read(&sealed).unwrap();
        let length = bytes.len().saturating_sub(cut);
        fs::write(&sealed, &bytes[..length]).unwrap();
        let found = read(&log.directory, &all()).unwrap();
        assert!((50..100).contains(&found.entries.len()));
        assert_eq!(found.unreadable.parts, 1);
        assert_eq!(
            found.unreadable.files.into_iter().collect::<Vec<_>>(),
            [sealed]
        );
    }
}

#[test]
fn a_segment_that_is_a_directory_or_garbage_is_counted_and_named() {
    let log = Log::of((0..100).map(|n| printed("f", n, &n.to_string())));
    let path = |number| log.directory.join(format!("{number:012}.jsonl.zst"));
    fs::write(path(2), "garbage").unwrap();
    fs::remove_file(path(3)).unwrap();
    fs::create_dir(path(3)).unwrap();
    let found = read(&log.directory, &all()).unwrap();
    assert!(found.entries.len() > 50);
    assert_eq!(found.unreadable.parts, 2);
    let files: Vec<_> = found.unreadable.files.into_iter().collect();
    assert_eq!(files, [path(2), path(3)]);
}
