//! The thread that prints entries to stdout. Nothing but stdout waits for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::entry::Entry;
use super::format::Renderer;
use super::job_traces::JobTraces;
use super::queue::{Done, Lost, Shared};
use super::sink::Sink;
use super::structured;
use super::untold::Reason;
use super::writer::{CHUNK, REST};

/// What the thread owns.
pub(super) struct Printer {
    shared: Arc<Shared>,
    renderer: Renderer,
    sink: Sink,
    /// If entries come to no other thread before.
    jobs: Option<JobTraces>,
    buffer: Vec<u8>,
    /// What is in the buffer.
    rendered: Done,
}

impl Printer {
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
            rendered: Done::default(),
        }
    }

    pub(super) fn run(mut self) {
        self.renderer.header(&mut self.buffer);
        self.write();
        let mut batches = Vec::new();
        while let Some(lost) = self.shared.take(&mut batches, None) {
            for batch in batches.drain(..) {
                self.render(batch);
            }
            self.write();
            self.report(lost);
            self.shared.rest(REST);
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
                let lifted = structured::lift(entry);
                let entry = lifted.as_ref().unwrap_or(entry);
                self.renderer.render(entry, &mut self.buffer);
            }
            self.rendered.entry(&function, entry.weight());
            if self.buffer.len() >= CHUNK {
                self.write();
            }
        }
        self.rendered.batch(&function);
    }

    fn write(&mut self) {
        let is_overdue = || self.shared.is_overdue();
        let is_written = self.sink.write_all(&self.buffer, is_overdue);
        self.buffer.clear();
        let done = std::mem::take(&mut self.rendered);
        let counts = self.shared.counts();
        let count = match is_written {
            true => &counts.written,
            false => &counts.dropped,
        };
        count.fetch_add(done.entries, Ordering::Relaxed);
        self.shared.settle(&done);
    }

    /// Says on stdout what is missing there.
    fn report(&mut self, lost: Lost) {
        if lost.is_empty() || self.sink.is_broken() {
            return;
        }
        for (function, count) in lost {
            let note = Reason::Behind.note(&function, count);
            self.renderer.render(&note, &mut self.buffer);
        }
        self.write();
    }
}

impl Drop for Printer {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.shared.end();
    }
}
