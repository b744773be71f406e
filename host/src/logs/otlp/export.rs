//! The thread that sends records to the collector, and its bounded queue.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::batch::{Batch, EntryRecords};
use super::collector::{Collector, SendError, Signal};
use super::counts::ExportCounts;
use crate::logs::entry::Entry;

/// How many bytes may wait to be sent.
const MAX_WAITING_BYTES: usize = 16 * 1024 * 1024;
/// How many log records a batch has, and about how many bytes. Collectors accept a few mebibytes.
const MAX_BATCH_RECORDS: u64 = 4096;
const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// How long the first record of a batch waits for others.
const LINGER: Duration = Duration::from_secs(1);
/// The first and the longest wait before a request is repeated, and for how long it is repeated.
const MIN_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(30);
const MAX_RETRY_TIME: Duration = Duration::from_secs(300);
/// The wait before a request is repeated during the close, when little time is left.
const CLOSE_BACKOFF: Duration = Duration::from_millis(200);

/// The state that both threads share.
#[derive(Default)]
struct Shared {
    counts: Arc<ExportCounts>,
    /// The size of the records that are not yet in a message.
    waiting: AtomicUsize,
    end: Mutex<End>,
    /// Notified when the close begins and when the thread has ended.
    changed: Condvar,
}

#[derive(Default)]
struct End {
    /// When the thread must give up, once the close has begun.
    deadline: Option<Instant>,
    has_ended: bool,
}

/// Records that are handed over together, and their size in bytes.
#[derive(Default)]
struct Chunk {
    records: Vec<EntryRecords>,
    size: usize,
}

/// Hands records to the thread.
pub(in crate::logs) struct ExportSender {
    shared: Arc<Shared>,
    sender: Sender<Chunk>,
    chunk: Chunk,
}

/// The handle of the thread.
pub(in crate::logs) struct Exporter {
    shared: Arc<Shared>,
    collector: String,
}

impl Exporter {
    /// Starts the thread. It reports failures, each signal once until it succeeds again.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub(in crate::logs) fn start(
        collector: Collector,
        counts: Arc<ExportCounts>,
    ) -> io::Result<(ExportSender, Self)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (sender, receiver) = mpsc::channel();
        let shared = Arc::new(Shared {
            counts,
            ..Shared::default()
        });
        let exporter = Self {
            shared: Arc::clone(&shared),
            collector: collector.to_string(),
        };
        let export = ExportSender {
            shared: Arc::clone(&shared),
            sender,
            chunk: Chunk::default(),
        };
        let run = Run {
            shared,
            receiver,
            collector,
            runtime,
            instance: format!("{:032x}", rand::random::<u128>()),
            failing: Failing::default(),
        };
        thread::Builder::new()
            .name("otlp".into())
            .spawn(move || run.run())?;
        Ok((export, exporter))
    }

    /// Waits until all records are sent, at most for `limit`. The [`ExportSender`] must be dropped before.
    pub(in crate::logs) fn close(self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut end = self.shared.end();
        end.deadline = Some(deadline);
        self.shared.changed.notify_all();
        while !end.has_ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!(
                    "the last log entries could not be sent to {} in time",
                    self.collector
                );
                return;
            }
            end = self.shared.wait(end, left);
        }
    }
}

impl ExportSender {
    /// Adds the records of `entry` to the next chunk.
    pub(in crate::logs) fn render(&mut self, entry: &Entry) {
        let records = EntryRecords::of(entry);
        self.chunk.size += records.size();
        self.chunk.records.push(records);
    }

    /// The approximate size of the next chunk, in bytes.
    pub(in crate::logs) fn pending(&self) -> usize {
        self.chunk.size
    }

    /// Counts entries that were dropped before they reached this output.
    pub(in crate::logs) fn count_lost(&self, entries: u64) {
        self.shared.counts.logs.add(0, entries);
    }

    /// Hands the chunk to the thread. It is dropped if too much is waiting.
    pub(in crate::logs) fn write(&mut self) {
        if self.chunk.records.is_empty() {
            return;
        }
        let chunk = std::mem::take(&mut self.chunk);
        let waiting = self.shared.waiting.load(Ordering::Relaxed);
        if waiting + chunk.size > MAX_WAITING_BYTES {
            return self.shared.lose(&chunk.records);
        }
        let waiting = &self.shared.waiting;
        waiting.fetch_add(chunk.size, Ordering::Relaxed);
        if let Err(mpsc::SendError(chunk)) = self.sender.send(chunk) {
            self.shared.lose(&chunk.records);
        }
    }
}

