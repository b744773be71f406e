//! The way of records to the collector: bounded, never waited for, and what is lost is counted.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::batch::{Batch, Record};
use super::collector::{Collector, SendError, Signal};
use crate::logs::entry::Entry;

/// How much may wait to be sent.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How many log records are sent at once, and about how many bytes: collectors take a few mebibytes.
const MOST_AT_ONCE: u64 = 4096;
const MOST_BYTES_AT_ONCE: usize = 1024 * 1024;
/// How long the first record of a batch waits for others.
const LINGER: Duration = Duration::from_secs(1);
/// The shortest and the longest wait before a batch is sent again, and how long that goes on.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_TRY: Duration = Duration::from_secs(300);
/// The wait at the end, when little time is left.
const LAST_WAIT: Duration = Duration::from_millis(200);

/// How many records were taken by the collector, and how many were not, since the start.
#[derive(Debug, Default)]
pub struct ExportCounts {
    logs: Outcomes,
    spans: Outcomes,
}

#[derive(Debug, Default)]
struct Outcomes {
    sent: AtomicU64,
    lost: AtomicU64,
}

impl ExportCounts {
    /// Log records that were sent, and those that were lost.
    pub fn logs(&self) -> (u64, u64) {
        self.logs.read()
    }

    /// Spans that were sent, and those that were lost.
    pub fn spans(&self) -> (u64, u64) {
        self.spans.read()
    }
}

impl Outcomes {
    fn read(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (load(&self.sent), load(&self.lost))
    }

    fn add(&self, sent: u64, lost: u64) {
        self.sent.fetch_add(sent, Ordering::Relaxed);
        self.lost.fetch_add(lost, Ordering::Relaxed);
    }
}

/// What both threads see.
#[derive(Default)]
struct Shared {
    counts: Arc<ExportCounts>,
    /// The weight of what was handed over and is not yet in a message.
    waiting: AtomicUsize,
    end: Mutex<End>,
    /// The end has begun, or is there.
    changed: Condvar,
}

#[derive(Default)]
struct End {
    /// When the sender gives up, once the end has begun.
    deadline: Option<Instant>,
    has_ended: bool,
}

/// Records that are handed over together, and what they weigh.
#[derive(Default)]
struct Parcel {
    records: Vec<Record>,
    weight: usize,
}

/// The writer's side.
pub(in crate::logs) struct Outlet {
    shared: Arc<Shared>,
    sender: Sender<Parcel>,
    parcel: Parcel,
}

/// The thread that sends, as whoever ends it sees it.
pub(in crate::logs) struct Exporter {
    shared: Arc<Shared>,
    collector: String,
}

impl Exporter {
    /// Starts the thread. What goes wrong is told to `reports`, once until it goes well again.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(in crate::logs) fn start(
        collector: Collector,
        counts: Arc<ExportCounts>,
        reports: Box<dyn Write + Send>,
    ) -> io::Result<(Outlet, Self)> {
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
        let outlet = Outlet {
            shared: Arc::clone(&shared),
            sender,
            parcel: Parcel::default(),
        };
        let run = Run {
            shared,
            receiver,
            collector,
            runtime,
            reports,
            instance: format!("{:032x}", rand::random::<u128>()),
            failing: Failing::default(),
        };
        thread::Builder::new()
            .name("otlp".into())
            .spawn(move || run.run())?;
        Ok((outlet, exporter))
    }

    /// Waits until all that was handed over is sent, `limit` at the longest. The outlet is gone by then.
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

impl Outlet {
    pub(in crate::logs) fn render(&mut self, entry: &Entry) {
        let record = Record::of(entry);
        self.parcel.weight += record.weight();
        self.parcel.records.push(record);
    }

    /// About how many bytes are rendered and not handed over.
    pub(in crate::logs) fn waiting(&self) -> usize {
        self.parcel.weight
    }

    /// Counts entries that were left out before they came here.
    pub(in crate::logs) fn leave_out(&self, entries: u64) {
        self.shared.counts.logs.add(0, entries);
    }

