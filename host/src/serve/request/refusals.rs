//! Which refused requests have a log entry of their own.
//!
//! Anyone can have requests refused, as many as the network carries. If each had its entry, they would push all others
//! out of the log. So of one kind a few a second have one, and one entry counts the rest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::counted::counted;
use crate::logs::{Entry, LogQueue, Severity};

/// What the log entry of a request begins with that got no execution.
pub(crate) const REFUSED: &str = "Request refused";

/// Entries of one kind in each [`WINDOW`], of all workers together. Compressed they are some 0.4 GB a day, so that what
/// is kept by default reaches back for weeks.
const ENTRIES: usize = 100;
const WINDOW: Duration = Duration::from_secs(1);

/// What refused requests are counted by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::serve) struct Kind {
    /// The function's name.
    pub(in crate::serve) function: Arc<str>,
    /// The word for why.
    pub(in crate::serve) word: &'static str,
}

/// Writes down refused requests, of one worker.
pub(in crate::serve) struct Refusals {
    log: LogQueue,
    /// Of one kind in a window, with an entry of their own.
    most: usize,
    /// How many there were in the window that is open, by kind. Only this worker's own thread takes the lock.
    counts: Mutex<HashMap<Kind, usize>>,
}

impl Refusals {
    /// For one of so many `workers`.
    pub(in crate::serve) fn new(log: LogQueue, workers: usize) -> Arc<Self> {
        Arc::new(Self {
            log,
            most: (ENTRIES / workers).max(1),
            counts: Mutex::default(),
        })
    }

    /// Writes down that a request was refused: by `entry`, or by counting it.
    pub(in crate::serve) fn note(self: &Arc<Self>, kind: Kind, entry: impl FnOnce() -> Entry) {
        let count = self.count(&kind);
        if count == 1 {
            let refusals = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(WINDOW).await;
                refusals.close(&kind);
            });
        }
        if count <= self.most {
            self.log.push(vec![entry()]);
        }
    }

    /// Tells what was only counted, as at the end.
    pub(in crate::serve) fn close_all(&self) {
        let counts = std::mem::take(&mut *self.lock());
        for (kind, count) in counts {
            self.tell(&kind, count);
        }
    }

    fn count(&self, kind: &Kind) -> usize {
        let mut counts = self.lock();
        if let Some(count) = counts.get_mut(kind) {
            *count += 1;
            return *count;
        }
        counts.insert(kind.clone(), 1);
        1
    }

    fn close(&self, kind: &Kind) {
        let count = self.lock().remove(kind);
        self.tell(kind, count.unwrap_or(0));
    }

    fn tell(&self, Kind { function, word }: &Kind, count: usize) {
        let more = count.saturating_sub(self.most);
        if more > 0 {
            let requests = counted(more, "more request");
            let text = format!(
                "{REFUSED}: {requests} within a second for the same reason ({word}), without an entry of their own"
            );
            let entry = Entry::note(Arc::clone(function), None, Severity::Warning, text);
            self.log.push(vec![entry]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Kind, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
