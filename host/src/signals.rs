//! The signals that end the process, the one that has it read its configuration again, and one that must not end it.

use std::fs::{self, File};
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal as Raw;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::stderr;

/// How long the last lines may take to be written when a signal ends the process.
const LAST_LINES: Duration = Duration::from_millis(100);

/// Has a file that is larger than `ulimit -f` allows be an error of whoever writes it, as a full disk is. The signal that
/// comes with that error, SIGXFSZ, would end the process if it were not caught.
pub(crate) fn outlive_large_files() {
    // Where it cannot be caught, the process is as it was.
    if let Ok(runtime) = runtime() {
        let _runtime = runtime.enter();
        let _ = signal(SignalKind::from_raw(Raw::XFSZ.as_raw()));
    }
}

/// Waits for Ctrl-C and SIGTERM.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen, within a runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Resolves at the next signal, with the exit code that shells give a process which it ended.
    pub(crate) async fn next(&mut self) -> i32 {
        let signal = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
        };
        128 + signal.as_raw_value()
    }
}

/// Waits for SIGHUP, which would end the process if nobody did.
pub(crate) struct Hangups(Signal);

impl Hangups {
    /// Begins to listen, within a runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Hears on a thread of its own that the process is to end. Whatever the others do, the second signal ends it at once,
/// and so does the first one while there is nothing to be finished.
pub(crate) struct Ending {
    has_work: Arc<AtomicBool>,
    asked: watch::Receiver<bool>,
}

impl Ending {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        // Before anybody listens to SIGHUP: then it is not ignored any more.
        let terminal = Terminal::of_process();
        let (ask, asked) = watch::channel(false);
        let has_work = Arc::new(AtomicBool::new(false));
        let ending = Self {
            has_work: Arc::clone(&has_work),
            asked,
        };
        let runtime = runtime()?;
        let mut ends = {
            let _runtime = runtime.enter();
            Ends {
                signals: Signals::listen()?,
                hangups: Hangups::listen()?,
                terminal,
            }
        };
        let thread = thread::Builder::new().name("signals".into());
        thread.spawn(move || {
            runtime.block_on(async {
                ends.next().await;
                if !has_work.load(Ordering::Relaxed) {
                    tracing::info!("Told to end before it served.");
                    end(0);
                }
                ask.send_replace(true);
                // A terminal that is closed meanwhile asks for no more than the drain under way.
                end(ends.signals.next().await)
            })
        })?;
        Ok(ending)
    }

    /// From now on the first signal is left to who waits for it: there may be something to be finished.
    pub(crate) fn wait_for_work(&self) {
        self.has_work.store(true, Ordering::Relaxed);
    }

    /// Resolves at the first signal.
    pub(crate) async fn asked(&mut self) {
        // The thread that asks ends with the process.
        let _ = self.asked.wait_for(|asked| *asked).await;
    }
}

/// All that ends a process which serves.
struct Ends {
    signals: Signals,
    hangups: Hangups,
    terminal: Terminal,
}

impl Ends {
    async fn next(&mut self) -> i32 {
        loop {
            tokio::select! {
                code = self.signals.next() => return code,
                () = self.hangups.next() => {
                    if self.terminal.is_gone() {
                        return 128 + Raw::HUP.as_raw();
                    }
                }
            }
        }
    }
}

/// The terminal that the process belongs to. When it is closed, SIGHUP means that nobody is there any more; otherwise it
/// is sent to have the configuration read again.
enum Terminal {
    /// The process ends with it.
    Needed,
    /// There is none, as under a service manager, or the process is to outlive it (`nohup`).
    None,
}

impl Terminal {
    fn of_process() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        match has_terminal() && !ignores(&status, Raw::HUP) {
            true => Self::Needed,
            false => Self::None,
        }
    }

    fn is_gone(&self) -> bool {
        matches!(self, Self::Needed) && !has_terminal()
    }
}

/// Whether the process has a controlling terminal: this name leads to it, and nowhere once it is closed.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Whether a process with this `status` (proc_pid_status(5)) ignores `signal`.
fn ignores(status: &str, signal: Raw) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().build()
}

fn end(code: i32) -> ! {
    stderr::flush(LAST_LINES);
    process::exit(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_ignores_is_read_from_its_status() {
        let status = "Name:\tsh\nSigBlk:\t0000000000000002\nSigIgn:\t0000000001000001\n";
        assert!(ignores(status, Raw::HUP) && ignores(status, Raw::XFSZ));
        assert!(!ignores(status, Raw::INT) && !ignores("", Raw::HUP));
    }
}