    /// Hands over what was rendered, if there is room for it.
    pub(in crate::logs) fn write(&mut self) {
        if self.parcel.records.is_empty() {
            return;
        }
        let parcel = std::mem::take(&mut self.parcel);
        let waiting = self.shared.waiting.load(Ordering::Relaxed);
        if waiting + parcel.weight > MOST_BYTES {
            return self.shared.lose(&parcel.records);
        }
        let waiting = &self.shared.waiting;
        waiting.fetch_add(parcel.weight, Ordering::Relaxed);
        if let Err(mpsc::SendError(parcel)) = self.sender.send(parcel) {
            self.shared.lose(&parcel.records);
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

    fn lose(&self, records: &[Record]) {
        let spans = records.iter().filter(|record| record.is_span()).count();
        self.counts.logs.add(0, records.len() as u64);
        self.counts.spans.add(0, spans as u64);
    }
}

/// What the thread owns.
struct Run {
    shared: Arc<Shared>,
    receiver: Receiver<Parcel>,
    collector: Collector,
    runtime: Runtime,
    reports: Box<dyn Write + Send>,
    /// Names this process among all that send.
    instance: String,
    /// Of which signal it was told that it cannot be sent, and not yet sent again.
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

    /// What has come until a batch is full or its first record has waited long enough; nothing once all is sent.
    fn gather(&mut self) -> Option<Batch> {
        let mut batch = Batch::default();
        let mut weight = self.take(&mut batch, self.receiver.recv().ok()?);
        let since = Instant::now();
        while batch.logs() < MOST_AT_ONCE && weight < MOST_BYTES_AT_ONCE {
            let left = LINGER.saturating_sub(since.elapsed());
            match self.receiver.recv_timeout(left) {
                Ok(parcel) => weight += self.take(&mut batch, parcel),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Some(batch)
    }

    /// Adds what was handed over to `batch`, and tells what it weighs.
    fn take(&self, batch: &mut Batch, parcel: Parcel) -> usize {
        let waiting = &self.shared.waiting;
        waiting.fetch_sub(parcel.weight, Ordering::Relaxed);
        parcel
            .records
            .into_iter()
            .for_each(|record| batch.push(record));
        parcel.weight
    }

    /// Sends `message` as often as that may help, and tells how many of its `count` records were lost.
    fn send(&mut self, signal: Signal, message: Vec<u8>, count: u64) -> u64 {
        let message = Bytes::from(message);
        let begun = Instant::now();
        let mut wait = SHORTEST_WAIT;
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
                Err(SendError::Lasting(why)) => {
                    self.report(signal, &why);
                    return count;
                }
                Err(SendError::Passing(why, after)) => (why, after),
            };
            self.report(signal, &why);
            let pause = pause(after, wait);
            wait = (wait * 2).min(LONGEST_WAIT);
            if begun.elapsed() + pause > LONGEST_TRY || !self.pause(pause) {
                return count;
            }
        }
    }

    /// Waits for `time`, or less at the end; tells whether there is time left to try again.
    fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let mut end = self.shared.end();
        loop {
            let now = Instant::now();
            let until = match end.deadline {
                Some(deadline) if now >= deadline => return false,
                Some(deadline) => until.min(now + LAST_WAIT).min(deadline),
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
            // There is nowhere left to tell that this failed as well.
            let line = format!(
                "error: {what} cannot be sent to {}: {why}; serving goes on, and what is lost is counted\n",
                self.collector
            );
            let _ = self.reports.write_all(line.as_bytes());
        }
    }
}

/// How long to wait after a failure: `wait` or less, so that senders that failed together do not come back together, but
/// no shorter than the collector asks for.
fn pause(asked: Option<Duration>, wait: Duration) -> Duration {
    let pause = wait.mul_f64(rand::random_range(0.5..1.0));
    asked.map_or(pause, |asked| asked.max(pause))
}

impl Drop for Run {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.shared.end().has_ended = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_can_ask_for_a_longer_pause_and_not_for_none() {
        let second = Duration::from_secs(1);
        for asked in [None, Some(Duration::ZERO), Some(second / 4)] {
            let pause = pause(asked, second);
            assert!((second / 2..second).contains(&pause), "{pause:?}");
        }
        assert_eq!(pause(Some(second * 7), second), second * 7);
    }
}
