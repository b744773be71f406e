//! The threads that write log entries: one for the disk and the collector, one for stdout.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::format::{LogFormat, Renderer};
use super::job_traces::JobTraces;
use super::keeper::Keeper;
use super::kept::Kept;
use super::otlp::{Collector, Exporter};
use super::printer::Printer;
use super::queue::{Bounds, Counts, LogQueue, Shared};
use super::segments::SegmentWriter;
use super::sink::Sink;
use crate::stderr::Stderr;

/// How much is rendered before it is written, in bytes.
pub(super) const CHUNK: usize = 256 * 1024;
/// After a write to stdout its thread rests this long, so that under load it wakes once for many entries.
pub(super) const REST: Duration = Duration::from_millis(5);
/// How much longer than stdout may take its end is waited for, so that what it then gives up is counted once.
const GRACE: Duration = Duration::from_millis(50);

/// Writes what comes through its queue, on threads of its own, until it is closed or dropped.
pub struct LogWriter {
    /// The thread before that of stdout, if entries go anywhere else.
    keeper: Option<Arc<Shared>>,
    printer: Arc<Shared>,
    exporter: Option<Exporter>,
}

/// How long an entry may wait to be written to disk, unless told otherwise.
pub const FLUSH_INTERVAL: Duration = Duration::from_millis(200);
/// The thread of the disk gathers entries for this part of the interval. The rest is for what else it does between two
/// writes.
const PART: u32 = 40;

/// Where entries go beside stdout.
pub struct Destinations {
    /// Where they are kept.
    pub segments: Option<SegmentWriter>,
    /// How long they may wait to be written there, as long as the disk keeps up.
    pub flush_interval: Duration,
    /// Where they are sent on to.
    pub collector: Option<Collector>,
    /// Is told the name of a thread of the log that ended by a fault of this program.
    pub on_fault: Option<OnFault>,
}

/// What is to be done when a thread ends by a fault.
pub type OnFault = Arc<dyn Fn(&'static str) + Send + Sync>;

impl Default for Destinations {
    /// Nowhere.
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
    /// Writes to stdout, in colour if it is a terminal and `NO_COLOR` is not set, and to `others` as well.
    ///
    /// `name` is the name that the table's NAME column is made for.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn stdout(
        format: LogFormat,
        name: &str,
        others: Destinations,
    ) -> io::Result<(LogQueue, Self)> {
        let sink = Sink::new(Box::new(io::stdout()), Box::new(Stderr));
        let renderer = Renderer::for_stdout(format, name);
        Self::start(renderer, sink, others, Bounds::default())
    }

    fn start(
        renderer: Renderer,
        sink: Sink,
        others: Destinations,
        bounds: Bounds,
    ) -> io::Result<(LogQueue, Self)> {
        let counts = Arc::new(Counts::default());
        let (to_stdout, printer) = LogQueue::new(bounds, &counts);
        let has_others = others.segments.is_some() || others.collector.is_some();
        let jobs = (!has_others).then(JobTraces::default);
        let run = Printer::new(Arc::clone(&printer), renderer, sink, jobs);
        spawn("stdout", others.on_fault.clone(), move || run.run())?;
        let mut writer = Self {
            keeper: None,
            printer,
            exporter: None,
        };
        if !has_others {
            return Ok((to_stdout, writer));
        }
        let export = others.collector.map(|collector| {
            let counts = Arc::clone(&counts.exported);
            Exporter::start(collector, counts, Box::new(Stderr))
        });
        let (outlet, exporter) = export.transpose()?.unzip();
        let is_kept = others.segments.is_some();
        let kept = others.segments.map(|segments| {
            let counts = Arc::clone(&counts.kept);
            Kept::new(segments, counts, Box::new(Stderr))
        });
        let (queue, shared) = LogQueue::new(bounds, &counts);
        let rest = others.flush_interval / PART;
        let run = Keeper::new(Arc::clone(&shared), (kept, outlet), to_stdout, rest);
        spawn("log", others.on_fault, move || run.run())?;
        let queue = queue.before(&writer.printer, is_kept);
        writer.keeper = Some(shared);
        writer.exporter = exporter;
        Ok((queue, writer))
    }

    /// Waits until all that was pushed is written and sent on, `limit` at the longest for the disk and stdout together and
    /// for the collector. What is pushed from now on is left out, and what did not get to an output is told.
    pub fn close(mut self, limit: Duration) {
        let until = Instant::now() + limit;
        let left = || until.saturating_duration_since(Instant::now());
        if let Some(keeper) = &self.keeper {
            keeper.close(limit);
            tell(keeper.wait_for_end(limit), "kept in time");
        }
        self.printer.close(left());
        let unprinted = self.printer.wait_for_end(left() + GRACE);
        let dropped = self.printer.counts().dropped.load(Ordering::Relaxed);
        tell(unprinted + dropped, "written to stdout");
        if let Some(exporter) = self.exporter.take() {
            exporter.close(limit);
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if let Some(keeper) = &self.keeper {
            keeper.close(Duration::ZERO);
        }
        self.printer.close(Duration::ZERO);
    }
}

fn spawn(
    name: &'static str,
    on_fault: Option<OnFault>,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let watched = move || {
        // What it was working on is not looked at again.
        let ended = panic::catch_unwind(AssertUnwindSafe(run));
        if let (Err(_), Some(on_fault)) = (ended, on_fault) {
            on_fault(name);
        }
    };
    let builder = thread::Builder::new().name(name.into());
    builder.spawn(watched).map(drop)
}

fn tell(missing: u64, what: &str) {
    if missing > 0 {
        tracing::warn!("{missing} log entries in all could not be {what}");
    }
}

#[cfg(test)]
mod tests;
