use super::*;
use crate::function::ExecutionId;
use crate::logs::Severity;
use crate::logs::entry::{FinishStatus, Payload};

const NO_TIME: Duration = Duration::ZERO;

fn note(function: &str) -> Vec<Entry> {
    let text = "x".repeat(1000);
    vec![Entry::note(function.into(), None, Severity::Info, text)]
}

fn done(batches: &[Vec<Entry>]) -> Done {
    let mut done = Done {
        batches: batches.len() as u64,
        ..Done::default()
    };
    for entry in batches.iter().flatten() {
        done.entry(&entry.function, entry.weight());
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

fn room_for(batches: u64, bytes: usize) -> (LogQueue, Arc<Shared>) {
    LogQueue::new(Bounds { batches, bytes })
}

#[test]
fn what_finds_no_place_is_counted_by_function() {
    let (queue, shared) = room_for(1, usize::MAX);
    queue.push(note("a"));
    queue.push(note("b"));
    queue.push([note("c"), note("b")].concat());
    let mut batches = Vec::new();
    assert_eq!(shared.take(&mut batches, None), lost(&[("b", 2), ("c", 1)]));
    assert_eq!(batches.len(), 1);
    assert_eq!(queue.dropped(), 3);
}

#[test]
fn what_the_writer_holds_counts_until_it_is_done_with_it() {
    let (queue, shared) = room_for(u64::MAX, 2000);
    queue.push(note("a"));
    let mut batches = Vec::new();
    shared.take(&mut batches, None);
    queue.push(note("b"));
    assert_eq!(queue.dropped(), 1);
    shared.settle(&done(&batches), true);
    queue.push(note("c"));
    assert_eq!(queue.dropped(), 1);
    assert_eq!(queue.written(), 1);
    batches.clear();
    assert_eq!(shared.take(&mut batches, None), lost(&[("b", 1)]));
    assert_eq!(&*batches[0][0].function, "c");
}

#[test]
fn a_batch_larger_than_all_the_room_is_left_out() {
    let (queue, shared) = room_for(u64::MAX, 500);
    queue.push(note("a"));
    assert_eq!(shared.take(&mut Vec::new(), None), lost(&[("a", 1)]));
}

#[test]
fn after_the_close_what_waits_is_still_taken_and_nothing_is_let_in() {
    let (queue, shared) = room_for(u64::MAX, usize::MAX);
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
    let (queue, shared) = room_for(u64::MAX, usize::MAX);
    assert!(queue.flush(NO_TIME));
    queue.push(note("a"));
    assert!(!queue.flush(NO_TIME));
    let mut batches = Vec::new();
    shared.take(&mut batches, None);
    assert!(!queue.flush(NO_TIME));
    shared.settle(&done(&batches), true);
    assert!(queue.flush(NO_TIME));
}

#[test]
fn nobody_waits_for_a_writer_that_is_no_more() {
    let (queue, shared) = room_for(u64::MAX, usize::MAX);
    queue.push(note("a"));
    shared.end();
    assert!(!queue.flush(Duration::MAX));
    assert!(!shared.wait_for_end(Duration::MAX));
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

#[test]
fn a_function_that_prints_without_end_leaves_room_for_others() {
    let size = note("loud")[0].weight();
    let (queue, shared) = room_for(u64::MAX, 8 * size);
    for _ in 0..20 {
        queue.push(note("loud"));
    }
    assert_eq!(
        queue.dropped(),
        15,
        "half of the room, and the one that passed it"
    );
    queue.push(note("quiet"));
    queue.push(note("quiet"));
    assert_eq!(queue.dropped(), 15);
    queue.push(note("quiet"));
    assert_eq!(queue.dropped(), 16, "a quarter each, from then on");
    let mut batches = Vec::new();
    assert_eq!(
        shared.take(&mut batches, None),
        lost(&[("loud", 15), ("quiet", 1)])
    );
    shared.settle(&done(&batches), true);
    queue.push(note("loud"));
    assert_eq!(queue.dropped(), 16, "what was written takes no room");
}

#[test]
fn that_an_execution_started_and_finished_does_not_depend_on_what_it_printed() {
    let (queue, shared) = room_for(u64::MAX, 4000);
    let id = ExecutionId::random();
    let finish = |status| Entry::finished("f".into(), id, NO_TIME, FinishStatus::Code(status));
    let printed = std::iter::repeat_with(|| note("f")).take(10).flatten();
    let mut batch = vec![Entry::started("f".into(), id)];
    batch.extend(printed);
    batch.push(finish(200));
    queue.push(batch);
    let mut batches = Vec::new();
    assert_eq!(shared.take(&mut batches, None), lost(&[("f", 10)]));
    let kept: Vec<_> = batches.concat().into_iter().map(|e| e.payload).collect();
    assert_eq!(kept, [Payload::Started, finish(200).payload]);
    assert_eq!(queue.dropped(), 10);
}
