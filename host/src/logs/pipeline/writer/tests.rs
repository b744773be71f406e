use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::segments::Retention;
use crate::logs::test_support::{CapturedOutput, Scratch};
use crate::logs::{Entry, Query, Severity, StoredEntry, Trace, read};
use host_sandbox::{Line, Stream};
use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::SystemTime;

/// A time limit that no test reaches.
const LIMIT: Duration = Duration::from_secs(30);

/// Reports each write, and blocks it until the test drops its end of `release`.
struct Stuck {
    entered: Sender<()>,
    release: Receiver<()>,
    captured: CapturedOutput,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.entered.send(());
        let _ = self.release.recv();
        self.captured.write(bytes)
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

#[test]
fn a_thread_that_ends_by_a_fault_is_named() {
    struct Faulty;
    impl Write for Faulty {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("as meant")
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (named, name) = channel();
    let others = Destinations {
        on_fault: Some(Arc::new(move |name| drop(named.send(name.to_owned())))),
        ..Destinations::default()
    };
    let (queue, _writer) = start_with(LogFormat::Json, Faulty, others, QueueSize::default());
    queue.push(vec![printed("hello", "any")]);
    assert_eq!(name.recv_timeout(LIMIT).unwrap(), "stdout");
}

fn start(
    format: LogFormat,
    output: impl Write + Send + 'static,
    limit: QueueSize,
) -> (LogQueue, LogWriter) {
    start_with(format, output, Destinations::default(), limit)
}

fn start_with(
    format: LogFormat,
    output: impl Write + Send + 'static,
    others: Destinations,
    limit: QueueSize,
) -> (LogQueue, LogWriter) {
    let renderer = Renderer::new(format, "hello", false);
    let sink = Sink::new(Box::new(output));
    LogWriter::start(renderer, sink, others, limit).unwrap()
}

/// A writer that is blocked in its first write, and the sender whose drop unblocks it.
fn stuck(limit: QueueSize) -> (LogQueue, LogWriter, Sender<()>, CapturedOutput) {
    let captured = CapturedOutput::default();
    let (entered, inside) = channel();
    let (let_go, release) = channel();
    let output = Stuck {
        entered,
        release,
        captured: captured.clone(),
    };
    let (queue, writer) = start(LogFormat::Json, output, limit);
    queue.push(vec![printed("hello", "first")]);
    inside.recv().unwrap();
    (queue, writer, let_go, captured)
}

fn printed(function: &str, text: &str) -> Entry {
    let line = Line {
        time: SystemTime::now(),
        stream: Stream::Stdout,
        text: text.into(),
        context: String::new(),
        remedy: None,
    };
    Entry::printed(function.into(), ExecutionId::random(), line)
}

#[test]
fn closing_writes_everything_that_was_pushed_in_order() {
    let captured = CapturedOutput::default();
    let (queue, writer) = start(LogFormat::Json, captured.clone(), QueueSize::default());
    for number in 0..1000 {
        queue.push(vec![printed("hello", &format!("line {number}."))]);
    }
    writer.close(LIMIT);
    let text = captured.text();
    assert_eq!(text.lines().count(), 1000);
    for (number, line) in text.lines().enumerate() {
        assert!(line.contains(&format!("line {number}.")));
    }
    assert_eq!((queue.written(), queue.dropped()), (1000, 0));
}

#[test]
fn a_table_begins_with_its_header_before_there_is_an_entry() {
    let captured = CapturedOutput::default();
    let (_queue, writer) = start(LogFormat::Table, captured.clone(), QueueSize::default());
    writer.close(LIMIT);
    assert_eq!(
        captured.text(),
        "LEVEL  NAME   EXECUTION_ID  TIME_UTC                 LOG\n"
    );
}

#[test]
fn a_flush_returns_when_all_is_written() {
    let captured = CapturedOutput::default();
    let (queue, _writer) = start(LogFormat::Json, captured.clone(), QueueSize::default());
    for number in 0..10 {
        queue.push(vec![printed("hello", &format!("line {number}."))]);
        assert!(queue.flush(LIMIT));
        assert!(captured.text().contains(&format!("line {number}.")));
    }
}

#[test]
fn a_blocked_output_delays_nobody_and_missing_entries_are_reported() {
    let limit = QueueSize {
        batches: 10,
        ..QueueSize::default()
    };
    let (queue, writer, let_go, captured) = stuck(limit);
    for _ in 0..100 {
        queue.push(vec![printed("hello", "a"), printed("other", "b")]);
    }
    assert!(!queue.flush(Duration::ZERO));
    drop(let_go);
    writer.close(LIMIT);
    let text = captured.text();
    let is_reported = |function: &str, count: u64| {
        text.lines().any(|line| {
            line.contains(&format!(
                "\"{count} log entries of this function were left out"
            )) && line.contains(&format!("\"function_name\":\"{function}\""))
                && line.contains("\"severity\":\"WARNING\"")
        })
    };
    let written = text.matches("\"textPayload\":\"a\"").count() as u64;
    assert!(written <= 10);
    assert!(is_reported("hello", 100 - written) && is_reported("other", 100 - written));
    assert_eq!(queue.dropped(), 2 * (100 - written));
    assert_eq!(queue.written(), 1 + 2 * written);
}

#[test]
fn the_bytes_that_wait_for_a_blocked_output_are_bounded() {
    let (queue, _writer, _let_go, _captured) = stuck(QueueSize::default());
    let large = "x".repeat(1 << 20);
    for _ in 0..40 {
        queue.push(vec![printed("hello", &large)]);
    }
    assert_eq!(queue.dropped(), 40 - 16, "half of the capacity");
}

#[test]
fn a_close_waits_no_longer_than_its_limit() {
    let (_queue, writer, _let_go, captured) = stuck(QueueSize::default());
    writer.close(Duration::from_millis(1));
    assert_eq!(captured.text(), "");
}

/// Destinations with a log on disk, and its directory.
fn on_disk() -> (Destinations, Scratch) {
    let directory = Scratch::new();
    let segments = SegmentWriter::open(&directory, Retention::default()).unwrap();
    let others = Destinations {
        segments: Some(segments),
        ..Destinations::default()
    };
    (others, directory)
}

fn stored(directory: &Scratch) -> Vec<StoredEntry> {
    let query = Query {
        limit: usize::MAX,
        ..Query::default()
    };
    read(directory, &query).unwrap().entries
}

#[test]
fn what_is_said_to_be_stored_is_even_if_stdout_accepts_nothing() {
    let (others, directory) = on_disk();
    let (_let_go, release) = channel();
    let output = Stuck {
        entered: channel().0,
        release,
        captured: CapturedOutput::default(),
    };
    let start = |others, limit| start_with(LogFormat::Json, Box::new(io::sink()), others, limit);
    let (queue, _writer) = start_with(
        LogFormat::Json,
        Box::new(output),
        others,
        QueueSize::default(),
    );
    assert!(queue.store(vec![printed("hello", "said"); 3], LIMIT));
    assert_eq!(stored(&directory).len(), 3);
    let none = QueueSize {
        batches: 0,
        bytes: 0,
    };
    let (queue, _writer) = start(on_disk().0, none);
    assert!(
        !queue.store(vec![printed("hello", "said")], LIMIT),
        "dropped"
    );
    let (queue, _writer) = start(Destinations::default(), QueueSize::default());
    assert!(
        !queue.store(vec![printed("hello", "said")], LIMIT),
        "no disk"
    );
}

#[test]
fn a_table_on_stdout_is_of_functions_and_json_is_of_all_logs() {
    for (format, lines) in [(LogFormat::Table, 0), (LogFormat::Json, 1)] {
        let mut out = Vec::new();
        let entry = Entry::audit(
            "owner did it".into(),
            Severity::Notice,
            serde_json::Map::new(),
            "project".into(),
            std::collections::BTreeMap::new(),
        );
        Renderer::new(format, "hello", false).render(&entry, &mut out);
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), lines);
    }
}

