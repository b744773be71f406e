//! The thread that writes log entries.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::entry::Entry;
use super::format::{LogFormat, Renderer};
use super::kept::Kept;
use super::otlp::{Collector, Exporter, Outlet};
use super::queue::{Bounds, Done, LogQueue, Lost, Shared};
use super::segments::SegmentWriter;
use super::severity::Severity;
use super::sink::Sink;
use super::structured;

/// How much is rendered before it is written, in bytes.
const CHUNK: usize = 256 * 1024;
/// After a write the thread rests this long, so that under load it wakes once for many entries.
const REST: Duration = Duration::from_millis(5);
/// How often kept entries are looked after when there are no new ones.
const IDLE: Duration = Duration::from_secs(1);

/// Writes what comes through its queue, on a thread of its own, until it is closed or dropped.
pub struct LogWriter {
    shared: Arc<Shared>,
    exporter: Option<Exporter>,
}

/// Where entries go beside stdout.
#[derive(Default)]
pub struct Destinations {
    /// Where they are kept.
    pub segments: Option<SegmentWriter>,
    /// Where they are sent on to.
    pub collector: Option<Collector>,
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
        let sink = Sink::new(Box::new(io::stdout()), Box::new(io::stderr()));
        let renderer = Renderer::for_stdout(format, name);
        Self::start(renderer, sink, others, Bounds::default())
    }

    fn start(
        renderer: Renderer,
        sink: Sink,
        others: Destinations,
        bounds: Bounds,
    ) -> io::Result<(LogQueue, Self)> {
        let (queue, shared) = LogQueue::new(bounds);
        let counts = Arc::clone(shared.kept());
        let export = others.collector.map(|collector| {
            let counts = Arc::clone(shared.exported());
            Exporter::start(collector, counts, Box::new(io::stderr()))
        });
        let (outlet, exporter) = export.transpose()?.unzip();
        let run = Run {
            shared: Arc::clone(&shared),
            renderer,
            sink,
            kept: others
                .segments
                .map(|segments| Kept::new(segments, counts, Box::new(io::stderr()))),
            outlet,
            buffer: Vec::with_capacity(CHUNK),
            rendered: Done::default(),
        };
        thread::Builder::new()
            .name("log".into())
            .spawn(move || run.run())?;
        Ok((queue, Self { shared, exporter }))
    }

    /// Waits until all that was pushed is written and sent on, `limit` at the longest for each. What is pushed from now
    /// on is left out.
    pub fn close(mut self, limit: Duration) {
        self.shared.close(limit);
        if !self.shared.wait_for_end(limit) {
            // Not `eprintln!`: it panics where stderr is gone.
            let _ = writeln!(
                io::stderr(),
                "warning: the last log entries could not be written in time"
            );
        }
        if let Some(exporter) = self.exporter.take() {
            exporter.close(limit);
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.shared.close(Duration::ZERO);
    }
}

/// What the thread owns.
struct Run {
    shared: Arc<Shared>,
    renderer: Renderer,
    sink: Sink,
    kept: Option<Kept>,
    outlet: Option<Outlet>,
    buffer: Vec<u8>,
    /// What is in the buffer.
    rendered: Done,
}

impl Run {
    fn run(mut self) {
        self.renderer.header(&mut self.buffer);
        self.write();
        let mut batches = Vec::new();
        let idle = self.kept.is_some().then_some(IDLE);
        while let Some(lost) = self.shared.take(&mut batches, idle) {
            let is_idle = batches.is_empty() && lost.is_empty();
            for batch in batches.drain(..) {
                self.render(&batch);
            }
            self.write();
            self.report(lost);
            if let Some(kept) = &mut self.kept {
                kept.step();
            }
            if !is_idle {
                self.shared.rest(REST);
            }
        }
        if let Some(kept) = &mut self.kept {
            kept.sync();
        }
    }

    fn render(&mut self, batch: &[Entry]) {
        for entry in batch {
            if self.is_heard() {
                let structured = structured::lift(entry);
                self.render_entry(structured.as_ref().unwrap_or(entry));
            }
            self.rendered.entry(&batch[0].function, entry.weight());
            let kept = self.kept.as_ref().map_or(0, Kept::waiting);
            let sent = self.outlet.as_ref().map_or(0, Outlet::waiting);
            if self.buffer.len().max(kept).max(sent) >= CHUNK {
                self.write();
            }
        }
        self.rendered.batches += 1;
    }

