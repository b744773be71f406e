//! The way from the workers to the writer: bounded, never waited for, nothing lost in silence.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::kept::KeptCounts;
use super::otlp::ExportCounts;

/// How much may wait to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) batches: u64,
    pub(super) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            batches: 65_536,
            bytes: 16 * 1024 * 1024,
        }
    }
}

/// How many entries of which function found no room.
pub(super) type Lost = BTreeMap<Arc<str>, u64>;

/// Takes entries to the writer. Cheap to clone; any thread may push.
#[derive(Clone)]
pub struct LogQueue {
    shared: Arc<Shared>,
}

impl LogQueue {
    pub(super) fn new(bounds: Bounds) -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared {
            bounds,
            ..Shared::default()
        });
        let queue = Self {
            shared: Arc::clone(&shared),
        };
        (queue, shared)
    }

    /// Hands over `entries`, oldest first. Never waits for the output: what finds no room is left out, and the log says
    /// how much that was.
    pub fn push(&self, entries: Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        let bytes = entries.iter().map(Entry::weight).sum();
        let mut state = self.shared.lock();
        if !state.has_room(bytes, self.shared.bounds) {
            state.lose(&entries);
            drop(state);
            let count = entries.len() as u64;
            self.shared.dropped.fetch_add(count, Ordering::Relaxed);
            return;
        }
        state.accept(entries, bytes);
        let is_writer_idle = std::mem::take(&mut state.is_writer_idle);
        drop(state);
        if is_writer_idle {
            self.shared.wake.notify_one();
        }
    }

    /// Blocks until the writer is done with all that was pushed before, `limit` at the longest; tells whether it is.
    pub fn flush(&self, limit: Duration) -> bool {
        let mut state = self.shared.lock();
        let goal = state.accepted;
        state.flushes += 1;
        self.shared.wake.notify_one();
        let mut state = self
            .shared
            .wait_for(state, limit, |state| state.settled >= goal);
        state.flushes -= 1;
        state.settled >= goal
    }

    /// How many entries were written since the start.
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::Relaxed)
    }

    /// How many entries were left out since the start, for want of room or because the output was gone.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// How many entries were kept on disk.
    pub fn kept(&self) -> &KeptCounts {
        &self.shared.kept
    }

    /// How much was sent on to a collector.
    pub fn exported(&self) -> &ExportCounts {
        &self.shared.exported
    }
}

/// What the queue's handles and the writer have in common.
#[derive(Default)]
pub(super) struct Shared {
    bounds: Bounds,
    /// Held for a few instructions at a time, whatever the output does.
    state: Mutex<State>,
    /// Something for the writer to do.
    wake: Condvar,
    /// The writer is done with something.
    progress: Condvar,
    written: AtomicU64,
    dropped: AtomicU64,
    kept: Arc<KeptCounts>,
    exported: Arc<ExportCounts>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Vec<Entry>>,
    lost: Lost,
    /// Batches let in, and batches that the writer is done with, since the start.
    accepted: u64,
    settled: u64,
    /// In the batches let in that the writer is not done with.
    bytes: usize,
    flushes: usize,
    is_writer_idle: bool,
    closing: Option<Closing>,
    has_ended: bool,
}

struct Closing {
    since: Instant,
    limit: Duration,
}

impl State {
    fn has_room(&self, bytes: usize, bounds: Bounds) -> bool {
        self.closing.is_none()
            && self.accepted - self.settled < bounds.batches
            && self.bytes.saturating_add(bytes) <= bounds.bytes
    }

    fn accept(&mut self, entries: Vec<Entry>, bytes: usize) {
        self.waiting.push(entries);
        self.accepted += 1;
        self.bytes += bytes;
    }

    fn lose(&mut self, entries: &[Entry]) {
        // At the end the writer does not wait for what might still be lost.
        if self.closing.is_some() {
            return;
        }
        for entry in entries {
            match self.lost.get_mut(&entry.function) {
                Some(count) => *count += 1,
                None => {
                    self.lost.insert(Arc::clone(&entry.function), 1);
                }
            }
        }
    }
}

