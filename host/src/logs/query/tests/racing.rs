//! Readers beside a writer that rotates segments as fast as it can.

use super::*;
use std::thread;

const ENTRIES: u32 = 3_000;

/// Writes entries numbered from 0 on a separate thread.
fn writing() -> (Scratch, thread::JoinHandle<()>) {
    let log = Log::new();
    let path = log.directory.to_path_buf();
    let Log {
        directory,
        writer,
        lines,
    } = log;
    // The test keeps the directory.
    let handle = thread::spawn(move || {
        let (mut writer, mut lines) = (writer.unwrap(), lines);
        let mut out = Vec::new();
        for n in 0..ENTRIES {
            out.clear();
            lines.line(&printed("f", 0, &n.to_string()), &mut out);
            writer.append(&out).unwrap();
            writer.maintain(SystemTime::now()).unwrap();
        }
    });
    assert!(path.exists());
    (directory, handle)
}

#[test]
fn a_reader_sees_every_entry_that_was_written_before_once_and_in_order() {
    let (directory, writer) = writing();
    let mut least = 0;
    loop {
        let is_last = writer.is_finished();
        let found = read(&directory, &all()).unwrap();
        assert_eq!(found.unreadable, Unreadable::default());
        let seen = texts(&found.entries);
        assert!(seen.len() >= least, "{} after {least}", seen.len());
        assert_eq!(seen, count(0..seen.len() as u32));
        least = seen.len();
        if is_last {
            break;
        }
    }
    writer.join().unwrap();
    assert_eq!(least, ENTRIES as usize);
}

#[test]
fn a_follower_sees_every_entry_once_and_in_order() {
    let (directory, writer) = writing();
    let (found, mut follow) = Follow::start(&directory, &all()).unwrap();
    let mut seen = texts(&found.entries);
    loop {
        let is_last = writer.is_finished();
        let new = follow.poll().unwrap();
        assert_eq!(new.unreadable, Unreadable::default());
        seen.extend(texts(&new.entries));
        if is_last && !new.is_behind {
            break;
        }
        thread::yield_now();
    }
    writer.join().unwrap();
    assert_eq!(seen, count(0..ENTRIES));
}
