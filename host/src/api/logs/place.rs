//! Where the methods find the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::{Code, Status};
use crate::logs::{Entry, JsonLines, LogQueue, Retention, SegmentWriter};

/// How long the entries of a request may take to be written.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// How many entries the queue is given at once, so that a full queue refuses few.
const BATCH: usize = 50;
/// Answers that go on with new entries, at once. Each has a thread.
const TAILS: usize = 32;

/// Where the log is, and how it is written.
#[derive(Clone)]
pub(crate) struct LogAccess {
    /// Where entries are kept; none if they are not.
    directory: Option<PathBuf>,
    /// The queue of the process that serves; none if this process does not.
    queue: Option<LogQueue>,
    tails: Arc<Semaphore>,
}

impl LogAccess {
    /// The log of the process that serves, which keeps entries in `directory`, if it does.
    pub(crate) fn served(directory: Option<PathBuf>, queue: LogQueue) -> Self {
        Self {
            queue: Some(queue),
            ..Self::of(directory)
        }
    }

    /// The log in `directory`, where no process serves; none if no entries are kept.
    pub(crate) fn of(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            queue: None,
            tails: Arc::new(Semaphore::new(TAILS)),
        }
    }

    /// Where entries are kept.
    ///
    /// # Errors
    /// If none are.
    pub(crate) fn directory(&self) -> Result<&Path, Status> {
        self.directory.as_deref().ok_or_else(|| {
            Status::new(
                Code::FailedPrecondition,
                "this host keeps no log entries; serve without --no-keep-logs",
            )
        })
    }

    /// Writes `entries`. When it returns, they are handed to the operating system.
    ///
    /// # Errors
    /// Why some of them may be missing.
    pub(crate) fn write(&self, entries: Vec<Entry>) -> Result<(), String> {
        let directory = self.directory().map_err(|status| status.message)?;
        let Some(queue) = &self.queue else {
            return append(directory, &entries);
        };
        let begun = Instant::now();
        let mut entries = entries.into_iter().peekable();
        while entries.peek().is_some() {
            let batch = entries.by_ref().take(BATCH).collect();
            if !queue.store(batch, WRITE_LIMIT.saturating_sub(begun.elapsed())) {
                return Err("the log output cannot keep up, or the disk fails".into());
            }
        }
        Ok(())
    }

    /// A place among the answers that go on with new entries.
    pub(super) fn tail(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = Arc::clone(&self.tails).try_acquire_owned();
        place.map_err(|_| {
            Status::new(
                Code::ResourceExhausted,
                format!("{TAILS} clients follow the log already; try again later"),
            )
        })
    }
}

/// Appends `entries` to the log in `directory`, which no other process writes.
fn append(directory: &Path, entries: &[Entry]) -> Result<(), String> {
    let mut segments =
        SegmentWriter::open(directory, Retention::default()).map_err(|error| error.to_string())?;
    let (mut lines, mut text) = (JsonLines::new(), Vec::new());
    for entry in entries {
        lines.line(entry, &mut text);
    }
    let appended = segments.append(&text);
    appended.map_err(|error| error.source.to_string())?;
    segments.sync().map_err(|error| error.to_string())
}