/// Batches that the writer is done with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) batches: u64,
    pub(super) bytes: usize,
    pub(super) entries: u64,
}

/// The writer's side.
impl Shared {
    pub(super) fn kept(&self) -> &Arc<KeptCounts> {
        &self.kept
    }

    pub(super) fn exported(&self) -> &Arc<ExportCounts> {
        &self.exported
    }

    /// Moves all that waits into `batches`, which is empty, as soon as there is something, or with nothing after the
    /// time `idle`, and tells what was lost. Nothing comes any more after `None`.
    pub(super) fn take(
        &self,
        batches: &mut Vec<Vec<Entry>>,
        idle: Option<Duration>,
    ) -> Option<Lost> {
        let mut state = self.lock();
        while state.waiting.is_empty() && state.lost.is_empty() {
            if state.closing.is_some() {
                return None;
            }
            state.is_writer_idle = true;
            let Some(idle) = idle else {
                let woken = self.wake.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let woken = self.wake.wait_timeout(state, idle);
            let (woken, waited) = woken.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if waited.timed_out() {
                break;
            }
        }
        state.is_writer_idle = false;
        std::mem::swap(&mut state.waiting, batches);
        Some(std::mem::take(&mut state.lost))
    }

    /// Makes room: the writer has written what is `done`, or never will.
    pub(super) fn settle(&self, done: Done, is_written: bool) {
        let count = if is_written {
            &self.written
        } else {
            &self.dropped
        };
        count.fetch_add(done.entries, Ordering::Relaxed);
        let mut state = self.lock();
        state.settled += done.batches;
        state.bytes -= done.bytes;
        drop(state);
        self.progress.notify_all();
    }

    /// Lets entries gather for `time`, unless someone waits for them.
    pub(super) fn rest(&self, time: Duration) {
        let state = self.lock();
        let nobody_waits = |state: &mut State| state.flushes == 0 && state.closing.is_none();
        let rested = self.wake.wait_timeout_while(state, time, nobody_waits);
        drop(rested);
    }

    /// Whether the end has been put off for as long as it may.
    pub(super) fn is_overdue(&self) -> bool {
        let state = self.lock();
        let closing = state.closing.as_ref();
        closing.is_some_and(|closing| closing.since.elapsed() >= closing.limit)
    }

    /// The writer is no more.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.progress.notify_all();
    }

    /// Lets nothing more in, and gives the writer `limit` to write what waits. Only the first call counts.
    pub(super) fn close(&self, limit: Duration) {
        let since = Instant::now();
        self.lock().closing.get_or_insert(Closing { since, limit });
        self.wake.notify_one();
    }

    /// Blocks until the writer is no more, `limit` at the longest; tells whether it is done with everything.
    pub(super) fn wait_for_end(&self, limit: Duration) -> bool {
        let state = self.wait_for(self.lock(), limit, |state| state.has_ended);
        state.has_ended && state.settled == state.accepted
    }

    fn wait_for<'a>(
        &self,
        state: MutexGuard<'a, State>,
        limit: Duration,
        is_done: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let goes_on = |state: &mut State| !is_done(state) && !state.has_ended;
        let waited = self.progress.wait_timeout_while(state, limit, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Severity;

    const NO_TIME: Duration = Duration::ZERO;

    fn note(function: &str) -> Vec<Entry> {
        let text = "x".repeat(1000);
        vec![Entry::note(function.into(), None, Severity::Info, text)]
    }

    fn done(batches: &[Vec<Entry>]) -> Done {
        Done {
            batches: batches.len() as u64,
            bytes: batches.iter().flatten().map(Entry::weight).sum(),
            entries: batches.iter().flatten().count() as u64,
        }
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
        shared.settle(done(&batches), true);
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
        shared.settle(done(&batches), true);
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
}
