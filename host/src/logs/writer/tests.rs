use super::*;
use crate::execution_id::ExecutionId;
use crate::logs::Severity;
use crate::logs::entry::{Entry, Trace};
use crate::logs::paper::Paper;
use crate::logs::query::{Query, Record, read};
use crate::logs::scratch::Scratch;
use crate::logs::segments::Keeping;
use host_sandbox::{Line, Stream};
use std::io::Write;
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
    start_with(format, output, Destinations::default(), bounds)
}

fn start_with(
    format: LogFormat,
    output: impl Write + Send + 'static,
    others: Destinations,
    bounds: Bounds,
) -> (LogQueue, LogWriter) {
    let renderer = Renderer::new(format, "hello", false);
    let sink = Sink::new(Box::new(output), Box::new(io::sink()));
    LogWriter::start(renderer, sink, others, bounds).unwrap()
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
        remedy: None,
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

/// A log on disk, and its directory.
fn on_disk() -> (Destinations, Scratch) {
    let directory = Scratch::new();
    let segments = SegmentWriter::open(&directory, Keeping::default()).unwrap();
    let others = Destinations {
        segments: Some(segments),
        ..Destinations::default()
    };
    (others, directory)
}

fn kept(directory: &Scratch) -> Vec<Record> {
    let query = Query {
        limit: usize::MAX,
        ..Query::default()
    };
    read(directory, &query).unwrap().records
}

#[test]
fn everything_is_kept_where_stdout_takes_nothing() {
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
                paper: Paper::default(),
            }),
        };
        let (queue, writer) = start_with(LogFormat::Json, output, others, Bounds::default());
        for _ in 0..20 {
            queue.push((0..52).map(|_| printed("hello", "said")).collect());
        }
        writer.close(Duration::from_millis(100));
        assert_eq!(kept(&directory).len(), 1040, "{kind:?}");
        assert_eq!((queue.written(), queue.kept().kept()), (0, 1040));
    }
}

#[test]
fn what_stdout_misses_is_told_there_and_nothing_is_missing_on_disk() {
    let bounds = Bounds {
        batches: 10,
        ..Bounds::default()
    };
    let (others, directory) = on_disk();
    let paper = Paper::default();
    let (entered, inside) = channel();
    let (let_go, release) = channel();
    let output = Stuck {
        entered,
        release,
        paper: paper.clone(),
    };
    let (queue, writer) = start_with(LogFormat::Json, output, others, bounds);
    queue.push(vec![printed("hello", "first")]);
    inside.recv().unwrap();
    for count in 2..=100 {
        queue.push(vec![printed("hello", "said")]);
        wait_for_kept(&queue, count);
    }
    drop(let_go);
    writer.close(LIMIT);
    assert_eq!(kept(&directory).len(), 100);
    let missing = queue.dropped();
    assert!(missing > 80, "{missing}");
    let told = format!("{missing} log entries of this function were left out");
    assert!(paper.text().contains(&told), "{}", paper.text());
}

fn wait_for_kept(queue: &LogQueue, count: u64) {
    let begun = Instant::now();
    while queue.kept().kept() < count {
        assert!(begun.elapsed() < LIMIT);
        thread::yield_now();
    }
}

#[test]
fn executions_that_a_job_caused_are_kept_and_printed_as_its_own() {
    let trace = Trace {
        trace_id: [7; 16],
        span_id: [1; 8],
    };
    for has_disk in [true, false] {
        let (others, directory) = on_disk();
        let paper = Paper::default();
        let others = if has_disk {
            others
        } else {
            Destinations::default()
        };
        let output = paper.clone();
        let (queue, writer) = start_with(LogFormat::Json, output, others, Bounds::default());
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
        assert_eq!(paper.text().matches("\"job_id\":\"nightly\"").count(), 2);
        let jobs: Vec<_> = kept(&directory)
            .iter()
            .map(|record| record.job().map(str::to_owned))
            .collect();
        let nightly = Some("nightly".to_owned());
        let expected = [nightly.clone(), nightly, None];
        assert_eq!(jobs, expected[..3 * usize::from(has_disk)]);
    }
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
    let printer = Arc::clone(&writer.printer);
    drop(writer);
    assert_eq!(printer.wait_for_end(LIMIT), 0);
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
