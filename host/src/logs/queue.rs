//! The way of entries to a thread: bounded, never waited for, nothing lost in silence.

mod room;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::kept::KeptCounts;
use super::otlp::ExportCounts;
use room::Room;
pub(super) use room::{Bounds, Done};

/// How many entries of which function found no room.
pub(super) type Lost = BTreeMap<Arc<str>, u64>;

/// What became of entries, wherever they were bound for.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// On their way to stdout: written there, and left out on any part of the way.
    pub(super) written: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) kept: Arc<KeptCounts>,
    pub(super) exported: Arc<ExportCounts>,
}

/// Takes entries to the writer. Cheap to clone; any thread may push.
#[derive(Clone)]
pub struct LogQueue {
    shared: Arc<Shared>,
    /// The queue to which the reader of this one hands on what it took.
    next: Option<Arc<Shared>>,
    /// Whether its reader keeps entries.
    is_kept: bool,
}

impl LogQueue {
    pub(super) fn new(bounds: Bounds, counts: &Arc<Counts>) -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared::new(bounds, counts));
        let queue = Self {
            shared: Arc::clone(&shared),
            next: None,
            is_kept: false,
        };
        (queue, shared)
    }

    /// This queue, whose reader hands on what it takes to `next`, and keeps it if `is_kept`.
    pub(super) fn before(self, next: &Arc<Shared>, is_kept: bool) -> Self {
        Self {
            next: Some(Arc::clone(next)),
            is_kept,
            ..self
        }
    }

    /// Hands over `entries`, oldest first. Never waits for the output: what finds no room is left out, and the log says
    /// how much that was. That executions started and finished is left out last, however much they printed, and so is what
    /// jobs did. All entries take up the room of the first one's function.
    pub fn push(&self, mut entries: Vec<Entry>) {
        let mut room = batch(&entries);
        let mut state = self.shared.lock();
        if state.closing.is_some() || !state.room.has_place(function(&entries), room) {
            entries = self.without_the_rest(entries, &mut state);
            room = batch(&entries);
        }
        let Some(first) = entries.first() else {
            return;
        };
        state.room.take(&first.function, room);
        state.accept(entries);
        let is_awaited = state.is_awaited();
        drop(state);
        if is_awaited {
            self.shared.wake.notify_one();
        }
    }

    /// Of `entries`, which find no room, those that do without the rest.
    fn without_the_rest(&self, entries: Vec<Entry>, state: &mut State) -> Vec<Entry> {
        let (mut kept, mut lost): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(Entry::is_left_out_last);
        if state.closing.is_some() || !state.room.has_last_place(batch(&kept)) {
            lost.append(&mut kept);
        }
        state.lose(&lost);
        let (counts, count) = (&self.shared.counts, lost.len() as u64);
        counts.dropped.fetch_add(count, Ordering::Relaxed);
        // Counted now: the reader may be held up by the disk for as long as that takes.
        if self.is_kept {
            counts.kept.lose(count);
        }
        kept
    }

    /// Blocks until the writer is done with all that was pushed before, `limit` at the longest for each thread that has
    /// to do with it; tells whether it is.
    pub fn flush(&self, limit: Duration) -> bool {
        let next = self.next.as_ref();
        self.shared.flush(limit) && next.is_none_or(|next| next.flush(limit))
    }

    /// How many entries were written to stdout since the start.
    pub fn written(&self) -> u64 {
        self.shared.counts.written.load(Ordering::Relaxed)
    }

    /// How many entries stdout did not get since the start, for want of room or because it was gone.
    pub fn dropped(&self) -> u64 {
        self.shared.counts.dropped.load(Ordering::Relaxed)
    }

    /// How many entries were kept on disk.
    pub fn kept(&self) -> &KeptCounts {
        &self.shared.counts.kept
    }

    /// How much was sent on to a collector.
    pub fn exported(&self) -> &ExportCounts {
        &self.shared.counts.exported
    }
}

/// What the queue's handles and its reader have in common.
pub(super) struct Shared {
    /// Held for a few instructions at a time, whatever the output does.
    state: Mutex<State>,
    /// Something for the reader to do.
    wake: Condvar,
    /// The reader is done with something.
    progress: Condvar,
    counts: Arc<Counts>,
}

