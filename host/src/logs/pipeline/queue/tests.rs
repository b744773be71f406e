use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::{FinishStatus, Payload, Severity};
use std::thread;

const NO_TIME: Duration = Duration::ZERO;

fn note(function: &str) -> Vec<Entry> {
    let text = "x".repeat(1000);
    vec![Entry::note(function.into(), None, Severity::Info, text)]
}

fn processed(batches: &[Vec<Entry>]) -> Processed {
    let mut processed = Processed::default();
    for batch in batches {
        let function = &batch[0].function;
        for entry in batch {
            processed.add_entry(function, entry.size());
        }
        processed.add_batch(function);
    }
    processed
}

fn drops(counts: &[(&str, u64)]) -> Option<DropCounts> {
    Some(
        counts
            .iter()
            .map(|&(name, count)| (name.into(), count))
            .collect(),
    )
}

fn queue_for(batches: usize, bytes: usize) -> (LogQueue, Arc<Shared>) {
    LogQueue::new(QueueSize { batches, bytes }, &Arc::default())
}

#[test]
fn dropped_entries_are_counted_by_function() {
    let (queue, shared) = queue_for(1, 1 << 20);
    queue.push(note("a"));
    queue.push(note("b"));
    queue.push([note("c"), note("b")].concat());
    let mut batches = Vec::new();
    assert_eq!(
        shared.receive(&mut batches, None),
        drops(&[("b", 2), ("c", 1)])
    );
    assert_eq!(batches.len(), 1);
    assert_eq!(queue.dropped(), 3);
}

#[test]
fn entries_that_are_dropped_before_the_disk_are_counted_at_once() {
    let (_, next) = queue_for(1, 1 << 20);
    for (is_stored, count) in [(true, 1), (false, 0)] {
        let (queue, _reader) = queue_for(1, 1 << 20);
        let queue = queue.forwarding_to(&next, is_stored);
        queue.push(note("a"));
        queue.push(note("a"));
        assert_eq!((queue.dropped(), queue.storage().lost()), (1, count));
    }
}

#[test]
fn received_entries_use_capacity_until_they_are_processed() {
    let (queue, shared) = queue_for(100, 2000);
    queue.push(note("a"));
    let mut batches = Vec::new();
    shared.receive(&mut batches, None);
    queue.push(note("b"));
    assert_eq!(queue.dropped(), 1);
    shared.release(&processed(&batches));
    queue.push(note("c"));
    assert_eq!(queue.dropped(), 1);
    batches.clear();
    assert_eq!(shared.receive(&mut batches, None), drops(&[("b", 1)]));
    assert_eq!(&*batches[0][0].function, "c");
}

#[test]
fn a_batch_larger_than_the_capacity_is_dropped() {
    let (queue, shared) = queue_for(100, 500);
    queue.push(note("a"));
    assert_eq!(shared.receive(&mut Vec::new(), None), drops(&[("a", 1)]));
}

#[test]
fn after_the_close_waiting_entries_are_received_and_new_ones_dropped() {
    let (queue, shared) = queue_for(100, 1 << 20);
    queue.push(note("before"));
    shared.close(NO_TIME);
    queue.push(note("after"));
    let mut batches = Vec::new();
    assert_eq!(shared.receive(&mut batches, None), drops(&[]));
    assert_eq!(&*batches.concat()[0].function, "before");
    assert_eq!(shared.receive(&mut Vec::new(), None), None);
    assert_eq!(queue.dropped(), 1);
}

#[test]
fn a_flush_waits_for_earlier_entries_only() {
    let (queue, shared) = queue_for(100, 1 << 20);
    assert!(queue.flush(NO_TIME));
    queue.push(note("a"));
    assert!(!queue.flush(NO_TIME));
    let mut batches = Vec::new();
    shared.receive(&mut batches, None);
    assert!(!queue.flush(NO_TIME));
    shared.release(&processed(&batches));
    assert!(queue.flush(NO_TIME));
}

