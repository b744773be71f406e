//! Instances that are made before a request needs them.

use std::collections::VecDeque;
use std::io;
use std::sync::{OnceLock, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::runnable::Runnable;
use crate::trial;

/// How long to wait after one could not be made.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// Functions of which an instance is made at once. The pool has places for some more trials than that.
const AT_ONCE: usize = 4;

/// The thread of a sandbox that makes them, started when a function first wants some. It ends with the sandbox and its
/// functions.
#[derive(Default)]
pub(crate) struct Ahead {
    wanted: OnceLock<UnboundedSender<Wanted>>,
}

/// What has too few instances, and when to make more.
type Wanted = (Weak<Runnable>, When);

/// When instances are made.
#[derive(Clone, Copy)]
pub(super) enum When {
    Now,
    /// After a pause.
    Later,
}

impl Ahead {
    /// Starts the thread, unless it runs.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(crate) fn start(&self) -> io::Result<()> {
        if self.wanted.get().is_some() {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (sender, receiver) = unbounded_channel();
        thread::Builder::new()
            .name("ahead".into())
            .spawn(move || runtime.block_on(run(receiver)))?;
        // Another thread may have been faster. Then the new one ends at once.
        let _ = self.wanted.set(sender);
        Ok(())
    }

    /// Has the instances made that `runnable` lacks.
    pub(super) fn fill(&self, runnable: Weak<Runnable>, when: When) {
        if let Some(wanted) = self.wanted.get() {
            // The thread is there for as long as somebody can ask it.
            let _ = wanted.send((runnable, when));
        }
    }
}

/// Makes instances of a few functions at once, and one of each, so that a slow one does not hold up the others.
async fn run(mut wanted: UnboundedReceiver<Wanted>) {
    let mut now: VecDeque<Weak<Runnable>> = VecDeque::new();
    let mut later: VecDeque<(Instant, Weak<Runnable>)> = VecDeque::new();
    let mut making = JoinSet::new();
    loop {
        while making.len() < AT_ONCE
            && let Some(weak) = now.pop_front()
        {
            making.spawn(make_one(weak));
        }
        let retry = later.front().map(|(when, _)| *when);
        tokio::select! {
            next = wanted.recv() => match next {
                Some((weak, When::Now)) => now.push_back(weak),
                Some((weak, When::Later)) => later.push_back((Instant::now() + PAUSE, weak)),
                None => return,
            },
            Some(made) = making.join_next() => match made {
                Ok((weak, Made::One)) => now.push_back(weak),
                Ok((weak, Made::None)) => later.push_back((Instant::now() + PAUSE, weak)),
                Ok((_, Made::All)) | Err(_) => {}
            },
            () = tokio::time::sleep_until(retry.unwrap_or_else(Instant::now)), if retry.is_some() => {
                now.extend(later.pop_front().map(|(_, weak)| weak));
            }
        }
    }
}

/// What came of it.
enum Made {
    /// There are as many as there are to be.
    All,
    One,
    None,
}

/// Makes one instance. If that panics, as no guest should be able to have it do, it was not made.
async fn make_one(weak: Weak<Runnable>) -> (Weak<Runnable>, Made) {
    let Some(runnable) = weak.upgrade() else {
        return (weak, Made::All);
    };
    let made = tokio::spawn(async move {
        let Some(pool) = runnable.warm.as_ref().filter(|pool| !pool.is_filled()) else {
            return Made::All;
        };
        match trial::instantiate_beside(&runnable).await {
            Ok(instance) => match pool.put_new(instance) {
                true => Made::One,
                false => Made::None,
            },
            Err(_) => Made::None,
        }
    });
    (weak, made.await.unwrap_or(Made::None))
}
