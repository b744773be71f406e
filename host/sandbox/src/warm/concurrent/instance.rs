//! An instance that answers several requests at once: how many it has, and what runs it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::Request;
use http::uri::Scheme;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiBody;

use crate::budget::Budget;
use crate::lock::lock;
use crate::requests::RequestState;
use crate::shared::Shared;
use crate::warm::Retired;

/// A guest that has kept the host from its calls for so long gets no further one meanwhile.
const LONG_BLOCKED: Duration = Duration::from_millis(20);

/// What runs the guest.
pub(super) type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whether a call was handled, and if not, why.
pub(super) type Handled = Result<(), Arc<wasmtime::Error>>;

/// A request on its way to the guest.
pub(super) struct Call {
    pub(super) number: u64,
    pub(super) state: RequestState,
    pub(super) request: Request<WasiBody>,
    pub(super) scheme: Scheme,
}

/// An instance, and who waits for it.
pub(super) struct ConcurrentInstance {
    calls: UnboundedSender<Call>,
    /// `None` once the instance has ended. Locked before `in_use`.
    driver: Mutex<Option<Driver>>,
    in_use: Mutex<Use>,
    budget: Budget,
    /// Nanoseconds on a processor, divided each time by the number of calls under way.
    busy: AtomicU64,
    /// Whether its calls were looked at in this step.
    looked: AtomicBool,
    /// The thread whose requests it answers.
    pub(super) thread: usize,
    /// Its linear memory, in bytes, when a call last ended.
    memory: AtomicU64,
}

/// What an instance may still be given.
pub(super) struct Bounds {
    pub(super) at_once: usize,
    pub(super) requests: u32,
    /// When it is too old for more.
    pub(super) end: Option<Instant>,
}

struct Use {
    bounds: Bounds,
    /// The calls under way.
    waiting: Vec<Waiting>,
    /// Places that are taken, by calls and by those about to be made.
    taken: usize,
    /// Since when no place is taken, and the memory that is noted as idle.
    idle: Option<(Instant, u64)>,
    is_retired: bool,
    /// Since when the guest has kept the host from looking at its calls.
    blocked: Option<Instant>,
    /// Of the task that runs the guest.
    waker: Option<Waker>,
}

struct Waiting {
    number: u64,
    shared: Arc<Shared>,
    handled: oneshot::Sender<Handled>,
}

impl Use {
    /// Whether it is to end, as nobody has a place in it and nobody will.
    fn is_over(&self) -> bool {
        self.is_retired && self.taken == 0
    }
}

impl ConcurrentInstance {
    /// One to which calls of `thread` are given by `calls`.
    pub(super) fn new(
        calls: UnboundedSender<Call>,
        budget: Budget,
        bounds: Bounds,
        thread: usize,
    ) -> Self {
        Self {
            calls,
            driver: Mutex::new(None),
            in_use: Mutex::new(Use {
                bounds,
                waiting: Vec::new(),
                taken: 0,
                idle: None,
                is_retired: false,
                blocked: None,
                waker: None,
            }),
            budget,
            busy: AtomicU64::new(0),
            looked: AtomicBool::new(true),
            thread,
            memory: AtomicU64::new(0),
        }
    }

    pub(super) fn set_driver(&self, driver: Driver) {
        *lock(&self.driver) = Some(driver);
    }

    /// Runs the guest one step. Ready when it has ended.
    pub(super) fn poll_driver(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut driver = lock(&self.driver);
        let at_once = {
            let mut in_use = lock(&self.in_use);
            in_use.waker = Some(cx.waker().clone());
            in_use.waiting.len()
        };
        self.looked.store(false, Ordering::Relaxed);
        let before = Instant::now();
        let step = match driver.as_mut() {
            Some(running) => running.as_mut().poll(cx),
            None => Poll::Ready(()),
        };
        let took = before.elapsed().as_nanos() / at_once.max(1) as u128;
        let took = u64::try_from(took).unwrap_or(u64::MAX);
        self.busy.fetch_add(took, Ordering::Relaxed);
        if step.is_pending() {
            let mut in_use = lock(&self.in_use);
            in_use.blocked = match self.looked.load(Ordering::Relaxed) {
                true => None,
                false => in_use.blocked.or(Some(before)),
            };
            if !in_use.is_over() {
                return Poll::Pending;
            }
        }
        let ended = driver.take();
        drop(driver);
        drop(ended);
        Poll::Ready(())
    }

    /// Takes note that the guest lets its calls be looked at.
    pub(super) fn note_look(&self) {
        self.looked.store(true, Ordering::Relaxed);
    }

    /// When it is let go of if nobody takes a place in it until then, and why.
    pub(super) fn expires(&self, idle_time: Duration) -> Option<(Instant, Retired)> {
        let in_use = lock(&self.in_use);
        let (since, _) = in_use.idle?;
        let idle = since.checked_add(idle_time).map(|end| (end, Retired::Idle));
        let old = in_use.bounds.end.map(|end| (end, Retired::Age));
        idle.into_iter().chain(old).min_by_key(|(end, _)| *end)
    }

