//! The thread that writes log entries.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::entry::Entry;
use super::format::{LogFormat, Renderer};
use super::queue::{self, Account, LogQueue};
use super::severity::Severity;

/// How much is rendered before it is written, in bytes.
const CHUNK: usize = 256 * 1024;
/// After a write the thread rests this long, so that under load it wakes for many entries at once.
const REST: Duration = Duration::from_millis(5);

/// Writes what comes through its queue, on a thread of its own, until all handles of the queue are gone.
pub struct LogWriter {
    done: Receiver<()>,
}

impl LogWriter {
    /// Writes to stdout: in colour if it is a terminal and `NO_COLOR` is not set.
    ///
    /// `name` is the name that the table's NAME column is made for.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn stdout(format: LogFormat, name: &str) -> io::Result<(LogQueue, Self)> {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let renderer = Renderer::new(format, name, colour);
        Self::start(renderer, Box::new(io::stdout()))
    }

    fn start(renderer: Renderer, sink: Box<dyn Write + Send>) -> io::Result<(LogQueue, Self)> {
        let (queue, entries) = queue::queue();
        let (finished, done) = sync_channel(1);
        let run = Run {
            entries,
            account: Arc::clone(queue.account()),
            renderer,
            sink,
            buffer: Vec::with_capacity(CHUNK),
            failing: false,
        };
        thread::Builder::new()
            .name("log".into())
            .spawn(move || run.run(&finished))?;
        Ok((queue, Self { done }))
    }

    /// Waits until everything is written, `limit` at the longest. All handles of the queue must be gone.
    pub fn close(self, limit: Duration) {
        if self.done.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            eprintln!("warning: the last log entries could not be written in time");
        }
    }
}

struct Run {
    entries: Receiver<Vec<Entry>>,
    account: Arc<Account>,
    renderer: Renderer,
    sink: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    /// Whether the last write failed, so that it is reported once.
    failing: bool,
}

impl Run {
    fn run(mut self, finished: &SyncSender<()>) {
        self.renderer.header(&mut self.buffer);
        self.write(&[]);
        while let Ok(first) = self.entries.recv() {
            self.write_along_with(first);
            thread::sleep(REST);
        }
        self.report_lost();
        // Nobody may be waiting.
        let _ = finished.send(());
    }

    /// Writes `batch` and what has come since, in as few writes as may be.
    fn write_along_with(&mut self, batch: Vec<Entry>) {
        let mut next = Some(batch);
        while let Some(batch) = next {
            let mut batches = vec![batch];
            self.render(&batches[0]);
            while self.buffer.len() < CHUNK
                && let Ok(batch) = self.entries.try_recv()
            {
                self.render(&batch);
                batches.push(batch);
            }
            self.write(&batches);
            self.report_lost();
            next = self.entries.try_recv().ok();
        }
    }

    fn render(&mut self, batch: &[Entry]) {
        self.account.taken(batch);
        for entry in batch {
            self.renderer.render(entry, &mut self.buffer);
        }
    }

    /// Writes the buffer; if that fails, `batches` are lost, and serving goes on.
    fn write(&mut self, batches: &[Vec<Entry>]) {
        let written = self
            .sink
            .write_all(&self.buffer)
            .and_then(|()| self.sink.flush());
        self.buffer.clear();
        match written {
            Ok(()) => self.failing = false,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    eprintln!("error: log entries cannot be written: {error}; serving goes on");
                }
                for batch in batches {
                    self.account.lose(batch);
                }
            }
        }
    }

    /// Says in the log what is missing from it.
    fn report_lost(&mut self) {
        if self.failing {
            return;
        }
        let lost = self.account.take_lost();
        if lost.is_empty() {
            return;
        }
        let mut notes = Vec::with_capacity(lost.len());
        for (function, count) in lost {
            let text = format!(
                "{count} log entries of this function were left out: the log output could not keep up"
            );
            let note = Entry::note(function, None, Severity::Warning, text);
            self.renderer.render(&note, &mut self.buffer);
            notes.push(note);
        }
        self.write(&[notes]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::{ExecutionId, Line, Stream};
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};
    use std::time::SystemTime;

    const LIMIT: Duration = Duration::from_secs(10);

    /// What was written, to be read by the test.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    /// Lets nothing through until the test says so.
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

    fn json() -> Renderer {
        Renderer::new(LogFormat::Json, "", false)
    }

    fn printed(text: &str) -> Entry {
        let line = Line {
            time: SystemTime::now(),
            stream: Stream::Stdout,
            text: text.into(),
        };
        Entry::printed("hello".into(), ExecutionId::random(), line)
    }

    #[test]
    fn closing_writes_everything_that_was_pushed_in_order() {
        let paper = Paper::default();
        let (queue, writer) = LogWriter::start(json(), Box::new(paper.clone())).unwrap();
        for number in 0..1000 {
            queue.push(vec![printed(&format!("line {number}."))]);
        }
        drop(queue);
        writer.close(LIMIT);
        let text = paper.text();
        assert_eq!(text.lines().count(), 1000);
        for (number, line) in text.lines().enumerate() {
            assert!(line.contains(&format!("line {number}.")));
        }
    }

    #[test]
    fn a_stuck_output_bounds_memory_and_the_log_says_how_much_is_missing() {
        let paper = Paper::default();
        let (entered, inside) = channel();
        let (release, released) = channel();
        let sink = Stuck {
            entered,
            release: released,
            paper: paper.clone(),
        };
        let (queue, writer) = LogWriter::start(json(), Box::new(sink)).unwrap();
        queue.push(vec![printed("first")]);
        inside.recv().unwrap();
        let large = "x".repeat(1 << 20);
        for _ in 0..40 {
            queue.push(vec![printed(&large)]);
        }
        let waiting = queue.account().bytes_waiting();
        assert!(waiting <= 16 << 20, "{waiting}");
        drop(release);
        drop(queue);
        writer.close(LIMIT);
        let text = paper.text();
        let kept = text.matches(&large).count();
        assert!(kept < 40);
        assert!(text.contains(&format!(
            "{} log entries of this function were left out",
            40 - kept
        )));
    }

    #[test]
    fn an_output_that_is_gone_loses_entries_and_nothing_else() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (queue, writer) = LogWriter::start(json(), Box::new(Gone)).unwrap();
        queue.push(vec![printed("lost")]);
        let account = Arc::clone(queue.account());
        drop(queue);
        writer.close(LIMIT);
        assert_eq!(account.take_lost().get("hello"), Some(&1));
    }
}
