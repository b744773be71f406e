//! Where rendered entries go, and what happens when it fails.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

/// How long to wait before an output that cannot take more is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// An output that may fail: for a while, as a full disk does, or for good, as a pipe that nobody reads. Serving goes on
/// either way.
pub(super) struct Sink {
    /// Nothing once it has failed for good.
    output: Option<Box<dyn Write + Send>>,
    /// Where failures are told, once each.
    reports: Box<dyn Write + Send>,
    is_failing: bool,
}

impl Sink {
    pub(super) fn new(output: Box<dyn Write + Send>, reports: Box<dyn Write + Send>) -> Self {
        Self {
            output: Some(output),
            reports,
            is_failing: false,
        }
    }

    /// Whether nothing will be written any more.
    pub(super) fn is_broken(&self) -> bool {
        self.output.is_none()
    }

    /// Writes all of `bytes`. While the output cannot take them it is tried again, until `is_overdue`: that way a row
    /// is never cut, and the queue bounds what piles up. Tells whether they are written; if not, the sink is broken.
    pub(super) fn write_all(&mut self, mut bytes: &[u8], is_overdue: impl Fn() -> bool) -> bool {
        while let Some(output) = &mut self.output {
            match write(output, bytes) {
                Ok(Some(count)) => bytes = &bytes[count..],
                Ok(None) => {
                    self.is_failing = false;
                    return true;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if passes(&error) && !is_overdue() => {
                    self.report_passing(&error);
                    thread::sleep(RETRY);
                }
                Err(error) => {
                    self.output = None;
                    self.report(format_args!(
                        "error: log entries cannot be written any more: {error}; serving goes on without them"
                    ));
                }
            }
        }
        false
    }

    fn report_passing(&mut self, error: &io::Error) {
        // A reader that is behind is no failure.
        if error.kind() != ErrorKind::WouldBlock && !std::mem::replace(&mut self.is_failing, true) {
            self.report(format_args!(
                "error: log entries cannot be written: {error}; serving goes on, and they are kept while there is room"
            ));
        }
    }

    fn report(&mut self, text: std::fmt::Arguments<'_>) {
        // There is nowhere left to tell that this failed as well.
        let _ = self.reports.write_all(format!("{text}\n").as_bytes());
    }
}

/// One step: how many bytes were written, or nothing when none are left and the output holds back none.
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
fn passes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::paper::Paper;

    /// Takes a few bytes, then does what the script says, then takes all.
    struct Scripted {
        script: Vec<ErrorKind>,
        paper: Paper,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.paper.text().is_empty() {
                return self.paper.write(&bytes[..3]);
            }
            match self.script.pop() {
                Some(kind) => Err(kind.into()),
                None => self.paper.write(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written, what is reported, and whether the sink says it has written all.
    fn run(script: &[ErrorKind], is_overdue: bool) -> (String, String, bool) {
        let (paper, reports) = (Paper::default(), Paper::default());
        let output = Scripted {
            script: script.to_vec(),
            paper: paper.clone(),
        };
        let mut sink = Sink::new(Box::new(output), Box::new(reports.clone()));
        let is_written = sink.write_all(b"one row\n", || is_overdue);
        assert_eq!(sink.is_broken(), !is_written);
        (paper.text(), reports.text(), is_written)
    }

    #[test]
    fn a_reader_that_is_behind_gets_every_byte_and_nobody_is_bothered() {
        let outcome = run(&[ErrorKind::WouldBlock, ErrorKind::Interrupted], false);
        assert_eq!(outcome, ("one row\n".into(), String::new(), true));
    }

    #[test]
    fn a_full_disk_is_reported_once_and_tried_again() {
        let (text, reports, is_written) = run(&[ErrorKind::StorageFull; 3], false);
        assert_eq!((text.as_str(), is_written), ("one row\n", true));
        assert_eq!(reports.lines().count(), 1);
        assert!(reports.starts_with("error: log entries cannot be written: "));
    }

    #[test]
    fn what_cannot_be_written_by_the_end_is_given_up() {
        let (text, reports, is_written) = run(&[ErrorKind::WouldBlock], true);
        assert_eq!((text.as_str(), is_written), ("one", false));
        assert_eq!(reports.lines().count(), 1);
    }

    #[test]
    fn an_output_that_is_gone_is_reported_once_and_never_touched_again() {
        let (paper, reports) = (Paper::default(), Paper::default());
        let output = Scripted {
            script: vec![ErrorKind::BrokenPipe],
            paper: paper.clone(),
        };
        let mut sink = Sink::new(Box::new(output), Box::new(reports.clone()));
        assert!(!sink.write_all(b"first\n", || false));
        assert!(!sink.write_all(b"second\n", || false));
        assert_eq!(paper.text(), "fir");
        assert_eq!(reports.text().lines().count(), 1);
    }
}
