//! What the guest's side and the host's side of one execution both see.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Response;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::StreamContext;

use super::account::Account;
use super::outbound::RefusalSink;
use super::outcome::Failure;
use super::output::Output;
use super::pipe::PipeReader;
use super::response;

/// What a guest hands to its response-outparam.
pub(super) type Head = Result<Response<Option<PipeReader>>, ErrorCode>;

pub(super) struct Shared {
    account: Account,
    is_head: bool,
    output: Mutex<Output>,
    head: Mutex<Option<Head>>,
    request_failure: Mutex<Option<Failure>>,
    request_failed: AtomicBool,
    /// The response has been handed over, and a body goes out with it.
    sends_body: AtomicBool,
    /// The guest could not write on, as nobody reads the body of a message of this kind.
    waits_unread: Mutex<Option<StreamContext>>,
    /// Nanoseconds that it took to make the instance; 0 until it is made.
    instantiation: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Shared {
    /// For an execution that answers a request for the head alone if it `is_head`.
    pub(super) fn new(log_output: usize, account: Account, is_head: bool) -> Self {
        Self {
            account,
            is_head,
            output: Mutex::new(Output::new(log_output)),
            head: Mutex::new(None),
            request_failure: Mutex::new(None),
            request_failed: AtomicBool::new(false),
            sends_body: AtomicBool::new(false),
            waits_unread: Mutex::new(None),
            instantiation: AtomicU64::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    pub(super) fn output(&self) -> MutexGuard<'_, Output> {
        lock(&self.output)
    }

    /// The memory that it holds.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// Keeps what the guest answered until it is taken.
    pub(super) fn put_head(&self, head: Head) {
        if let Ok(response) = &head
            && !self.is_bodiless(response)
        {
            self.sends_body.store(true, Ordering::Relaxed);
        }
        *lock(&self.head) = Some(head);
    }

    pub(super) fn take_head(&self) -> Option<Head> {
        lock(&self.head).take()
    }

    /// Whether no body goes out with `response`, whatever the guest writes (RFC 9110, section 6.4.1).
    pub(super) fn is_bodiless<B>(&self, response: &Response<B>) -> bool {
        self.is_head || response::is_bodiless(response.status())
    }

    /// Whether the length of the response's body matters by now. Before its status is certain, that is for who sends it
    /// to judge.
    pub(super) fn compares_length(&self) -> bool {
        self.sends_body.load(Ordering::Relaxed)
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Notes how much of the request body the guest has taken.
    pub(super) fn note_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Notes how much of the response body the guest has written.
    pub(super) fn note_sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes that the guest cannot write on, as nobody reads the body of a message of this `kind`.
    pub(super) fn note_unread_body(&self, kind: StreamContext) {
        *lock(&self.waits_unread) = Some(kind);
    }

    /// The kind of message whose body the guest could not write on, if that was noted since the last call.
    pub(super) fn take_unread_body(&self) -> Option<StreamContext> {
        lock(&self.waits_unread).take()
    }

    pub(super) fn note_instantiation(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.instantiation
            .store(nanoseconds.max(1), Ordering::Relaxed);
    }

    pub(super) fn instantiation(&self) -> Option<Duration> {
        let nanoseconds = self.instantiation.load(Ordering::Relaxed);
        (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
    }

    /// Notes what went wrong with the request, unless the guest has answered it already.
    pub(super) fn note_request_failure(&self, failure: Failure) {
        if matches!(&*lock(&self.head), Some(Ok(response)) if self.is_whole(response)) {
            return;
        }
        *lock(&self.request_failure) = Some(failure);
        self.request_failed.store(true, Ordering::Relaxed);
    }

    /// Whether the guest has said all that it has to say in `response`.
    pub(super) fn is_whole(&self, response: &Response<Option<PipeReader>>) -> bool {
        match response.body() {
            Some(body) => body.is_whole(),
            None => true,
        }
    }

    pub(super) fn request_failure(&self) -> Option<Failure> {
        if self.request_failed.load(Ordering::Relaxed) {
            lock(&self.request_failure).clone()
        } else {
            None
        }
    }
}

impl RefusalSink for Shared {
    fn refused(&self, line: String) {
        self.output().note(line);
    }
}

/// The locks of an execution are held for one step of its own thread, in which nothing panics.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
