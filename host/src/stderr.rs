//! Lines for whoever watches the process.
//!
//! `eprintln!` panics where stderr cannot be written to: its reader is gone, or its disk is full. What the program does
//! must not depend on that, so every line goes through [`line!`](line), which gives up on a line that cannot be written.
//! Nor must a process that serves wait for a reader who takes none: after [`never_wait`] a thread of its own writes them.
//! Whatever a line quotes, nothing in it steers the terminal.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use crate::safe;

/// How much may wait to be written, in bytes.
const ROOM: usize = 1 << 20;
/// How long to wait before an output that takes nothing at the moment is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// Where lines wait, once they do.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Writes one line to stderr, if that is possible.
macro_rules! line {
    ($($arguments:tt)*) => { $crate::stderr::write_line(format_args!($($arguments)*)) };
}
pub(crate) use line;

/// Writes `text` and a line feed at once, so that lines of several threads do not mix.
pub(crate) fn write_line(text: fmt::Arguments<'_>) {
    let clear = clear();
    let text = format!("{text}\n");
    put(format!("{clear}{}", safe::lines(&text)));
}

/// Whether the last line of the terminal is a status.
static HAS_STATUS: AtomicBool = AtomicBool::new(false);

/// Goes to the beginning of the terminal's line and erases it (ECMA-48, CR and EL).
const ERASE: &str = "\r\x1b[K";

/// What takes the status away, if there is one.
fn clear() -> &'static str {
    match HAS_STATUS.swap(false, Ordering::Relaxed) {
        true => ERASE,
        false => "",
    }
}

/// Shows `text` on a terminal, in the place of the status before, until the next line comes.
pub(crate) fn status(text: &str) {
    HAS_STATUS.store(true, Ordering::Relaxed);
    put(format!("{ERASE}{}", safe::lines(text)));
}

/// Takes the status away.
pub(crate) fn clear_status() {
    put(clear().to_owned());
}

/// Writes a question, behind which the answer is typed.
pub(crate) fn ask(question: &str) {
    put(safe::lines(question).into_owned());
}

/// From now on nobody waits for stderr, whatever becomes of it: a thread writes what there is space for. That goes for
/// what a panic says as well. `missing` makes the line that says how many lines are missing.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn never_wait(missing: fn(u64) -> String) -> io::Result<()> {
    let lines = LINES.get_or_init(|| Lines::new(missing));
    thread::Builder::new()
        .name("stderr".into())
        .spawn(|| lines.write_to(io::stderr()))?;
    panic::set_hook(Box::new(|panicked| {
        let thread = thread::current();
        let name = thread.name().unwrap_or("without a name").to_owned();
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            BacktraceStatus::Captured => {
                tracing::error!("thread '{name}' {panicked}\n{backtrace}");
            }
            _ => tracing::error!("thread '{name}' {panicked}"),
        }
    }));
    Ok(())
}

/// Waits until all lines are written, `limit` at the longest.
pub(crate) fn flush(limit: Duration) {
    if let Some(lines) = LINES.get() {
        lines.flush(limit);
    }
}

/// Stderr for who writes text that is whole lines.
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        put(format!("{}{}", clear(), String::from_utf8_lossy(text)));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn put(text: String) {
    match LINES.get() {
        Some(lines) => lines.push(text),
        None => {
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

/// Lines that wait for the thread that writes them.
struct Lines {
    state: Mutex<LinesState>,
    changed: Condvar,
    /// Makes the line that says how many lines are missing.
    missing: fn(u64) -> String,
}

#[derive(Default)]
struct LinesState {
    waiting: VecDeque<String>,
    /// In those that wait.
    bytes: usize,
    /// Lines that found no room.
    left_out: u64,
    is_writing: bool,
}

impl Lines {
    fn new(missing: fn(u64) -> String) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            missing,
        }
    }

    /// Says how many lines are missing, once.
    fn take_left_out(&self, state: &mut LinesState) -> Option<String> {
        let count = std::mem::take(&mut state.left_out);
        (count > 0).then(|| (self.missing)(count))
    }

    fn push(&self, line: String) {
        let mut state = self.lock();
        if state.bytes + line.len() > ROOM {
            state.left_out += 1;
            return;
        }
        // Where they would have been.
        let told = self.take_left_out(&mut state);
        for line in told.into_iter().chain([line]) {
            state.bytes += line.len();
            state.waiting.push_back(line);
        }
        self.changed.notify_all();
    }

    /// Writes whatever comes, for ever.
    fn write_to(&self, mut output: impl Write) {
        loop {
            write(&mut output, self.next().as_bytes());
            self.lock().is_writing = false;
            self.changed.notify_all();
        }
    }

    /// Waits for a line. What was left out is told behind those before it.
    fn next(&self) -> String {
        let is_idle = |state: &mut LinesState| state.waiting.is_empty() && state.left_out == 0;
        let waited = self.changed.wait_while(self.lock(), is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_writing = true;
        match state.waiting.pop_front() {
            Some(line) => {
                state.bytes -= line.len();
                line
            }
            None => self.take_left_out(&mut state).unwrap_or_default(),
        }
    }

    fn flush(&self, limit: Duration) {
        let is_busy = |state: &mut LinesState| {
            state.is_writing || !state.waiting.is_empty() || state.left_out > 0
        };
        // Whether all are written by then or not, the end does not wait any longer.
        drop(self.changed.wait_timeout_while(self.lock(), limit, is_busy));
    }

    fn lock(&self) -> MutexGuard<'_, LinesState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes `text`, unless that fails for more than the moment.
fn write(output: &mut impl Write, mut text: &[u8]) {
    while !text.is_empty() {
        match output.write(text) {
            Ok(0) => return,
            Ok(count) => text = &text[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Whoever shares the terminal or the pipe may have made it so.
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};

    /// An output whose reader takes a line when it is told to.
    struct Slow(mpsc::Receiver<()>, Arc<Mutex<String>>);

    impl Write for Slow {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            // Nobody tells any more when all is to be taken.
            let _ = self.0.recv();
            let mut taken = self.1.lock().unwrap();
            taken.push_str(std::str::from_utf8(text).unwrap());
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_who_takes_none_and_what_is_missing_is_told() {
        let lines = Lines::new(|count| format!("{count} lines are missing\n"));
        let lines: &Lines = Box::leak(Box::new(lines));
        let (read, reads) = mpsc::channel();
        let taken = Arc::new(Mutex::new(String::new()));
        let output = Slow(reads, Arc::clone(&taken));
        thread::spawn(move || lines.write_to(output));
        let line = format!("{}\n", "x".repeat(1_023));
        for _ in 0..ROOM / line.len() + 100 {
            lines.push(line.clone());
        }
        lines.flush(Duration::from_millis(1));
        assert!(lines.lock().bytes <= ROOM && taken.lock().unwrap().is_empty());
        drop(read);
        while !taken.lock().unwrap().contains("missing") {
            thread::yield_now();
        }
        let taken = taken.lock().unwrap();
        let told = taken.lines().last().unwrap();
        let missing: usize = told
            .strip_suffix(" lines are missing")
            .unwrap()
            .parse()
            .unwrap();
        let whole = taken.lines().filter(|taken| taken.len() == 1_023).count();
        assert_eq!(whole + missing, ROOM / line.len() + 100);
    }

    #[test]
    fn a_line_that_cannot_be_written_is_given_up() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        write(&mut Gone, b"a line\n");
    }
}
