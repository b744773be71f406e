//! The way from the workers to the writer: bounded, never waited for, nothing lost in silence.

use std::collections::{BTreeMap, HashMap};
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
            bytes: 32 * 1024 * 1024,
        }
    }
}

/// When the room counts as crowded, in quarters of it: for most entries, and for those that are left out last.
const HALF: usize = 2;
const THREE_QUARTERS: usize = 3;

/// How many functions are remembered that hold no room at the moment.
const MOST_HELD: usize = 1000;

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
    /// how much that was. That executions started and finished is left out last, however much they printed. All entries
    /// take up the room of the first one's function.
    pub fn push(&self, mut entries: Vec<Entry>) {
        let mut bytes = weight(&entries);
        let mut state = self.shared.lock();
        if !state.has_room(&entries, bytes, HALF, self.shared.bounds) {
            entries = self.without_the_rest(entries, &mut state);
            bytes = weight(&entries);
        }
        if entries.is_empty() {
            return;
        }
        state.accept(entries, bytes);
        let is_writer_idle = std::mem::take(&mut state.is_writer_idle);
        drop(state);
        if is_writer_idle {
            self.shared.wake.notify_one();
        }
    }

    /// Of `entries`, which find no room, those that do without the rest.
    fn without_the_rest(&self, entries: Vec<Entry>, state: &mut State) -> Vec<Entry> {
        let (mut kept, mut lost): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(Entry::is_start_or_finish);
        if !state.has_room(&kept, weight(&kept), THREE_QUARTERS, self.shared.bounds) {
            lost.append(&mut kept);
        }
        state.lose(&lost);
        let count = lost.len() as u64;
        self.shared.dropped.fetch_add(count, Ordering::Relaxed);
        kept
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
    /// In the batches let in that the writer is not done with: all of it, and that of each function.
    bytes: usize,
    held: HashMap<Arc<str>, usize>,
    flushes: usize,
    is_writer_idle: bool,
    closing: Option<Closing>,
    has_ended: bool,
}

struct Closing {
    since: Instant,
    limit: Duration,
}

fn weight(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::weight).sum()
}

impl State {
    /// Once `crowded` quarters of the room are taken, no function gets more than one of them, so that one that prints
    /// without end leaves room for the others.
    fn has_room(&self, entries: &[Entry], bytes: usize, crowded: usize, bounds: Bounds) -> bool {
        let is_fair = || {
            let first = entries.first();
            let held = first.and_then(|first| self.held.get(&first.function));
            self.bytes <= bounds.bytes / 4 * crowded
                || held.unwrap_or(&0).saturating_add(bytes) <= bounds.bytes / 4
        };
        self.closing.is_none()
            && self.accepted - self.settled < bounds.batches
            && self.bytes.saturating_add(bytes) <= bounds.bytes
            && is_fair()
    }

    fn accept(&mut self, entries: Vec<Entry>, bytes: usize) {
        if let Some(first) = entries.first() {
            match self.held.get_mut(&first.function) {
                Some(held) => *held += bytes,
                None => drop(self.held.insert(Arc::clone(&first.function), bytes)),
            }
        }
        self.waiting.push(entries);
        self.accepted += 1;
        self.bytes += bytes;
    }

    fn settle(&mut self, done: &Done) {
        self.settled += done.batches;
        for (function, bytes) in &done.bytes {
            self.bytes -= bytes;
            if let Some(held) = self.held.get_mut(function) {
                *held -= bytes;
            }
        }
        // Functions come and go.
        if self.waiting.is_empty() && self.held.len() > MOST_HELD {
            self.held.retain(|_, held| *held > 0);
        }
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
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub(super) batches: u64,
    pub(super) entries: u64,
    /// By the function whose room they took up.
    bytes: Vec<(Arc<str>, usize)>,
}

impl Done {
    /// An entry of this weight, in a batch that took up the room of `function`.
    pub(super) fn entry(&mut self, function: &Arc<str>, weight: usize) {
        self.entries += 1;
        match self.bytes.last_mut() {
            Some((last, bytes)) if last == function => *bytes += weight,
            _ => self.bytes.push((Arc::clone(function), weight)),
        }
    }
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
    pub(super) fn settle(&self, done: &Done, is_written: bool) {
        let count = if is_written {
            &self.written
        } else {
            &self.dropped
        };
        count.fetch_add(done.entries, Ordering::Relaxed);
        self.lock().settle(done);
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
mod tests;