impl Shared {
    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, end: MutexGuard<'a, End>, time: Duration) -> MutexGuard<'a, End> {
        let woken = self.changed.wait_timeout(end, time);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lose(&self, records: &[EntryRecords]) {
        let spans = records.iter().filter(|record| record.has_span()).count();
        self.counts.logs.add(0, records.len() as u64);
        self.counts.spans.add(0, spans as u64);
    }
}

/// The state of the thread.
struct Run {
    shared: Arc<Shared>,
    receiver: Receiver<Chunk>,
    collector: Collector,
    runtime: Runtime,
    /// The value of `service.instance.id`, which identifies this process.
    instance: String,
    /// The signals whose failure was reported and that were not sent since.
    failing: Failing,
}

#[derive(Default)]
struct Failing {
    logs: bool,
    traces: bool,
}

impl Failing {
    fn of(&mut self, signal: Signal) -> &mut bool {
        match signal {
            Signal::Logs => &mut self.logs,
            Signal::Traces => &mut self.traces,
        }
    }
}

impl Run {
    fn run(mut self) {
        while let Some(batch) = self.gather() {
            let (logs, spans) = (batch.logs(), batch.spans());
            let (log_message, span_message) = batch.encode(&self.instance);
            let lost = self.send(Signal::Logs, log_message, logs);
            self.shared.counts.logs.add(logs - lost, lost);
            if let Some(message) = span_message {
                let lost = self.send(Signal::Traces, message, spans);
                self.shared.counts.spans.add(spans - lost, lost);
            }
        }
    }

    /// Collects records until the batch is full or its first record has waited for [`LINGER`]. `None` when there will
    /// be no more.
    fn gather(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        let mut size = self.take(&mut batch, self.receiver.recv().ok()?);
        let since = Instant::now();
        while batch.logs() < MAX_BATCH_RECORDS && size < MAX_BATCH_BYTES {
            let left = LINGER.saturating_sub(since.elapsed());
            match self.receiver.recv_timeout(left) {
                Ok(chunk) => size += self.take(&mut batch, chunk),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Some(batch)
    }

    /// Adds a chunk to `batch`. Returns its size.
    fn take(&self, batch: &mut Batch, chunk: Chunk) -> usize {
        let waiting = &self.shared.waiting;
        waiting.fetch_sub(chunk.size, Ordering::Relaxed);
        chunk
            .records
            .into_iter()
            .for_each(|record| batch.push(record));
        chunk.size
    }

    /// Sends `message`, which has `count` records, and repeats it after temporary failures. Returns how many records
    /// were lost.
    fn send(&mut self, signal: Signal, message: Vec<u8>, count: u64) -> u64 {
        let message = Bytes::from(message);
        let begun = Instant::now();
        let mut wait = MIN_BACKOFF;
        loop {
            let sent = self.collector.send(signal, message.clone());
            let (why, after) = match self.runtime.block_on(sent) {
                Ok(None) => {
                    *self.failing.of(signal) = false;
                    return 0;
                }
                Ok(Some((rejected, why))) => {
                    self.report(signal, &format!("it rejected {rejected} of them: {why:?}"));
                    return rejected.min(count);
                }
                Err(SendError::Permanent(why)) => {
                    self.report(signal, &why);
                    return count;
                }
                Err(SendError::Temporary(why, after)) => (why, after),
            };
            self.report(signal, &why);
            let pause = pause(after, wait);
            wait = (wait * 2).min(MAX_BACKOFF);
            if begun.elapsed() + pause > MAX_RETRY_TIME || !self.pause(pause) {
                return count;
            }
        }
    }

    /// Waits for `time`, or less during the close. Returns whether there is time to try again.
    fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut end = self.shared.end();
        loop {
            let now = Instant::now();
            let until = match end.deadline {
                Some(deadline) if now >= deadline => return false,
                Some(deadline) => until.min(now + CLOSE_BACKOFF).min(deadline),
                None => until,
            };
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return true;
            }
            let is_ending = end.deadline.is_some();
            end = self.shared.wait(end, left);
            if is_ending {
                return true;
            }
        }
    }

    fn report(&mut self, signal: Signal, why: &str) {
        if !std::mem::replace(self.failing.of(signal), true) {
            let what = match signal {
                Signal::Logs => "log entries",
                Signal::Traces => "spans",
            };
            tracing::error!(
                "{what} cannot be sent to {}: {why}; serving continues, and lost records are counted",
                self.collector
            );
        }
    }
}

/// How long to wait after a failure: a random part of `wait`, so that senders that failed together do not retry
/// together, but at least as long as the collector asked for.
fn pause(asked: Option<Duration>, wait: Duration) -> Duration {
    let pause = wait.mul_f64(rand::random_range(0.5..1.0));
    asked.map_or(pause, |asked| asked.max(pause))
}

impl Drop for Run {
    /// Wakes whoever waits for the thread, also after a panic.
    fn drop(&mut self) {
        self.shared.end().has_ended = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_can_ask_for_a_longer_pause_but_not_for_a_shorter_one() {
        let second = Duration::from_secs(1);
        for asked in [None, Some(Duration::ZERO), Some(second / 4)] {
            let pause = pause(asked, second);
            assert!((second / 2..second).contains(&pause), "{pause:?}");
        }
        assert_eq!(pause(Some(second * 7), second), second * 7);
    }
}
