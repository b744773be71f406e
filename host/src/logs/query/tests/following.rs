//! Following the log.

use super::*;
use std::time::Instant;

/// The texts of all new entries.
fn new_texts(follow: &mut Follow) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let new = follow.poll().unwrap();
        assert_eq!(new.unreadable, Unreadable::default());
        all.extend(texts(&new.entries));
        if !new.is_behind {
            return all;
        }
    }
}

fn follow(log: &Log) -> (Vec<String>, Follow) {
    let (found, follow) = Follow::start(&log.directory, &all()).unwrap();
    (texts(&found.entries), follow)
}

#[test]
fn existing_entries_come_first_and_then_new_ones() {
    let mut log = Log::of((0..30).map(|n| printed("f", n, &n.to_string())));
    let (before, mut follow) = follow(&log);
    assert_eq!(before, count(0..30));
    assert!(new_texts(&mut follow).is_empty());
    log.say("new");
    assert_eq!(new_texts(&mut follow), ["new"]);
    assert!(new_texts(&mut follow).is_empty());
}

#[test]
fn only_matching_entries_are_returned() {
    let mut log = Log::new();
    let query = Query {
        function: Some("mine".into()),
        ..all()
    };
    let (_, mut follow) = Follow::start(&log.directory, &query).unwrap();
    for n in 0..100 {
        log.write(&printed(["mine", "other"][n % 2], 0, &n.to_string()));
    }
    let expected: Vec<_> = (0..100).step_by(2).map(|n| n.to_string()).collect();
    assert_eq!(new_texts(&mut follow), expected);
}

#[test]
fn no_entry_is_missed_or_repeated_across_segments_at_any_poll_interval() {
    for interval in [1, 7, 50, 300] {
        let mut log = Log::new();
        let (_, mut follow) = follow(&log);
        let mut seen = Vec::new();
        for n in 0..300 {
            log.say(&n.to_string());
            if n % interval == 0 {
                seen.extend(new_texts(&mut follow));
            }
        }
        seen.extend(new_texts(&mut follow));
        assert_eq!(seen, count(0..300));
    }
}

#[test]
fn a_restart_of_the_writer_after_a_kill_is_not_noticed() {
    let mut log = Log::new();
    let (_, mut follow) = follow(&log);
    log.say("before");
    log.writer = None;
    let plain = log.directory.join("000000000001.jsonl");
    let whole = fs::read(&plain).unwrap();
    fs::write(&plain, [&whole[..], b"{\"timestamp\":\"2026"].concat()).unwrap();
    assert_eq!(new_texts(&mut follow), ["before"]);
    log.writer = Some(SegmentWriter::open(&log.directory, RETENTION).unwrap());
    log.say("after");
    assert_eq!(new_texts(&mut follow), ["after"]);
}

#[test]
fn a_log_that_begins_later_is_followed_from_its_beginning() {
    let directory = Scratch::new();
    let (found, mut follow) = Follow::start(&directory, &all()).unwrap();
    assert!(found.entries.is_empty() && new_texts(&mut follow).is_empty());
    let mut log = Log {
        writer: Some(SegmentWriter::open(&directory, RETENTION).unwrap()),
        directory,
        lines: JsonLines::new(),
    };
    log.say("first");
    assert_eq!(new_texts(&mut follow), ["first"]);
}

#[test]
fn entries_that_retention_removes_before_a_poll_are_skipped() {
    let mut log = Log::new();
    let (_, mut follow) = follow(&log);
    log.say("seen");
    assert_eq!(new_texts(&mut follow), ["seen"]);
    for n in 0..100 {
        log.say(&n.to_string());
    }
    let (later, moment) = (SystemTime::now() + RETENTION.age * 2, Instant::now());
    for passed in [Duration::ZERO, Duration::from_secs(3_600)] {
        let writer = log.writer.as_mut().unwrap();
        writer.maintain_at(later + passed, moment + passed).unwrap();
    }
    log.say("last");
    // The segment that was being read is still open, and then there is a gap.
    let seen = new_texts(&mut follow);
    assert!(seen.len() < 100);
    assert_eq!(seen.last().map(String::as_str), Some("last"));
    log.say("more");
    assert_eq!(new_texts(&mut follow), ["more"]);
}

#[test]
fn a_new_log_in_the_same_place_is_followed_from_its_beginning() {
    let mut log = Log::of((0..50).map(|n| printed("f", n, &n.to_string())));
    let (_, mut follow) = follow(&log);
    log.writer = None;
    fs::remove_dir_all(&*log.directory).unwrap();
    assert!(new_texts(&mut follow).is_empty());
    log.writer = Some(SegmentWriter::open(&log.directory, RETENTION).unwrap());
    log.say("new log");
    assert_eq!(new_texts(&mut follow), ["new log"]);
}

#[test]
fn an_incomplete_line_is_not_returned() {
    use std::io::Write;
    let mut log = Log::new();
    log.say("first");
    let (_, mut follow) = follow(&log);
    let plain = log.directory.join("000000000001.jsonl");
    let line = fs::read(&plain).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(&plain).unwrap();
    for byte in line {
        assert!(new_texts(&mut follow).is_empty());
        file.write_all(&[byte]).unwrap();
    }
    assert_eq!(new_texts(&mut follow), ["first"]);
}

#[test]
fn a_damaged_block_is_reported_and_later_ones_are_read() {
    let directory = Scratch::new();
    let (_, mut follow) = Follow::start(&directory, &all()).unwrap();
    let mut log = Log {
        writer: Some(SegmentWriter::open(&directory, RETENTION).unwrap()),
        directory,
        lines: JsonLines::new(),
    };
    // Each of the two blocks of the first segment is more than half full.
    let large = "x".repeat(150_000);
    let mut line = Vec::new();
    for n in 0..2 {
        let entry = printed("f", n, &format!("{n}{large}"));
        log.lines.line(&entry, &mut line);
    }
    let writer = log.writer.as_mut().unwrap();
    writer.append(&line).unwrap();
    log.say("next");
    assert_eq!(log.read(&all()).len(), 3);
    let sealed = log.directory.join("000000000001.jsonl.zst");
    let mut bytes = fs::read(&sealed).unwrap();
    bytes[20] ^= 0xff;
    fs::write(&sealed, bytes).unwrap();
    let (mut seen, mut unreadable) = (Vec::new(), 0);
    loop {
        let new = follow.poll().unwrap();
        unreadable += new.unreadable.parts;
        seen.extend(texts(&new.entries));
        if !new.is_behind {
            break;
        }
    }
    assert_eq!(unreadable, 1);
    assert_eq!(seen, [format!("1{large}"), "next".into()]);
}
