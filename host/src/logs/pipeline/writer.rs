//! Starts and ends the threads that write log entries: one for the disk and the collector, one for stdout.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::counts::PipelineCounts;
use super::disk_output::DiskOutput;
use super::job_traces::JobTraces;
use super::queue::{LogQueue, QueueSize, Shared};
use super::sink::Sink;
use super::stdout_thread::StdoutThread;
use super::storage_thread::StorageThread;
use crate::logs::forms::LogFormat;
use crate::logs::forms::stdout_format::Renderer;
use crate::logs::otlp::{Collector, Exporter};
use crate::logs::segments::SegmentWriter;

/// How much longer than its limit the stdout thread is waited for, so that it can count what it gave up.
const GRACE: Duration = Duration::from_millis(50);

/// The threads that write the entries of a [`LogQueue`], until this is closed or dropped.
pub struct LogWriter {
    /// The queue of the storage thread, if entries go to the disk or to a collector.
    to_storage: Option<Arc<Shared>>,
    to_stdout: Arc<Shared>,
    exporter: Option<Exporter>,
}

/// The default of [`Destinations::flush_interval`].
pub const FLUSH_INTERVAL: Duration = Duration::from_millis(200);
/// The storage thread gathers entries for this fraction of the flush interval. The rest of the interval is for its
/// other work between two writes.
const GATHERING: u32 = 40;

/// Where entries go in addition to stdout.
pub struct Destinations {
    /// Stores them on disk.
    pub segments: Option<SegmentWriter>,
    /// How long an entry may wait to be written to disk, if the disk is fast enough.
    pub flush_interval: Duration,
    /// Receives them by OTLP.
    pub collector: Option<Collector>,
    /// Called with the name of a log thread that panicked.
    pub on_fault: Option<OnFault>,
}

/// Called when a thread panicked, with its name.
pub type OnFault = Arc<dyn Fn(&'static str) + Send + Sync>;

impl Default for Destinations {
    /// No other destination.
    fn default() -> Self {
        Self {
            segments: None,
            flush_interval: FLUSH_INTERVAL,
            collector: None,
            on_fault: None,
        }
    }
}

impl LogWriter {
    /// Starts the threads that write to stdout and to `others`. A table on stdout is coloured if stdout is a terminal
    /// and `NO_COLOR` is not set; its NAME column is as wide as `name`.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn stdout(
        format: LogFormat,
        name: &str,
        others: Destinations,
    ) -> io::Result<(LogQueue, Self)> {
        let sink = Sink::new(Box::new(io::stdout()));
        let renderer = Renderer::for_stdout(format, name);
        Self::start(renderer, sink, others, QueueSize::default())
    }

    fn start(
        renderer: Renderer,
        sink: Sink,
        others: Destinations,
        limit: QueueSize,
    ) -> io::Result<(LogQueue, Self)> {
        let counts = Arc::new(PipelineCounts::default());
        let (stdout_queue, to_stdout) = LogQueue::new(limit, &counts);
        let has_others = others.segments.is_some() || others.collector.is_some();
        let jobs = (!has_others).then(JobTraces::default);
        let thread = StdoutThread::new(Arc::clone(&to_stdout), renderer, sink, jobs);
        spawn("stdout", others.on_fault.clone(), move || thread.run())?;
        let mut writer = Self {
            to_storage: None,
            to_stdout,
            exporter: None,
        };
        if !has_others {
            return Ok((stdout_queue, writer));
        }
        let export = others.collector.map(|collector| {
            let counts = Arc::clone(&counts.exported);
            Exporter::start(collector, counts)
        });
        let (export, exporter) = export.transpose()?.unzip();
        let is_stored = others.segments.is_some();
        let disk = others.segments.map(|segments| {
            let counts = Arc::clone(&counts.stored);
            DiskOutput::new(segments, counts)
        });
        let (queue, to_storage) = LogQueue::new(limit, &counts);
        let pause = others.flush_interval / GATHERING;
        let shared = Arc::clone(&to_storage);
        let thread = StorageThread::new(shared, disk, export, stdout_queue, pause);
        spawn("log", others.on_fault, move || thread.run())?;
        let queue = queue.forwarding_to(&writer.to_stdout, is_stored);
        writer.to_storage = Some(to_storage);
        writer.exporter = exporter;
        Ok((queue, writer))
    }

    /// Ends the threads. Waits until all entries are written, at most for `limit` for the disk and stdout together, and
    /// as long again for the collector. Entries that are pushed later are dropped. Reports on stderr how many entries
    /// did not reach an output.
    pub fn close(mut self, limit: Duration) {
        let until = Instant::now() + limit;
        let left = || until.saturating_duration_since(Instant::now());
        if let Some(to_storage) = &self.to_storage {
            to_storage.close(limit);
            warn(to_storage.wait_for_end(limit), "kept in time");
        }
        self.to_stdout.close(left());
        let unwritten = self.to_stdout.wait_for_end(left() + GRACE);
        let dropped = self.to_stdout.counts().dropped.load(Ordering::Relaxed);
        warn(unwritten + dropped, "written to stdout");
        if let Some(exporter) = self.exporter.take() {
            exporter.close(limit);
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if let Some(to_storage) = &self.to_storage {
            to_storage.close(Duration::ZERO);
        }
        self.to_stdout.close(Duration::ZERO);
    }
}

fn spawn(
    name: &'static str,
    on_fault: Option<OnFault>,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let guarded = move || {
        // The state of the thread is not used after a panic.
        let ended = panic::catch_unwind(AssertUnwindSafe(run));
        if let (Err(_), Some(on_fault)) = (ended, on_fault) {
            on_fault(name);
        }
    };
    let builder = thread::Builder::new().name(name.into());
    builder.spawn(guarded).map(drop)
}

fn warn(missing: u64, what: &str) {
    if missing > 0 {
        tracing::warn!("{missing} log entries in all could not be {what}");
    }
}

#[cfg(test)]
mod tests;
