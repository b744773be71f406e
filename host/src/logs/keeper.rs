//! The thread that keeps entries on disk and hands them to the exporter. What it is done with goes on to stdout, which
//! has a queue and a thread of its own: it may have nobody who reads it.

use std::sync::Arc;
use std::time::Duration;

use super::entry::Entry;
use super::job_traces::JobTraces;
use super::kept::Kept;
use super::otlp::Outlet;
use super::queue::{Done, LogQueue, Lost, Shared};
use super::structured;
use super::untold::Reason;
use super::writer::CHUNK;

/// How often kept entries are looked after when there are no new ones.
const IDLE: Duration = Duration::from_secs(1);
/// How often while closed segments wait to be compressed: 50 MB a second of them.
const BEHIND: Duration = Duration::from_millis(20);

/// What the thread owns.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    kept: Option<Kept>,
    outlet: Option<Outlet>,
    jobs: JobTraces,
    /// To stdout.
    next: LogQueue,
    /// What was rendered since the last write, and the batches that came to their end with it.
    rendered: Done,
    through: Vec<Vec<Entry>>,
    /// How long entries gather after a write.
    rest: Duration,
}

impl Keeper {
    pub(super) fn new(
        shared: Arc<Shared>,
        (kept, outlet): (Option<Kept>, Option<Outlet>),
        next: LogQueue,
        rest: Duration,
    ) -> Self {
        Self {
            shared,
            kept,
            outlet,
            jobs: JobTraces::default(),
            next,
            rendered: Done::default(),
            through: Vec::new(),
            rest,
        }
    }

    pub(super) fn run(mut self) {
        let mut batches = Vec::new();
        while let Some(lost) = self.shared.take(&mut batches, Some(self.idle())) {
            let is_idle = batches.is_empty() && lost.is_empty();
            for batch in batches.drain(..) {
                self.render(batch);
            }
            self.write();
            self.report(lost);
            if let Some(kept) = &mut self.kept {
                kept.step();
            }
            if !is_idle {
                self.shared.rest(self.rest);
            }
        }
        if let Some(kept) = &mut self.kept {
            kept.finish();
        }
    }

    fn idle(&self) -> Duration {
        match &self.kept {
            Some(kept) if kept.is_behind() => BEHIND,
            _ => IDLE,
        }
    }

    fn render(&mut self, mut batch: Vec<Entry>) {
        let Some(function) = batch.first().map(|first| Arc::clone(&first.function)) else {
            return;
        };
        for entry in &mut batch {
            self.jobs.label(entry);
            // Not handed on as it is lifted: a value takes up many times the room of its text.
            let lifted = structured::lift(entry);
            self.render_entry(lifted.as_ref().unwrap_or(entry));
            self.rendered.entry(&function, entry.weight());
            let kept = self.kept.as_ref().map_or(0, Kept::waiting);
            let sent = self.outlet.as_ref().map_or(0, Outlet::waiting);
            if kept.max(sent) >= CHUNK {
                self.write();
            }
        }
        self.rendered.batch(&function);
        self.through.push(batch);
    }

    fn render_entry(&mut self, entry: &Entry) {
        if let Some(kept) = &mut self.kept {
            kept.render(entry);
        }
        if let Some(outlet) = &mut self.outlet {
            outlet.render(entry);
        }
    }

    /// Writes what is rendered, and hands on what is done.
    fn write(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.write();
        }
        if let Some(outlet) = &mut self.outlet {
            outlet.write();
        }
        self.shared.settle(&std::mem::take(&mut self.rendered));
        for batch in self.through.drain(..) {
            self.next.push(batch);
        }
    }

    /// Counts what came to none of the outputs, and says so in all of them.
    fn report(&mut self, lost: Lost) {
        if lost.is_empty() {
            return;
        }
        for (function, count) in lost {
            // It is told there as soon as the disk takes something.
            if let Some(kept) = &mut self.kept {
                kept.leave_out(&function, count);
            }
            let note = Reason::Behind.note(&function, count);
            if let Some(outlet) = &mut self.outlet {
                outlet.leave_out(count);
                outlet.render(&note);
            }
            self.through.push(vec![note]);
        }
        self.write();
    }
}

impl Drop for Keeper {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.shared.end();
    }
}