    /// Whether entries come to anything.
    fn is_heard(&self) -> bool {
        self.kept.is_some() || self.outlet.is_some() || !self.sink.is_broken()
    }

    fn render_entry(&mut self, entry: &Entry) {
        if let Some(kept) = &mut self.kept {
            kept.render(entry);
        }
        if let Some(outlet) = &mut self.outlet {
            outlet.render(entry);
        }
        if !self.sink.is_broken() {
            self.renderer.render(entry, &mut self.buffer);
        }
    }

    /// Writes what is rendered: first where it is kept, for stdout may have nobody who reads it.
    fn write(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.write();
        }
        if let Some(outlet) = &mut self.outlet {
            outlet.write();
        }
        let is_written = self
            .sink
            .write_all(&self.buffer, || self.shared.is_overdue());
        self.buffer.clear();
        self.shared
            .settle(&std::mem::take(&mut self.rendered), is_written);
    }

    /// Says in the log what is missing from it.
    fn report(&mut self, lost: Lost) {
        if lost.is_empty() || !self.is_heard() {
            return;
        }
        for (function, count) in lost {
            let text = format!(
                "{count} log entries of this function were left out: the log output could not keep up"
            );
            let note = Entry::note(function, None, Severity::Warning, text);
            self.render_entry(&note);
        }
        self.write();
    }
}

impl Drop for Run {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.shared.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{ExecutionId, Line, Stream};
    use crate::logs::paper::Paper;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::SystemTime;

    /// Far more than any test needs.
    const LIMIT: Duration = Duration::from_secs(30);

    /// Says when it is written to, and lets nothing through until the test drops its end.
    struct Stuck {
        entered: Sender<()>,
        release: Receiver<()>,
        paper: Paper,
    }

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.entered.send(());
            let _ = self.release.recv();
            self.paper.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Fails every time.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start(
        format: LogFormat,
        output: impl Write + Send + 'static,
        bounds: Bounds,
    ) -> (LogQueue, LogWriter) {
        let renderer = Renderer::new(format, "hello", false);
        let sink = Sink::new(Box::new(output), Box::new(io::sink()));
        LogWriter::start(renderer, sink, Destinations::default(), bounds).unwrap()
    }

    /// A writer that is stuck in its first write, and what lets it go on.
    fn stuck(bounds: Bounds) -> (LogQueue, LogWriter, Sender<()>, Paper) {
        let paper = Paper::default();
        let (entered, inside) = channel();
        let (let_go, release) = channel();
        let output = Stuck {
            entered,
            release,
            paper: paper.clone(),
        };
        let (queue, writer) = start(LogFormat::Json, output, bounds);
        queue.push(vec![printed("hello", "first")]);
        inside.recv().unwrap();
        (queue, writer, let_go, paper)
    }

    fn printed(function: &str, text: &str) -> Entry {
        let line = Line {
            time: SystemTime::now(),
            stream: Stream::Stdout,
            text: text.into(),
        };
        Entry::printed(function.into(), ExecutionId::random(), line)
    }

    #[test]
    fn closing_writes_everything_that_was_pushed_in_order() {
        let paper = Paper::default();
        let (queue, writer) = start(LogFormat::Json, paper.clone(), Bounds::default());
        for number in 0..1000 {
            queue.push(vec![printed("hello", &format!("line {number}."))]);
        }
        writer.close(LIMIT);
        let text = paper.text();
        assert_eq!(text.lines().count(), 1000);
        for (number, line) in text.lines().enumerate() {
            assert!(line.contains(&format!("line {number}.")));
        }
        assert_eq!((queue.written(), queue.dropped()), (1000, 0));
    }

    #[test]
    fn a_table_begins_with_its_header_before_there_is_an_entry() {
        let paper = Paper::default();
        let (_queue, writer) = start(LogFormat::Table, paper.clone(), Bounds::default());
        writer.close(LIMIT);
        assert_eq!(
            paper.text(),
            "LEVEL  NAME   EXECUTION_ID  TIME_UTC                 LOG\n"
        );
    }

