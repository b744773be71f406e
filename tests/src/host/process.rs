//! A process that is run, and what it prints.

use std::net::SocketAddr;
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Output;
use crate::PATIENCE;
use crate::lines::Lines;

/// A child process and what it prints; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Mutex<Child>,
    pub(super) stdout: Lines,
    pub(super) stderr: Lines,
}

impl Process {
    /// That of `child`, which prints `stdout` and `stderr`.
    pub(super) fn new(child: Child, stdout: Lines, stderr: Lines) -> Self {
        Self {
            child: Mutex::new(child),
            stdout,
            stderr,
        }
    }

    pub(super) fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address in the line on stderr that begins with `prefix`.
    pub(super) fn announced(&self, prefix: &str) -> Option<SocketAddr> {
        let line = self.stderr.find(PATIENCE, |line| {
            line.starts_with(prefix) && line.contains("://")
        })?;
        let (_, rest) = line.split_once("://")?;
        rest.split('/').next()?.parse().ok()
    }

    /// A process that has closed both pipes is about to end, so there is nothing to poll.
    pub(super) fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        let ended = self.stdout.has_ended(timeout) && self.stderr.has_ended(timeout);
        ended.then(|| self.child().wait().ok()).flatten()
    }

    pub(super) fn output(&self, code: Option<i32>) -> Output {
        let text = |lines: &Lines| -> String {
            let lines = lines.all();
            lines.iter().flat_map(|line| [line, "\n"]).collect()
        };
        Output {
            code,
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child();
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }
}
