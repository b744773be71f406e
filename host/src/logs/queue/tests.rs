use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::Severity;
use crate::logs::entry::{FinishStatus, Payload};
use std::thread;

const NO_TIME: Duration = Duration::ZERO;

fn note(function: &str) -> Vec<Entry> {
    let text = "x".repeat(1000);
    vec![Entry::note(function.into(), None, Severity::Info, text)]
}

fn done(batches: &[Vec<Entry>]) -> Done {
    let mut done = Done::default();
    for batch in batches {
        let function = &batch[0].function;
        for entry in batch {
            done.entry(function, entry.weight());
        }
        done.batch(function);
    }
    done
}

fn lost(counts: &[(&str, u64)]) -> Option<Lost> {
    Some(
        counts
            .iter()
            .map(|&(name, count)| (name.into(), count))
            .collect(),
    )
}

fn room_for(batches: usize, bytes: usize) -> (LogQueue, Arc<Shared>) {
    LogQueue::new(Bounds { batches, bytes }, &Arc::default())
}

#[test]
fn what_finds_no_place_is_counted_by_function() {
    let (queue, shared) = room_for(1, 1 << 20);
    queue.push(note("a"));
    queue.push(note("b"));
    queue.push([note("c"), note("b")].concat());
    let mut batches = Vec::new();
    assert_eq!(shared.take(&mut batches, None), lost(&[("b", 2), ("c", 1)]));
    assert_eq!(batches.len(), 1);
    assert_eq!(queue.dropped(), 3);
}

#[test]
fn what_is_lost_on_the_way_to_the_disk_is_counted_whatever_the_reader_does() {
    let (_, next) = room_for(1, 1 << 20);
    for (is_kept, lost) in [(true, 1), (false, 0)] {
        let (queue, _reader) = room_for(1, 1 << 20);
        let queue = queue.before(&next, is_kept);
        queue.push(note("a"));
        queue.push(note("a"));
        assert_eq!((queue.dropped(), queue.kept().lost()), (1, lost));
    }
}

#[test]
fn what_the_writer_holds_counts_until_it_is_done_with_it() {
    let (queue, shared) = room_for(100, 2000);
    queue.push(note("a"));
    let mut batches = Vec::new();
    shared.take(&mut batches, None);
    queue.push(note("b"));
    assert_eq!(queue.dropped(), 1);
    shared.settle(&done(&batches));
    queue.push(note("c"));
    assert_eq!(queue.dropped(), 1);
    batches.clear();
    assert_eq!(shared.take(&mut batches, None), lost(&[("b", 1)]));
    assert_eq!(&*batches[0][0].function, "c");
}

#[test]
fn a_batch_larger_than_all_the_room_is_left_out() {
    let (queue, shared) = room_for(100, 500);
    queue.push(note("a"));
    assert_eq!(shared.take(&mut Vec::new(), None), lost(&[("a", 1)]));
}

#[test]
fn after_the_close_what_waits_is_still_taken_and_nothing_is_let_in() {
    let (queue, shared) = room_for(100, 1 << 20);
    queue.push(note("before"));
    shared.close(NO_TIME);
    queue.push(note("after"));
    let mut batches = Vec::new();
    assert_eq!(shared.take(&mut batches, None), lost(&[]));
    assert_eq!(&*batches.concat()[0].function, "before");
    assert_eq!(shared.take(&mut Vec::new(), None), None);
    assert_eq!(queue.dropped(), 1);
}

#[test]
fn a_flush_waits_for_what_was_pushed_before_it_only() {
    let (queue, shared) = room_for(100, 1 << 20);
    assert!(queue.flush(NO_TIME));
    queue.push(note("a"));
    assert!(!queue.flush(NO_TIME));
    let mut batches = Vec::new();
    shared.take(&mut batches, None);
    assert!(!queue.flush(NO_TIME));
    shared.settle(&done(&batches));
    assert!(queue.flush(NO_TIME));
}

#[test]
fn nobody_waits_for_a_writer_that_is_no_more() {
    let (queue, shared) = room_for(100, 1 << 20);
    queue.push(note("a"));
    shared.end();
    assert!(!queue.flush(Duration::MAX));
    assert_eq!(shared.wait_for_end(Duration::MAX), 1);
}

#[test]
fn the_end_is_overdue_when_its_limit_has_passed() {
    let (_queue, shared) = room_for(1, 1);
    assert!(!shared.is_overdue());
    shared.close(NO_TIME);
    assert!(shared.is_overdue());
    shared.close(Duration::MAX);
    assert!(shared.is_overdue());
}

/// Pushes `count` batches, and tells how many of them found no place.
fn push(queue: &LogQueue, function: &str, count: usize) -> u64 {
    let before = queue.dropped();
    for _ in 0..count {
        queue.push(note(function));
    }
    queue.dropped() - before
}

#[test]
fn functions_that_print_without_end_leave_room_for_a_quiet_one() {
    let size = note("quiet")[0].weight();
    // Where bytes are what runs out, and where it is batches.
    for (batches, bytes) in [(100_000, 1280 * size), (1280, 100_000 * size)] {
        let (queue, shared) = room_for(batches, bytes);
        assert_eq!(push(&queue, "loud", 2000), 2000 - 641, "half of the room");
        for other in ["loud 2", "loud 3"] {
            assert!(push(&queue, other, 2000) > 1000);
        }
        assert_eq!(push(&queue, "quiet", 20), 0);
        let mut waiting = Vec::new();
        let lost = shared.take(&mut waiting, None).unwrap();
        assert!(!lost.contains_key("quiet") && lost.len() == 3, "{lost:?}");
        shared.settle(&done(&waiting));
        assert_eq!(
            push(&queue, "loud", 10),
            0,
            "what was written takes no room"
        );
    }
}

#[test]
fn a_flush_waits_for_the_next_queue_as_well() {
    let (_, next) = room_for(100, 1 << 20);
    let (queue, _) = room_for(100, 1 << 20);
    let queue = queue.before(&next, true);
    assert!(queue.flush(NO_TIME));
    let to_next = LogQueue {
        shared: Arc::clone(&next),
        next: None,
        is_kept: false,
    };
    to_next.push(note("a"));
    assert!(!queue.flush(NO_TIME));
}

#[test]
fn what_executions_and_jobs_did_does_not_depend_on_what_was_printed() {
    let (queue, shared) = room_for(usize::MAX, 4000);
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
    assert_eq!(shared.take(&mut batches, None), lost(&[("f", 13)]));
    let kept: Vec<_> = batches.concat().into_iter().map(|e| e.payload).collect();
    assert_eq!(
        kept,
        [Payload::Started, finish(200).payload, attempt.payload]
    );
    assert_eq!(queue.dropped(), 13);
}

#[test]
fn a_reader_rests_no_longer_than_there_is_room_for_what_gathers() {
    let (queue, shared) = room_for(800, 1 << 30);
    let long = Duration::from_secs(600);
    let resting = thread::spawn(move || shared.rest(long));
    for _ in 0..100 {
        queue.push(note("a"));
    }
    assert!(!resting.is_finished(), "an eighth is taken, and not more");
    queue.push(note("a"));
    resting.join().unwrap();
}
