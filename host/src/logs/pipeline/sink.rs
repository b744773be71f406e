//! An output for rendered entries that handles failures.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

/// How long to wait before writing again to an output that cannot accept more.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// An output that may fail temporarily, such as a full disk, or permanently, such as a pipe without a reader. Serving
/// continues in both cases.
pub(super) struct Sink {
    /// `None` after a permanent failure.
    output: Option<Box<dyn Write + Send>>,
    is_failing: bool,
}

impl Sink {
    pub(super) fn new(output: Box<dyn Write + Send>) -> Self {
        Self {
            output: Some(output),
            is_failing: false,
        }
    }

    /// Whether it has failed permanently.
    pub(super) fn is_broken(&self) -> bool {
        self.output.is_none()
    }

    /// Writes all of `bytes`. After a temporary failure it tries again until `is_overdue`, so that no row is cut; the
    /// queue limits what accumulates meanwhile. Returns whether all was written; if not, the sink is broken.
    pub(super) fn write_all(&mut self, mut bytes: &[u8], is_overdue: impl Fn() -> bool) -> bool {
        while let Some(output) = &mut self.output {
            match write(output, bytes) {
                Ok(Some(count)) => bytes = &bytes[count..],
                Ok(None) => {
                    self.is_failing = false;
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_temporary(&error) && !is_overdue() => {
                    self.report_temporary(&error);
                    thread::sleep(RETRY_INTERVAL);
                }
                Err(error) => {
                    self.output = None;
                    tracing::error!(
                        "log entries cannot be written any more: {error}; serving continues without them"
                    );
                }
            }
        }
        false
    }

    fn report_temporary(&mut self, error: &io::Error) {
        // A slow reader is not a failure.
        if error.kind() != ErrorKind::WouldBlock && !std::mem::replace(&mut self.is_failing, true) {
            tracing::error!(
                "log entries cannot be written: {error}; serving continues, and entries wait while there is space in the queue"
            );
        }
    }
}

/// Writes once. Returns the number of bytes, or `None` if none are left and the output is flushed.
fn write(output: &mut dyn Write, bytes: &[u8]) -> io::Result<Option<usize>> {
    if bytes.is_empty() {
        return output.flush().map(|()| None);
    }
    match output.write(bytes)? {
        0 => Err(ErrorKind::WriteZero.into()),
        count => Ok(Some(count)),
    }
}

/// Whether the same write may succeed later.
fn is_temporary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics;
    use crate::logs::test_support::CapturedOutput;

    /// Accepts three bytes, then fails as scripted, then accepts everything.
    struct Scripted {
        script: Vec<ErrorKind>,
        captured: CapturedOutput,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.captured.text().is_empty() {
                return self.captured.write(&bytes[..3]);
            }
            match self.script.pop() {
                Some(kind) => Err(kind.into()),
                None => self.captured.write(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What was written, what was reported, and whether the sink returned that it wrote everything.
    fn run(script: &[ErrorKind], is_overdue: bool) -> (String, String, bool) {
        let captured = CapturedOutput::default();
        let output = Scripted {
            script: script.to_vec(),
            captured: captured.clone(),
        };
        let mut sink = Sink::new(Box::new(output));
        let (is_written, reports) =
            diagnostics::captured(|| sink.write_all(b"one row\n", || is_overdue));
        assert_eq!(sink.is_broken(), !is_written);
        (captured.text(), reports, is_written)
    }

    #[test]
    fn a_slow_reader_gets_every_byte_and_nothing_is_reported() {
        let outcome = run(&[ErrorKind::WouldBlock, ErrorKind::Interrupted], false);
        assert_eq!(outcome, ("one row\n".into(), String::new(), true));
    }

    #[test]
    fn a_full_disk_is_reported_once_and_written_to_again() {
        let (text, reports, is_written) = run(&[ErrorKind::StorageFull; 3], false);
        assert_eq!((text.as_str(), is_written), ("one row\n", true));
        assert_eq!(reports.lines().count(), 1);
        assert!(reports.starts_with("error: log entries cannot be written: "));
    }

    #[test]
    fn writing_stops_at_the_deadline() {
        let (text, reports, is_written) = run(&[ErrorKind::WouldBlock], true);
        assert_eq!((text.as_str(), is_written), ("one", false));
        assert_eq!(reports.lines().count(), 1);
    }

    #[test]
    fn a_permanent_failure_is_reported_once_and_ends_all_writing() {
        let captured = CapturedOutput::default();
        let output = Scripted {
            script: vec![ErrorKind::BrokenPipe],
            captured: captured.clone(),
        };
        let mut sink = Sink::new(Box::new(output));
        let (_, reports) = diagnostics::captured(|| {
            assert!(!sink.write_all(b"first\n", || false));
            assert!(!sink.write_all(b"second\n", || false));
        });
        assert_eq!(captured.text(), "fir");
        assert_eq!(reports.lines().count(), 1);
    }
}
