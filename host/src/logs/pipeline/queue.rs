//! A bounded queue of entries to a thread. Pushing never waits, and dropped entries are counted.

mod capacity;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::counts::{PipelineCounts, StorageCounts};
use crate::logs::entry::Entry;
use crate::logs::otlp::ExportCounts;
use capacity::Capacity;
pub(super) use capacity::{Processed, QueueSize};

/// How many entries were dropped, by function.
pub(super) type DropCounts = BTreeMap<Arc<str>, u64>;

/// The sending side of a queue of entries. Cheap to clone; any thread may push.
#[derive(Clone)]
pub struct LogQueue {
    shared: Arc<Shared>,
    /// The queue to which the reader of this one forwards entries.
    next: Option<Arc<Shared>>,
    /// Whether its reader stores entries on disk.
    is_stored: bool,
}

impl LogQueue {
    pub(super) fn new(limit: QueueSize, counts: &Arc<PipelineCounts>) -> (Self, Arc<Shared>) {
        let shared = Arc::new(Shared::new(limit, counts));
        let queue = Self {
            shared: Arc::clone(&shared),
            next: None,
            is_stored: false,
        };
        (queue, shared)
    }

    /// Declares that the reader forwards entries to `next`, and stores them on disk if `is_stored`.
    pub(super) fn forwarding_to(self, next: &Arc<Shared>, is_stored: bool) -> Self {
        Self {
            next: Some(Arc::clone(next)),
            is_stored,
            ..self
        }
    }

    /// Pushes `entries`, oldest first. Never waits: entries beyond the capacity are dropped, and the log reports how
    /// many. The start and the end of executions and messages about jobs are dropped last. All entries count towards
    /// the share of the first one's function. Returns the number of dropped entries.
    pub fn push(&self, mut entries: Vec<Entry>) -> usize {
        let count = entries.len();
        let mut size = batch_size(&entries);
        let mut state = self.shared.lock();
        if state.closing.is_some() || !state.capacity.admits(function(&entries), size) {
            entries = self.drop_low_priority(entries, &mut state);
            size = batch_size(&entries);
        }
        let dropped = count - entries.len();
        let Some(first) = entries.first() else {
            return dropped;
        };
        state.capacity.reserve(&first.function, size);
        state.accept(entries);
        let is_awaited = state.is_awaited();
        drop(state);
        if is_awaited {
            self.shared.wake.notify_one();
        }
        dropped
    }

    /// Drops the entries that do not fit, those with a low priority first. Returns the others.
    fn drop_low_priority(&self, entries: Vec<Entry>, state: &mut QueueState) -> Vec<Entry> {
        let (mut rest, mut dropped): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(Entry::is_high_priority);
        if state.closing.is_some() || !state.capacity.admits_high_priority(batch_size(&rest)) {
            dropped.append(&mut rest);
        }
        state.count_drops(&dropped);
        let (counts, count) = (&self.shared.counts, dropped.len() as u64);
        counts.dropped.fetch_add(count, Ordering::Relaxed);
        // Counted here, because the disk may delay the reader for a long time.
        if self.is_stored {
            counts.stored.add_lost(count);
        }
        rest
    }

    /// Blocks until all entries pushed before are processed, at most for `limit` per thread. Returns whether they are.
    pub fn flush(&self, limit: Duration) -> bool {
        let next = self.next.as_ref();
        self.shared.flush(limit) && next.is_none_or(|next| next.flush(limit))
    }

    /// Pushes `entries`, and blocks until they are written to a file, at most for `limit`. Returns whether they are, as far
    /// as it is known: if other entries are lost meanwhile, it is not. Does not wait for stdout.
    pub fn store(&self, entries: Vec<Entry>, limit: Duration) -> bool {
        let lost = self.storage().lost();
        self.is_stored
            && self.push(entries) == 0
            && self.shared.flush(limit)
            && self.storage().lost() == lost
    }

    /// How many entries were written to stdout since the start.
    pub fn written(&self) -> u64 {
        self.shared.counts.written.load(Ordering::Relaxed)
    }

    /// How many entries were not written to stdout since the start, because a queue was full or stdout failed.
    pub fn dropped(&self) -> u64 {
        self.shared.counts.dropped.load(Ordering::Relaxed)
    }

    /// How many entries were stored on disk.
    pub fn storage(&self) -> &StorageCounts {
        &self.shared.counts.stored
    }

    /// How many records were sent to a collector.
    pub fn exported(&self) -> &ExportCounts {
        &self.shared.counts.exported
    }
}

/// The state that the senders and the reader share.
pub(super) struct Shared {
    /// Locked only for a few instructions, never during output.
    state: Mutex<QueueState>,
    /// Notified when there is something for the reader to do.
    wake: Condvar,
    /// Notified when the reader has processed something.
    progress: Condvar,
    counts: Arc<PipelineCounts>,
}

