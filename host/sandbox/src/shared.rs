//! What the guest's side and the host's side of one execution both see.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Response;
use wasmtime_wasi_http::p2::body::StreamContext;

use super::account::Account;
use super::error::{Failure, RefusedMemory};
use super::forward::Forward;
use super::head;
use super::line::Remedy;
use super::lock::lock;
use super::outbound::RefusalSink;
use super::pipe::{self, PipeReader};
use super::printed::Output;

/// The head that a guest answers with, or what it answers in its place.
pub(crate) type Head = Result<Response<Option<PipeReader>>, Failure>;

/// What one execution counts, and what its guest hands over.
pub(crate) struct Shared {
    account: Account,
    is_head: bool,
    output: Mutex<Output>,
    head: Mutex<Option<Head>>,
    request_failure: Mutex<Option<Failure>>,
    request_failed: AtomicBool,
    /// The guest has handed over a response with a head that is valid.
    has_answered: AtomicBool,
    /// The response has been handed over, and a body goes out with it.
    sends_body: AtomicBool,
    /// The guest could not write on, as nobody reads the body of a message of this kind.
    waits_unread: Mutex<Option<StreamContext>>,
    /// There is an instance, made for it or warm.
    has_instance: AtomicBool,
    /// It is a warm one that has answered a request already.
    is_reused: AtomicBool,
    /// The guest may wait for somebody outside: for the rest of its request, or for the answer to a call of its own.
    may_wait: AtomicBool,
    /// Nanoseconds that it took to make the instance; 0 if none was made.
    instantiation: AtomicU64,
    /// The guest let go of a body that it had not finished.
    cut_body: AtomicBool,
    /// Moves the response body of a guest of WASI 0.3.
    forward: Mutex<Option<Forward>>,
    is_forwarding: AtomicBool,
    /// Of the guest, where another task waits for its answer.
    forward_watcher: Mutex<Option<Waker>>,
    /// The instance is about to end, or has ended.
    has_ended: AtomicBool,
    /// Of the execution, where another task runs its guest.
    watcher: Mutex<Option<Waker>>,
    /// Nanoseconds.
    busy: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Shared {
    /// For an execution that answers a request for the head alone if it `is_head`.
    pub(crate) fn new(log_output: usize, account: Account, is_head: bool) -> Self {
        Self {
            account,
            is_head,
            output: Mutex::new(Output::new(log_output)),
            head: Mutex::new(None),
            request_failure: Mutex::new(None),
            request_failed: AtomicBool::new(false),
            has_answered: AtomicBool::new(false),
            sends_body: AtomicBool::new(false),
            waits_unread: Mutex::new(None),
            has_instance: AtomicBool::new(false),
            is_reused: AtomicBool::new(false),
            may_wait: AtomicBool::new(false),
            instantiation: AtomicU64::new(0),
            cut_body: AtomicBool::new(false),
            forward: Mutex::new(None),
            is_forwarding: AtomicBool::new(false),
            forward_watcher: Mutex::new(None),
            has_ended: AtomicBool::new(false),
            watcher: Mutex::new(None),
            busy: AtomicU64::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    pub(crate) fn output(&self) -> MutexGuard<'_, Output> {
        lock(&self.output)
    }

    /// The memory that it holds.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Keeps what the guest answered until it is taken.
    pub(crate) fn put_head(&self, head: Head) {
        if let Ok(response) = &head
            && !self.is_bodiless(response)
        {
            self.sends_body.store(true, Ordering::Relaxed);
        }
        let is_answer = matches!(&head, Ok(response) if head::check(response).is_ok());
        self.has_answered.store(is_answer, Ordering::Relaxed);
        *lock(&self.head) = Some(head);
        if self.has_ended.load(Ordering::SeqCst) {
            // Nobody will take it, and its body would keep this.
            self.take_head();
        }
        self.wake_watcher();
    }

    pub(crate) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    pub(crate) fn take_head(&self) -> Option<Head> {
        lock(&self.head).take()
    }

    /// Whether no body goes out with `response`, whatever the guest writes (RFC 9110, section 6.4.1).
    pub(crate) fn is_bodiless<B>(&self, response: &Response<B>) -> bool {
        self.is_head || head::is_bodiless(response.status())
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Notes how much of the request body the guest has taken.
    pub(crate) fn note_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The kind of message whose body the guest could not write on, if that was noted since the last call.
    pub(crate) fn take_unread_body(&self) -> Option<StreamContext> {
        lock(&self.waits_unread).take()
    }

    /// Has the task of `cx` look again when there is something new to be seen here.
    pub(crate) fn watch(&self, cx: &Context<'_>) {
        *lock(&self.watcher) = Some(cx.waker().clone());
    }

    /// Says that there is something new.
    pub(crate) fn wake_watcher(&self) {
        let watcher = lock(&self.watcher).take();
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// Adds processor time that was spent for it elsewhere, in nanoseconds.
    pub(crate) fn add_busy(&self, nanoseconds: u64) {
        self.busy.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Processor time that was spent for it elsewhere.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy.load(Ordering::Relaxed))
    }

    /// `error`, with the bound on memory that was met, if one was.
    pub(crate) fn blame(&self, error: wasmtime::Error) -> wasmtime::Error {
        match self.account.refused() {
            Some(limit) => error.context(RefusedMemory(limit)),
            None => error,
        }
    }

    /// Notes that there is an instance by now.
    pub(crate) fn note_instance(&self) {
        self.has_instance.store(true, Ordering::Relaxed);
    }

    /// Notes that the instance has answered a request already.
    pub(crate) fn note_reused(&self) {
        self.is_reused.store(true, Ordering::Relaxed);
    }

    /// Notes that the guest may wait for somebody outside.
    pub(crate) fn note_may_wait(&self) {
        self.may_wait.store(true, Ordering::Relaxed);
    }

    /// Whether the guest got another request in the same instance, and has neither answered it nor had anybody to wait for.
    pub(crate) fn hangs(&self) -> bool {
        let is_set = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is_set(&self.is_reused) && !is_set(&self.may_wait) && !self.has_answered()
    }

    pub(crate) fn has_instance(&self) -> bool {
        self.has_instance.load(Ordering::Relaxed)
    }

    /// Whether the guest has let go of a body that it had not finished.
    pub(crate) fn has_cut_body(&self) -> bool {
        self.cut_body.load(Ordering::Relaxed)
    }

    /// Has the body of the response moved as `forward` does.
    pub(crate) fn put_forward(&self, forward: Forward) {
        *lock(&self.forward) = Some(forward);
        self.is_forwarding.store(true, Ordering::Relaxed);
    }

    /// Moves the body of the response. Ready when there is none to be moved.
    ///
    /// # Errors
    /// Why the guest may not go on.
    pub(crate) fn poll_forward(&self, cx: &mut Context<'_>) -> Poll<wasmtime::Result<()>> {
        if !self.is_forwarding.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let mut forward = lock(&self.forward);
        let moved = match forward.as_mut().map(|forward| forward.poll(cx)) {
            Some(Poll::Pending) => return Poll::Pending,
            Some(Poll::Ready(moved)) => Some(moved),
            None => None,
        };
        self.is_forwarding.store(false, Ordering::Relaxed);
        let ended = match (forward.take(), moved) {
            (Some(forward), Some(moved)) => moved.and_then(|moved| forward.end(moved)),
            _ => Ok(()),
        };
        drop(forward);
        let guest = lock(&self.forward_watcher).take();
        if let Some(guest) = guest {
            guest.wake();
        }
        Poll::Ready(ended)
    }

    /// Has the task of `cx`, which runs the guest, look again when the body was moved by another one.
    pub(crate) fn watch_forward(&self, cx: &Context<'_>) {
        *lock(&self.forward_watcher) = Some(cx.waker().clone());
    }

    /// Notes that there is an instance to come.
    pub(crate) fn note_begin(&self) {
        self.has_ended.store(false, Ordering::SeqCst);
    }

    /// Notes that the instance ends. What it has given of its response body until now is taken; the rest will not come.
    pub(crate) fn note_end(&self) {
        if self.is_forwarding.load(Ordering::Relaxed) {
            // It has failed already if this fails, and else there is nothing to be moved.
            let _ = self.poll_forward(&mut Context::from_waker(Waker::noop()));
            *lock(&self.forward) = None;
        }
        self.has_ended.store(true, Ordering::SeqCst);
    }

    pub(crate) fn note_instantiation(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.instantiation
            .store(nanoseconds.max(1), Ordering::Relaxed);
    }

    pub(crate) fn instantiation(&self) -> Option<Duration> {
        let nanoseconds = self.instantiation.load(Ordering::Relaxed);
        (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
    }

    /// Notes what went wrong with the request, unless the guest has answered it already.
    pub(crate) fn note_request_failure(&self, failure: Failure) {
        if matches!(&*lock(&self.head), Some(Ok(response)) if self.is_whole(response)) {
            return;
        }
        *lock(&self.request_failure) = Some(failure);
        self.request_failed.store(true, Ordering::Relaxed);
        self.wake_watcher();
    }

    /// Whether the guest has said all that it has to say in `response`.
    pub(crate) fn is_whole(&self, response: &Response<Option<PipeReader>>) -> bool {
        match response.body() {
            Some(body) => body.is_whole(),
            None => true,
        }
    }

    pub(crate) fn request_failure(&self) -> Option<Failure> {
        if self.request_failed.load(Ordering::Relaxed) {
            lock(&self.request_failure).clone()
        } else {
            None
        }
    }
}

impl RefusalSink for Shared {
    fn refused(&self, line: String, remedy: Option<Remedy>) {
        self.output().note(line, remedy);
    }

    #[cfg(feature = "outbound")]
    fn calls_out(&self) {
        self.note_may_wait();
    }

    #[cfg(feature = "outbound")]
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }
}

impl pipe::Owner for Shared {
    fn account(&self) -> &Account {
        &self.account
    }

    fn compares_length(&self) -> bool {
        // Before the status is certain, that is for who sends the response to judge.
        self.sends_body.load(Ordering::Relaxed)
    }

    fn note_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    fn note_cut_body(&self) {
        self.cut_body.store(true, Ordering::Relaxed);
    }

    fn note_unread_body(&self, kind: StreamContext) {
        *lock(&self.waits_unread) = Some(kind);
    }
}
