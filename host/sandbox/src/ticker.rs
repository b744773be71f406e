//! The clock that interrupts busy guests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

use super::lock::lock;

/// How often a busy guest is interrupted so that others get their turn.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// After this many ticks in which no guest ran, the thread sleeps until one does.
const IDLE_TICKS: u32 = 64;

/// A thread that advances the engines' epochs while guests run, and costs nothing while none does.
pub(crate) struct Ticker {
    state: Arc<TickerState>,
    thread: Option<JoinHandle<()>>,
}

struct TickerState {
    engines: Mutex<Vec<Engine>>,
    touched: AtomicBool,
    asleep: AtomicBool,
    stopped: AtomicBool,
}

impl Ticker {
    /// Starts the thread. Fails when the system gives no thread.
    pub(crate) fn start(engines: Vec<Engine>) -> std::io::Result<Self> {
        let state = Arc::new(TickerState {
            engines: Mutex::new(engines),
            touched: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        let thread = thread::Builder::new().name("epoch".into()).spawn({
            let state = Arc::clone(&state);
            move || state.run()
        })?;
        Ok(Self {
            state,
            thread: Some(thread),
        })
    }

    /// Advances the epoch of `engine` as well from now on.
    pub(crate) fn add(&self, engine: Engine) {
        lock(&self.state.engines).push(engine);
    }

    /// Says that a guest is about to run. Called before each of its steps.
    pub(crate) fn touch(&self) {
        // Only read where it is set already, so that the workers share the line instead of passing it around.
        if self.state.touched.load(Ordering::SeqCst) {
            return;
        }
        self.state.touched.store(true, Ordering::SeqCst);
        if self.state.asleep.load(Ordering::SeqCst)
            && let Some(thread) = &self.thread
        {
            thread.thread().unpark();
        }
    }
}

impl TickerState {
    fn run(&self) {
        let mut idle = 0;
        while !self.stopped.load(Ordering::SeqCst) {
            if self.touched.swap(false, Ordering::SeqCst) {
                idle = 0;
            } else {
                idle += 1;
            }
            if idle > IDLE_TICKS {
                self.sleep_until_touched();
                idle = 0;
            }
            thread::sleep(TICK);
            let engines = lock(&self.engines);
            engines.iter().for_each(Engine::increment_epoch);
        }
    }

    /// Whoever touches after `asleep` is set unparks; whoever touched before it is seen here. So no touch is missed.
    fn sleep_until_touched(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        while !self.touched.load(Ordering::SeqCst) && !self.stopped.load(Ordering::SeqCst) {
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread only sleeps and counts; it cannot have panicked with anything worth telling.
            let _ = thread.join();
        }
    }
}