struct QueueState {
    capacity: Capacity,
    waiting: Vec<Vec<Entry>>,
    dropped: DropCounts,
    /// Batches that were accepted, and batches that the reader has processed, since the start.
    accepted: u64,
    processed: u64,
    /// Accepted entries that the reader has not processed.
    entries: u64,
    flushes: usize,
    is_reader_idle: bool,
    is_reader_paused: bool,
    closing: Option<Closing>,
    has_ended: bool,
}

struct Closing {
    since: Instant,
    limit: Duration,
}

/// The function to whose share `entries` count: that of the first one.
fn function(entries: &[Entry]) -> &str {
    entries.first().map_or("", |first| &*first.function)
}

fn batch_size(entries: &[Entry]) -> QueueSize {
    QueueSize::batch(entries.iter().map(Entry::size).sum())
}

impl QueueState {
    fn accept(&mut self, entries: Vec<Entry>) {
        self.accepted += 1;
        self.entries += entries.len() as u64;
        self.waiting.push(entries);
    }

    /// Whether to wake the reader for a batch that was just accepted; `true` once for each time that it waits.
    fn is_awaited(&mut self) -> bool {
        let is_pause_over = self.is_reader_paused && self.capacity.is_filling();
        if is_pause_over {
            self.is_reader_paused = false;
        }
        std::mem::take(&mut self.is_reader_idle) || is_pause_over
    }

    fn release(&mut self, processed: &Processed) {
        self.processed += processed.batches;
        self.entries -= processed.entries;
        self.capacity.release(processed);
    }

    fn count_drops(&mut self, entries: &[Entry]) {
        // After the close, the reader no longer reports drops.
        if self.closing.is_some() {
            return;
        }
        for entry in entries {
            match self.dropped.get_mut(&entry.function) {
                Some(count) => *count += 1,
                None => {
                    self.dropped.insert(Arc::clone(&entry.function), 1);
                }
            }
        }
    }
}

impl Shared {
    fn new(limit: QueueSize, counts: &Arc<PipelineCounts>) -> Self {
        Self {
            state: Mutex::new(QueueState {
                capacity: Capacity::new(limit),
                waiting: Vec::new(),
                dropped: DropCounts::new(),
                accepted: 0,
                processed: 0,
                entries: 0,
                flushes: 0,
                is_reader_idle: false,
                is_reader_paused: false,
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
        let mut state = self.wait_for(state, limit, |state| state.processed >= goal);
        state.flushes -= 1;
        state.processed >= goal
    }
}

/// The reader's side.
impl Shared {
    pub(super) fn counts(&self) -> &PipelineCounts {
        &self.counts
    }

    /// Waits for entries, at most for `idle`, and moves them into `batches`, which must be empty. Returns what was
    /// dropped since the last call, or `None` when the queue is closed and empty.
    pub(super) fn receive(
        &self,
        batches: &mut Vec<Vec<Entry>>,
        idle: Option<Duration>,
    ) -> Option<DropCounts> {
        let mut state = self.lock();
        while state.waiting.is_empty() && state.dropped.is_empty() {
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
        Some(std::mem::take(&mut state.dropped))
    }

    /// Releases the capacity of entries that the reader has processed.
    pub(super) fn release(&self, processed: &Processed) {
        self.lock().release(processed);
        self.progress.notify_all();
    }

    /// Lets entries gather for `time`, unless a flush waits for them or the queue fills.
    pub(super) fn pause(&self, time: Duration) {
        let mut state = self.lock();
        state.is_reader_paused = true;
        let goes_on = |state: &mut QueueState| {
            state.flushes == 0 && state.closing.is_none() && !state.capacity.is_filling()
        };
        let paused = self.wake.wait_timeout_while(state, time, goes_on);
        let (mut state, _) = paused.unwrap_or_else(PoisonError::into_inner);
        state.is_reader_paused = false;
    }

    /// Whether the queue is closed and the time limit of the close has passed.
    pub(super) fn is_overdue(&self) -> bool {
        let state = self.lock();
        let closing = state.closing.as_ref();
        closing.is_some_and(|closing| closing.since.elapsed() >= closing.limit)
    }

    /// Records that the reader has ended.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.progress.notify_all();
    }

    /// Accepts nothing more, and gives the reader `limit` to process what waits. Only the first call has an effect.
    pub(super) fn close(&self, limit: Duration) {
        let since = Instant::now();
        self.lock().closing.get_or_insert(Closing { since, limit });
        self.wake.notify_one();
    }

    /// Blocks until the reader has ended, at most for `limit`. Returns the number of entries that it did not process.
    pub(super) fn wait_for_end(&self, limit: Duration) -> u64 {
        let state = self.wait_for(self.lock(), limit, |state| state.has_ended);
        state.entries
    }

    fn wait_for<'a>(
        &self,
        state: MutexGuard<'a, QueueState>,
        limit: Duration,
        is_done: impl Fn(&QueueState) -> bool,
    ) -> MutexGuard<'a, QueueState> {
        let goes_on = |state: &mut QueueState| !is_done(state) && !state.has_ended;
        let waited = self.progress.wait_timeout_while(state, limit, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