#[test]
fn everything_is_stored_when_stdout_accepts_nothing() {
    for kind in [
        None,
        Some(io::ErrorKind::StorageFull),
        Some(io::ErrorKind::BrokenPipe),
    ] {
        let (others, directory) = on_disk();
        let (_let_go, release) = channel();
        let output: Box<dyn Write + Send> = match kind {
            Some(kind) => Box::new(Failing(kind)),
            None => Box::new(Stuck {
                entered: channel().0,
                release,
                captured: CapturedOutput::default(),
            }),
        };
        let (queue, writer) = start_with(LogFormat::Json, output, others, QueueSize::default());
        for _ in 0..20 {
            queue.push((0..52).map(|_| printed("hello", "said")).collect());
        }
        writer.close(Duration::from_millis(100));
        assert_eq!(stored(&directory).len(), 1040, "{kind:?}");
        assert_eq!((queue.written(), queue.storage().stored()), (0, 1040));
    }
}

#[test]
fn entries_missing_on_stdout_are_reported_there_and_stored_on_disk() {
    let limit = QueueSize {
        batches: 10,
        ..QueueSize::default()
    };
    let (others, directory) = on_disk();
    let captured = CapturedOutput::default();
    let (entered, inside) = channel();
    let (let_go, release) = channel();
    let output = Stuck {
        entered,
        release,
        captured: captured.clone(),
    };
    let (queue, writer) = start_with(LogFormat::Json, output, others, limit);
    queue.push(vec![printed("hello", "first")]);
    inside.recv().unwrap();
    for count in 2..=100 {
        queue.push(vec![printed("hello", "said")]);
        wait_for_stored(&queue, count);
    }
    drop(let_go);
    writer.close(LIMIT);
    assert_eq!(stored(&directory).len(), 100);
    let missing = queue.dropped();
    assert!(missing > 80, "{missing}");
    let report = format!("{missing} log entries of this function were left out");
    assert!(captured.text().contains(&report), "{}", captured.text());
}