    #[test]
    fn a_flush_returns_when_all_is_written() {
        let paper = Paper::default();
        let (queue, _writer) = start(LogFormat::Json, paper.clone(), Bounds::default());
        for number in 0..10 {
            queue.push(vec![printed("hello", &format!("line {number}."))]);
            assert!(queue.flush(LIMIT));
            assert!(paper.text().contains(&format!("line {number}.")));
        }
    }

    #[test]
    fn a_stuck_output_holds_nobody_up_and_the_log_says_what_is_missing() {
        let bounds = Bounds {
            batches: 10,
            ..Bounds::default()
        };
        let (queue, writer, let_go, paper) = stuck(bounds);
        for _ in 0..100 {
            queue.push(vec![printed("hello", "a"), printed("other", "b")]);
        }
        assert!(!queue.flush(Duration::ZERO));
        drop(let_go);
        writer.close(LIMIT);
        let text = paper.text();
        let left_out = |function: &str, count: u64| {
            text.lines().any(|line| {
                line.contains(&format!(
                    "\"{count} log entries of this function were left out"
                )) && line.contains(&format!("\"function_name\":\"{function}\""))
                    && line.contains("\"severity\":\"WARNING\"")
            })
        };
        let kept = text.matches("\"textPayload\":\"a\"").count() as u64;
        assert!(kept <= 10);
        assert!(left_out("hello", 100 - kept) && left_out("other", 100 - kept));
        assert_eq!(queue.dropped(), 2 * (100 - kept));
        assert_eq!(queue.written(), 1 + 2 * kept);
    }

    #[test]
    fn a_stuck_output_bounds_the_bytes_that_wait() {
        let (queue, _writer, _let_go, _paper) = stuck(Bounds::default());
        let large = "x".repeat(1 << 20);
        for _ in 0..40 {
            queue.push(vec![printed("hello", &large)]);
        }
        assert_eq!(queue.dropped(), 40 - 16, "half of the room");
    }

    #[test]
    fn a_close_does_not_wait_for_ever() {
        let (_queue, writer, _let_go, paper) = stuck(Bounds::default());
        writer.close(Duration::from_millis(1));
        assert_eq!(paper.text(), "");
    }

    #[test]
    fn what_comes_after_the_close_is_counted() {
        let (queue, writer) = start(LogFormat::Json, io::sink(), Bounds::default());
        writer.close(LIMIT);
        queue.push(vec![printed("hello", "late")]);
        assert_eq!((queue.written(), queue.dropped()), (0, 1));
    }

    #[test]
    fn an_output_that_is_gone_loses_entries_and_holds_nothing_up() {
        let output = Failing(io::ErrorKind::BrokenPipe);
        let (queue, writer) = start(LogFormat::Json, output, Bounds::default());
        queue.push(vec![printed("hello", "lost")]);
        assert!(queue.flush(LIMIT));
        queue.push(vec![printed("hello", "lost too")]);
        writer.close(LIMIT);
        assert_eq!((queue.written(), queue.dropped()), (0, 2));
    }

    #[test]
    fn an_output_that_stays_full_is_given_up_at_the_end() {
        let output = Failing(io::ErrorKind::StorageFull);
        let (queue, writer) = start(LogFormat::Json, output, Bounds::default());
        queue.push(vec![printed("hello", "lost")]);
        let shared = Arc::clone(&writer.shared);
        drop(writer);
        assert!(shared.wait_for_end(LIMIT));
        assert_eq!((queue.written(), queue.dropped()), (0, 1));
    }

    #[test]
    fn one_huge_line_after_another_is_written_whole() {
        let paper = Paper::default();
        let (queue, writer) = start(LogFormat::Table, paper.clone(), Bounds::default());
        let huge = "\x1b\u{202e}ä".repeat(100 * 1024);
        queue.push((0..4).map(|_| printed("hello", &huge)).collect());
        writer.close(LIMIT);
        let text = paper.text();
        assert_eq!(text.lines().count(), 5);
        assert!(
            text.lines()
                .skip(1)
                .all(|row| row.ends_with("\\x1b\\u{202e}ä"))
        );
    }
}
