//! What a process prints, line by line, as it comes.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The lines that a pipe has given so far.
#[derive(Debug)]
pub(crate) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    /// Reads `pipe` to its end on a thread of its own.
    pub(crate) fn read(pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe
                .read_until(b'\n', &mut line)
                .is_ok_and(|count| count > 0)
            {
                let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line));
                shared.change(|state| state.lines.push(text.into_owned()));
                line.clear();
            }
            shared.change(|state| state.ended = true);
        });
        Self(ours)
    }

    /// All lines so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().lines.clone()
    }

    /// The first line that `wanted` takes, as soon as it is there; `None` after `timeout`, or when the pipe has ended
    /// without it.
    pub(crate) fn find(
        &self,
        timeout: Duration,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Option<String> {
        let mut seen = 0;
        self.wait(timeout, |state| {
            let found = state.lines[seen..].iter().find(|line| wanted(line));
            seen = state.lines.len();
            match found {
                Some(line) => Some(Some(line.clone())),
                None if state.ended => Some(None),
                None => None,
            }
        })
        .flatten()
    }

    /// Whether the pipe has ended, or does within `timeout`.
    pub(crate) fn has_ended(&self, timeout: Duration) -> bool {
        self.wait(timeout, |state| state.ended.then_some(()))
            .is_some()
    }

    fn wait<T>(&self, timeout: Duration, mut ready: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let end = Instant::now() + timeout;
        let mut state = self.0.lock();
        loop {
            if let Some(value) = ready(&state) {
                return Some(value);
            }
            let left = end.checked_duration_since(Instant::now())?;
            (state, _) = self
                .0
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}