    /// Takes a place, if there is one.
    pub(super) fn take_place(&self) -> bool {
        let mut in_use = lock(&self.in_use);
        let bounds = &in_use.bounds;
        let is_too_old = bounds.end.is_some_and(|end| Instant::now() >= end);
        let is_full = in_use.taken >= bounds.at_once || bounds.requests == 0;
        let is_blocked = in_use
            .blocked
            .is_some_and(|since| since.elapsed() > LONG_BLOCKED);
        if in_use.is_retired || is_full || is_too_old || is_blocked {
            return false;
        }
        in_use.taken += 1;
        in_use.bounds.requests -= 1;
        if let Some((_, memory)) = in_use.idle.take() {
            self.budget.note_not_idle(memory);
        }
        true
    }

    /// Gives back a place. The guest ends with the last one if it is retired.
    pub(super) fn leave(&self) {
        let mut in_use = lock(&self.in_use);
        in_use.taken -= 1;
        if in_use.is_over() {
            drop(in_use);
            // Its own task ends it, outside of every lock.
            self.wake();
        } else if in_use.taken == 0 {
            let memory = self.memory.load(Ordering::Relaxed);
            in_use.idle = Some((Instant::now(), memory));
            self.budget.note_idle(memory);
            drop(in_use);
            // It looks when it is to be let go of.
            self.wake();
        }
    }

    /// Has the task that runs the guest look at it again.
    fn wake(&self) {
        let waker = lock(&self.in_use).waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Gives `call` to the guest. Whoever waits for it is told by `handled`.
    pub(super) fn give(&self, call: Call, handled: oneshot::Sender<Handled>) {
        let number = call.number;
        lock(&self.in_use).waiting.push(Waiting {
            number,
            shared: Arc::clone(&call.state.shared),
            handled,
        });
        if self.calls.send(call).is_err() {
            let gone = wasmtime::Error::msg("its instance has ended");
            self.end_call(number, Err(Arc::new(gone)));
        }
    }

    /// Takes note that the call with this number has come to this.
    pub(super) fn end_call(&self, number: u64, handled: Handled) {
        if let Some(call) = self.take_waiting(number) {
            // Its execution may have ended just now.
            let _ = call.handled.send(handled);
        }
    }

    /// Takes note that nobody waits for the call with this number any more. Its body is cut.
    pub(super) fn give_up(&self, number: u64) {
        if let Some(call) = self.take_waiting(number) {
            call.shared.note_end();
            call.shared.take_head();
        }
    }

    /// Whether somebody waits for the call with this number.
    pub(super) fn is_waiting(&self, number: u64) -> bool {
        let in_use = lock(&self.in_use);
        in_use.waiting.iter().any(|call| call.number == number)
    }

    /// Ends it whatever it has to do, as nothing will run it any more.
    pub(super) fn end(&self) {
        self.retire();
        let ended = lock(&self.driver).take();
        drop(ended);
        let gone = wasmtime::Error::msg("its instance has ended");
        self.end_calls(&Arc::new(gone));
    }

    fn take_waiting(&self, number: u64) -> Option<Waiting> {
        let waiting = &mut lock(&self.in_use).waiting;
        let position = waiting.iter().position(|call| call.number == number)?;
        Some(waiting.swap_remove(position))
    }

    /// Takes note that the guest is gone, for this reason. What the calls under way have given until now is theirs.
    pub(super) fn end_calls(&self, why: &Arc<wasmtime::Error>) {
        let waiting = std::mem::take(&mut lock(&self.in_use).waiting);
        for call in waiting {
            call.shared.note_end();
            let _ = call.handled.send(Err(Arc::clone(why)));
        }
    }

    /// Says that no further request is to have it. Answers whether that is new.
    pub(super) fn retire(&self) -> bool {
        let mut in_use = lock(&self.in_use);
        if let Some((_, memory)) = in_use.idle.take() {
            self.budget.note_not_idle(memory);
        }
        let is_new = !std::mem::replace(&mut in_use.is_retired, true);
        let is_over = in_use.is_over();
        drop(in_use);
        if is_over {
            self.wake();
        }
        is_new
    }

    /// Ends it, if no place is taken. Answers whether it did.
    pub(super) fn end_if_idle(&self) -> bool {
        // Its own guest may be what asks for memory.
        let Ok(mut driver) = self.driver.try_lock() else {
            return false;
        };
        let mut in_use = lock(&self.in_use);
        let Some((_, memory)) = in_use.idle.take() else {
            return false;
        };
        in_use.is_retired = true;
        drop(in_use);
        let ended = driver.take();
        drop(driver);
        drop(ended);
        // Not before it is free.
        self.budget.note_not_idle(memory);
        self.wake();
        true
    }

    /// Whether it may be given no more requests.
    pub(super) fn is_used_up(&self) -> bool {
        lock(&self.in_use).bounds.requests == 0
    }

    /// Whether one place is taken, and no other.
    pub(super) fn is_last_place(&self) -> bool {
        lock(&self.in_use).taken == 1
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        Some(lock(&self.in_use).idle?.0)
    }

    pub(super) fn busy(&self) -> u64 {
        self.busy.load(Ordering::Relaxed)
    }

    pub(super) fn note_memory(&self, bytes: u64) {
        self.memory.store(bytes, Ordering::Relaxed);
    }
}
