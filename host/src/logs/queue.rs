//! The way from the workers to the writer: bounded, never waited for, nothing lost in silence.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::Entry;

/// Batches that may wait, and the bytes in them.
const BATCHES: usize = 16 * 1024;
const BYTES: usize = 16 * 1024 * 1024;

/// Takes entries to the writer. Cheap to clone; any thread may push.
#[derive(Clone)]
pub struct LogQueue {
    sender: SyncSender<Vec<Entry>>,
    account: Arc<Account>,
}

/// What waits, and what found no room.
#[derive(Default)]
pub(super) struct Account {
    bytes: AtomicUsize,
    lost_any: AtomicBool,
    lost: Mutex<HashMap<Arc<str>, u64>>,
}

/// A queue and its far end.
pub(super) fn queue() -> (LogQueue, Receiver<Vec<Entry>>) {
    let (sender, receiver) = sync_channel(BATCHES);
    let queue = LogQueue {
        sender,
        account: Arc::default(),
    };
    (queue, receiver)
}

impl LogQueue {
    /// Hands over `entries`, oldest first. Never waits: what finds no room is counted, and the count is logged.
    pub fn push(&self, entries: Vec<Entry>) {
        let weight = weight(&entries);
        let before = self.account.bytes.fetch_add(weight, Ordering::Relaxed);
        if before + weight > BYTES {
            return self.lose(&entries, weight);
        }
        match self.sender.try_send(entries) {
            Ok(()) => {}
            Err(TrySendError::Full(entries) | TrySendError::Disconnected(entries)) => {
                self.lose(&entries, weight);
            }
        }
    }

    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    fn lose(&self, entries: &[Entry], weight: usize) {
        self.account.bytes.fetch_sub(weight, Ordering::Relaxed);
        self.account.lose(entries);
    }
}

impl Account {
    /// Bytes in the queue.
    #[cfg(test)]
    pub(super) fn bytes_waiting(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Notes that `entries` have left the queue.
    pub(super) fn taken(&self, entries: &[Entry]) {
        self.bytes.fetch_sub(weight(entries), Ordering::Relaxed);
    }

    /// Counts `entries` as lost.
    pub(super) fn lose(&self, entries: &[Entry]) {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            *lost.entry(Arc::clone(&entry.function)).or_default() += 1;
        }
        self.lost_any.store(true, Ordering::Release);
    }

    /// How many entries of which function were lost since the last call.
    pub(super) fn take_lost(&self) -> HashMap<Arc<str>, u64> {
        if !self.lost_any.swap(false, Ordering::Acquire) {
            return HashMap::new();
        }
        std::mem::take(&mut *self.lost.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn weight(entries: &[Entry]) -> usize {
    entries.iter().map(Entry::weight).sum()
}