struct State {
    room: Room,
    waiting: Vec<Vec<Entry>>,
    lost: Lost,
    /// Batches let in, and batches that the reader is done with, since the start.
    accepted: u64,
    settled: u64,
    /// Entries let in that the reader is not done with.
    entries: u64,
    flushes: usize,
    is_reader_idle: bool,
    is_reader_resting: bool,
    closing: Option<Closing>,
    has_ended: bool,
}

struct Closing {
    since: Instant,
    limit: Duration,
}

/// Whose room `entries` take up: that of the first one's function.
fn function(entries: &[Entry]) -> &str {
    entries.first().map_or("", |first| &*first.function)
}

fn batch(entries: &[Entry]) -> Bounds {
    Bounds::batch(entries.iter().map(Entry::weight).sum())
}

impl State {
    fn accept(&mut self, entries: Vec<Entry>) {
        self.accepted += 1;
        self.entries += entries.len() as u64;
        self.waiting.push(entries);
    }

    /// Whether the reader waits for what has just been let in; once for each time that it waits.
    fn is_awaited(&mut self) -> bool {
        let is_resting = self.is_reader_resting && self.room.is_filling();
        if is_resting {
            self.is_reader_resting = false;
        }
        std::mem::take(&mut self.is_reader_idle) || is_resting
    }

    fn settle(&mut self, done: &Done) {
        self.settled += done.batches;
        self.entries -= done.entries;
        self.room.give_back(done);
    }

    fn lose(&mut self, entries: &[Entry]) {
        // At the end the reader does not wait for what might still be lost.
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

impl Shared {
    fn new(bounds: Bounds, counts: &Arc<Counts>) -> Self {
        Self {
            state: Mutex::new(State {
                room: Room::new(bounds),
                waiting: Vec::new(),
                lost: Lost::new(),
                accepted: 0,
                settled: 0,
                entries: 0,
                flushes: 0,
                is_reader_idle: false,
                is_reader_resting: false,
                closing: None,
                has_ended: false,
            }),
            wake: Condvar::new(),
            progress: Condvar::new(),
            counts: Arc::clone(counts),
        }
    }

    fn flush(&self, limit: Duration) -> bool {
        let mut state = self.lock();
        let goal = state.accepted;
        state.flushes += 1;
        self.wake.notify_one();
        let mut state = self.wait_for(state, limit, |state| state.settled >= goal);
        state.flushes -= 1;
        state.settled >= goal
    }
}

/// The reader's side.
impl Shared {
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
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
            state.is_reader_idle = true;
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
        state.is_reader_idle = false;
        std::mem::swap(&mut state.waiting, batches);
        Some(std::mem::take(&mut state.lost))
    }

    /// Makes room: the reader has nothing more to do with what is `done`.
    pub(super) fn settle(&self, done: &Done) {
        self.lock().settle(done);
        self.progress.notify_all();
    }

    /// Lets entries gather for `time`, unless someone waits for them or they take up much of the room.
    pub(super) fn rest(&self, time: Duration) {
        let mut state = self.lock();
        state.is_reader_resting = true;
        let goes_on = |state: &mut State| {
            state.flushes == 0 && state.closing.is_none() && !state.room.is_filling()
        };
        let rested = self.wake.wait_timeout_while(state, time, goes_on);
        let (mut state, _) = rested.unwrap_or_else(PoisonError::into_inner);
        state.is_reader_resting = false;
    }

    /// Whether the end has been put off for as long as it may.
    pub(super) fn is_overdue(&self) -> bool {
        let state = self.lock();
        let closing = state.closing.as_ref();
        closing.is_some_and(|closing| closing.since.elapsed() >= closing.limit)
    }

    /// The reader is no more.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.progress.notify_all();
    }

    /// Lets nothing more in, and gives the reader `limit` for what waits. Only the first call counts.
    pub(super) fn close(&self, limit: Duration) {
        let since = Instant::now();
        self.lock().closing.get_or_insert(Closing { since, limit });
        self.wake.notify_one();
    }

    /// Blocks until the reader is no more, `limit` at the longest; tells how many entries it is not done with.
    pub(super) fn wait_for_end(&self, limit: Duration) -> u64 {
        let state = self.wait_for(self.lock(), limit, |state| state.has_ended);
        state.entries
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
mod tests;
