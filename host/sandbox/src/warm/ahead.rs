//! Instances that are made before a request needs them.

use std::collections::VecDeque;
use std::io;
use std::sync::{OnceLock, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::runnable::Runnable;
use crate::trial;

/// How long to wait after one could not be made.
const PAUSE: Duration = Duration::from_secs(10);

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
            .enable_time()
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

/// Makes one instance of each function in turn, so that one which takes long holds no other up for long.
async fn run(mut wanted: UnboundedReceiver<Wanted>) {
    let mut now: VecDeque<Weak<Runnable>> = VecDeque::new();
    let mut later: VecDeque<(Instant, Weak<Runnable>)> = VecDeque::new();
    loop {
        let waits_until = match (now.is_empty(), later.front()) {
            (false, _) => Some(Instant::now()),
            (true, Some((when, _))) => Some(*when),
            (true, None) => None,
        };
        let next = match waits_until {
            Some(when) => tokio::time::timeout_at(when, wanted.recv()).await.ok(),
            None => Some(wanted.recv().await),
        };
        match next {
            Some(Some((weak, When::Now))) => now.push_back(weak),
            Some(Some((weak, When::Later))) => later.push_back((Instant::now() + PAUSE, weak)),
            Some(None) => return,
            None => {}
        }
        while let Some((_, weak)) = later.pop_front_if(|(when, _)| *when <= Instant::now()) {
            now.push_back(weak);
        }
        let Some((weak, runnable)) = now.pop_front().and_then(|weak| {
            let runnable = weak.upgrade()?;
            Some((weak, runnable))
        }) else {
            continue;
        };
        match make_one(&runnable).await {
            Made::All => {}
            Made::One => now.push_back(weak),
            Made::None => later.push_back((Instant::now() + PAUSE, weak)),
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

async fn make_one(runnable: &Runnable) -> Made {
    let Some(pool) = runnable.warm.as_ref().filter(|pool| !pool.is_filled()) else {
        return Made::All;
    };
    match trial::instantiate_beside(runnable).await {
        Ok(instance) => match pool.put_new(instance) {
            true => Made::One,
            false => Made::None,
        },
        Err(_) => Made::None,
    }
}