#[test]
fn nothing_waits_for_a_reader_that_has_ended() {
    let (queue, shared) = queue_for(100, 1 << 20);
    queue.push(note("a"));
    shared.end();
    assert!(!queue.flush(Duration::MAX));
    assert_eq!(shared.wait_for_end(Duration::MAX), 1);
}

#[test]
fn the_end_is_overdue_when_its_limit_has_passed() {
    let (_queue, shared) = queue_for(1, 1);
    assert!(!shared.is_overdue());
    shared.close(NO_TIME);
    assert!(shared.is_overdue());
    shared.close(Duration::MAX);
    assert!(shared.is_overdue());
}

/// Pushes `count` batches. Returns how many of them were dropped.
fn push(queue: &LogQueue, function: &str, count: usize) -> u64 {
    let before = queue.dropped();
    for _ in 0..count {
        queue.push(note(function));
    }
    queue.dropped() - before
}

#[test]
fn functions_that_print_without_end_leave_capacity_for_a_quiet_one() {
    let size = note("quiet")[0].size();
    // First the bytes run out, then the batches.
    for (batches, bytes) in [(100_000, 1280 * size), (1280, 100_000 * size)] {
        let (queue, shared) = queue_for(batches, bytes);
        assert_eq!(
            push(&queue, "loud", 2000),
            2000 - 641,
            "half of the capacity"
        );
        for other in ["loud 2", "loud 3"] {
            assert!(push(&queue, other, 2000) > 1000);
        }
        assert_eq!(push(&queue, "quiet", 20), 0);
        let mut waiting = Vec::new();
        let dropped = shared.receive(&mut waiting, None).unwrap();
        assert!(
            !dropped.contains_key("quiet") && dropped.len() == 3,
            "{dropped:?}"
        );
        shared.release(&processed(&waiting));
        assert_eq!(
            push(&queue, "loud", 10),
            0,
            "processed entries use no capacity"
        );
    }
}

#[test]
fn a_flush_waits_for_the_next_queue_as_well() {
    let (_, next) = queue_for(100, 1 << 20);
    let (queue, _) = queue_for(100, 1 << 20);
    let queue = queue.forwarding_to(&next, true);
    assert!(queue.flush(NO_TIME));
    let to_next = LogQueue {
        shared: Arc::clone(&next),
        next: None,
        is_stored: false,
    };
    to_next.push(note("a"));
    assert!(!queue.flush(NO_TIME));
}

#[test]
fn starts_ends_and_messages_of_jobs_are_dropped_last() {
    let (queue, shared) = queue_for(usize::MAX, 4000);
    let id = ExecutionId::random();
    let finish = |status| Entry::finished("f".into(), id, NO_TIME, FinishStatus::Code(status));
    let printed = std::iter::repeat_with(|| note("f")).take(10).flatten();
    let mut batch = vec![Entry::started("f".into(), id)];
    batch.extend(printed);
    batch.push(finish(200));
    queue.push(batch);
    let attempt = Entry::note("f".into(), None, Severity::Info, "begins".into());
    let attempt = attempt.of_job("nightly".into());
    queue.push([vec![attempt.clone()], note("f"), note("f"), note("f")].concat());
    let mut batches = Vec::new();
    assert_eq!(shared.receive(&mut batches, None), drops(&[("f", 13)]));
    let rest: Vec<_> = batches.concat().into_iter().map(|e| e.payload).collect();
    assert_eq!(
        rest,
        [Payload::Started, finish(200).payload, attempt.payload]
    );
    assert_eq!(queue.dropped(), 13);
}

#[test]
fn a_pause_ends_when_the_queue_fills() {
    let (queue, shared) = queue_for(800, 1 << 30);
    let long = Duration::from_secs(600);
    let pausing = thread::spawn(move || shared.pause(long));
    for _ in 0..100 {
        queue.push(note("a"));
    }
    assert!(!pausing.is_finished(), "no more than an eighth is used");
    queue.push(note("a"));
    pausing.join().unwrap();
}
