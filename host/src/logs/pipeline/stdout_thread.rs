//! The thread that writes entries to stdout, so that a slow reader of stdout delays nothing else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::job_traces::JobTraces;
use super::missing_entries::Reason;
use super::queue::{DropCounts, Processed, Shared};
use super::sink::Sink;
use crate::logs::entry::{Entry, special_fields};
use crate::logs::forms::stdout_format::Renderer;

/// How many rendered bytes are written at once, at least, while there is more.
const CHUNK: usize = 256 * 1024;
/// The pause after a write, so that under load the thread wakes once for many entries.
const PAUSE: Duration = Duration::from_millis(5);

/// The state of the thread.
pub(super) struct StdoutThread {
    shared: Arc<Shared>,
    renderer: Renderer,
    sink: Sink,
    /// Set if there is no storage thread, which otherwise assigns entries to jobs.
    jobs: Option<JobTraces>,
    buffer: Vec<u8>,
    /// The entries in the buffer.
    rendered: Processed,
}

impl StdoutThread {
    pub(super) fn new(
        shared: Arc<Shared>,
        renderer: Renderer,
        sink: Sink,
        jobs: Option<JobTraces>,
    ) -> Self {
        Self {
            shared,
            renderer,
            sink,
            jobs,
            buffer: Vec::with_capacity(CHUNK),
            rendered: Processed::default(),
        }
    }

    pub(super) fn run(mut self) {
        self.renderer.header(&mut self.buffer);
        self.write();
        let mut batches = Vec::new();
        while let Some(dropped) = self.shared.receive(&mut batches, None) {
            for batch in batches.drain(..) {
                self.render(batch);
            }
            self.write();
            self.report(dropped);
            self.shared.pause(PAUSE);
        }
    }

    fn render(&mut self, mut batch: Vec<Entry>) {
        let Some(function) = batch.first().map(|first| Arc::clone(&first.function)) else {
            return;
        };
        for entry in &mut batch {
            if let Some(jobs) = &mut self.jobs {
                jobs.label(entry);
            }
            if !self.sink.is_broken() {
                let structured = special_fields::extract(entry);
                let entry = structured.as_ref().unwrap_or(entry);
                self.renderer.render(entry, &mut self.buffer);
            }
            self.rendered.add_entry(&function, entry.size());
            if self.buffer.len() >= CHUNK {
                self.write();
            }
        }
        self.rendered.add_batch(&function);
    }

    fn write(&mut self) {
        let is_overdue = || self.shared.is_overdue();
        let is_written = self.sink.write_all(&self.buffer, is_overdue);
        self.buffer.clear();
        let processed = std::mem::take(&mut self.rendered);
        let counts = self.shared.counts();
        let count = match is_written {
            true => &counts.written,
            false => &counts.dropped,
        };
        count.fetch_add(processed.entries, Ordering::Relaxed);
        self.shared.release(&processed);
    }

    /// Reports on stdout the entries that are missing there.
    fn report(&mut self, dropped: DropCounts) {
        if dropped.is_empty() || self.sink.is_broken() {
            return;
        }
        for (function, count) in dropped {
            let note = Reason::Behind.note(&function, count);
            self.renderer.render(&note, &mut self.buffer);
        }
        self.write();
    }
}

impl Drop for StdoutThread {
    /// Wakes whoever waits for the thread, also after a panic.
    fn drop(&mut self) {
        self.shared.end();
    }
}
