//! The thread that stores entries on disk and hands them to the exporter. It then forwards them to the queue of the
//! stdout thread.

use std::sync::Arc;
use std::time::Duration;

use super::disk_output::DiskOutput;
use super::job_traces::JobTraces;
use super::missing_entries::Reason;
use super::queue::{DropCounts, LogQueue, Processed, Shared};
use crate::logs::entry::{Entry, special_fields};
use crate::logs::otlp::ExportSender;

/// How many rendered bytes are written at once, at least, while there is more.
const CHUNK: usize = 256 * 1024;
/// The interval of segment maintenance when there are no new entries.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);
/// The interval while closed segments wait to be compressed. It gives about 50 MB/s.
const BEHIND_INTERVAL: Duration = Duration::from_millis(20);

/// The state of the thread.
pub(super) struct StorageThread {
    shared: Arc<Shared>,
    disk: Option<DiskOutput>,
    export: Option<ExportSender>,
    jobs: JobTraces,
    /// The queue of the stdout thread.
    next: LogQueue,
    /// The entries rendered since the last write, and the batches that are complete with it.
    rendered: Processed,
    complete: Vec<Vec<Entry>>,
    /// How long entries gather after a write.
    pause: Duration,
}

impl StorageThread {
    pub(super) fn new(
        shared: Arc<Shared>,
        disk: Option<DiskOutput>,
        export: Option<ExportSender>,
        next: LogQueue,
        pause: Duration,
    ) -> Self {
        Self {
            shared,
            disk,
            export,
            jobs: JobTraces::default(),
            next,
            rendered: Processed::default(),
            complete: Vec::new(),
            pause,
        }
    }

    pub(super) fn run(mut self) {
        let mut batches = Vec::new();
        while let Some(dropped) = self.shared.receive(&mut batches, Some(self.interval())) {
            let is_idle = batches.is_empty() && dropped.is_empty();
            for batch in batches.drain(..) {
                self.render(batch);
            }
            self.write();
            self.report(dropped);
            if let Some(disk) = &mut self.disk {
                disk.maintain();
            }
            if !is_idle {
                self.shared.pause(self.pause);
            }
        }
        if let Some(disk) = &mut self.disk {
            disk.finish();
        }
    }

    /// How long to wait for entries before segments are maintained.
    fn interval(&self) -> Duration {
        match &self.disk {
            Some(disk) if disk.is_behind() => BEHIND_INTERVAL,
            _ => IDLE_INTERVAL,
        }
    }

    fn render(&mut self, mut batch: Vec<Entry>) {
        let Some(function) = batch.first().map(|first| Arc::clone(&first.function)) else {
            return;
        };
        for entry in &mut batch {
            self.jobs.label(entry);
            // The parsed form is not forwarded: it takes many times the memory of the text.
            let structured = special_fields::extract(entry);
            self.render_entry(structured.as_ref().unwrap_or(entry));
            self.rendered.add_entry(&function, entry.size());
            let to_disk = self.disk.as_ref().map_or(0, DiskOutput::pending);
            let to_export = self.export.as_ref().map_or(0, ExportSender::pending);
            if to_disk.max(to_export) >= CHUNK {
                self.write();
            }
        }
        self.rendered.add_batch(&function);
        self.complete.push(batch);
    }

    fn render_entry(&mut self, entry: &Entry) {
        if let Some(disk) = &mut self.disk {
            disk.render(entry);
        }
        if let Some(export) = &mut self.export {
            export.render(entry);
        }
    }

    /// Writes what is rendered, and forwards complete batches.
    fn write(&mut self) {
        if let Some(disk) = &mut self.disk {
            disk.write();
        }
        if let Some(export) = &mut self.export {
            export.write();
        }
        self.shared.release(&std::mem::take(&mut self.rendered));
        for batch in self.complete.drain(..) {
            self.next.push(batch);
        }
    }

    /// Reports dropped entries to all outputs.
    fn report(&mut self, dropped: DropCounts) {
        if dropped.is_empty() {
            return;
        }
        for (function, count) in dropped {
            // Reported on disk as soon as it can be written to.
            if let Some(disk) = &mut self.disk {
                disk.report_missing(&function, count);
            }
            let note = Reason::Behind.note(&function, count);
            if let Some(export) = &mut self.export {
                export.count_lost(count);
                export.render(&note);
            }
            self.complete.push(vec![note]);
        }
        self.write();
    }
}

impl Drop for StorageThread {
    /// Wakes whoever waits for the thread, also after a panic.
    fn drop(&mut self) {
        self.shared.end();
    }
}