fn wait_for_stored(queue: &LogQueue, count: u64) {
    let begun = Instant::now();
    while queue.storage().stored() < count {
        assert!(begun.elapsed() < LIMIT);
        thread::yield_now();
    }
}

#[test]
fn executions_that_a_job_caused_are_stored_and_printed_with_its_name() {
    let trace = Trace {
        trace_id: [7; 16],
        span_id: [1; 8],
    };
    for has_disk in [true, false] {
        let (others, directory) = on_disk();
        let captured = CapturedOutput::default();
        let others = if has_disk {
            others
        } else {
            Destinations::default()
        };
        let output = captured.clone();
        let (queue, writer) = start_with(LogFormat::Json, output, others, QueueSize::default());
        let note = Entry::note("nightly".into(), None, Severity::Info, "begins".into());
        queue.push(vec![note.of_job("nightly".into()).in_trace(trace)]);
        let other = Trace {
            trace_id: [8; 16],
            ..trace
        };
        for trace in [trace, other] {
            queue.push(vec![printed("hello", "said").in_trace(trace)]);
        }
        writer.close(LIMIT);
        assert_eq!(captured.text().matches("\"job_id\":\"nightly\"").count(), 2);
        let jobs: Vec<_> = stored(&directory)
            .iter()
            .map(|entry| entry.job().map(str::to_owned))
            .collect();
        let nightly = Some("nightly".to_owned());
        let expected = [nightly.clone(), nightly, None];
        assert_eq!(jobs, expected[..3 * usize::from(has_disk)]);
    }
}

#[test]
fn entries_after_the_close_are_counted_as_dropped() {
    let (queue, writer) = start(LogFormat::Json, io::sink(), QueueSize::default());
    writer.close(LIMIT);
    queue.push(vec![printed("hello", "late")]);
    assert_eq!((queue.written(), queue.dropped()), (0, 1));
}

#[test]
fn a_broken_output_drops_entries_and_delays_nothing() {
    let output = Failing(io::ErrorKind::BrokenPipe);
    let (queue, writer) = start(LogFormat::Json, output, QueueSize::default());
    queue.push(vec![printed("hello", "lost")]);
    assert!(queue.flush(LIMIT));
    queue.push(vec![printed("hello", "lost too")]);
    writer.close(LIMIT);
    assert_eq!((queue.written(), queue.dropped()), (0, 2));
}

#[test]
fn an_output_that_stays_full_is_given_up_at_the_close() {
    let output = Failing(io::ErrorKind::StorageFull);
    let (queue, writer) = start(LogFormat::Json, output, QueueSize::default());
    queue.push(vec![printed("hello", "lost")]);
    let to_stdout = Arc::clone(&writer.to_stdout);
    drop(writer);
    assert_eq!(to_stdout.wait_for_end(LIMIT), 0);
    assert_eq!((queue.written(), queue.dropped()), (0, 1));
}

#[test]
fn one_huge_line_after_another_is_written_whole() {
    let captured = CapturedOutput::default();
    let (queue, writer) = start(LogFormat::Table, captured.clone(), QueueSize::default());
    let huge = "\x1b\u{202e}ä".repeat(100 * 1024);
    queue.push((0..4).map(|_| printed("hello", &huge)).collect());
    writer.close(LIMIT);
    let text = captured.text();
    assert_eq!(text.lines().count(), 5);
    assert!(
        text.lines()
            .skip(1)
            .all(|row| row.ends_with("\\x1b\\u{202e}ä"))
    );
}
