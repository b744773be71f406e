//! What the guest's side and the host's side of one execution both see.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http::Response;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use super::outbound::RefusalSink;
use super::outcome::{Failure, MemoryLimit};
use super::output::Output;

/// What a guest hands to its response-outparam.
pub(super) type Head = Result<Response<HyperOutgoingBody>, ErrorCode>;

#[derive(Debug)]
pub(super) struct Shared {
    output: Mutex<Output>,
    head: Mutex<Option<Head>>,
    request_failure: Mutex<Option<Failure>>,
    request_failed: AtomicBool,
    memory: AtomicU64,
    memory_refused: OnceLock<MemoryLimit>,
    /// Nanoseconds that it took to make the instance; 0 until it is made.
    instantiation: AtomicU64,
    received: AtomicU64,
}

impl Shared {
    pub(super) fn new(log_output: usize) -> Self {
        Self {
            output: Mutex::new(Output::new(log_output)),
            head: Mutex::new(None),
            request_failure: Mutex::new(None),
            request_failed: AtomicBool::new(false),
            memory: AtomicU64::new(0),
            memory_refused: OnceLock::new(),
            instantiation: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    pub(super) fn output(&self) -> MutexGuard<'_, Output> {
        lock(&self.output)
    }

    /// Keeps what the guest answered until it is taken.
    pub(super) fn put_head(&self, head: Head) {
        *lock(&self.head) = Some(head);
    }

    pub(super) fn take_head(&self) -> Option<Head> {
        lock(&self.head).take()
    }

    pub(super) fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) fn note_memory(&self, bytes: u64) {
        self.memory.fetch_max(bytes, Ordering::Relaxed);
    }

    /// Notes which bound was met. The first one counts.
    pub(super) fn note_memory_refused(&self, limit: MemoryLimit) {
        self.memory_refused.get_or_init(|| limit);
    }

    pub(super) fn memory_refused(&self) -> Option<MemoryLimit> {
        self.memory_refused.get().copied()
    }

    /// Notes how much of the request body the guest has taken.
    pub(super) fn note_received(&self, bytes: u64) {
        self.received.fetch_add(bytes, Ordering::Relaxed);
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

    pub(super) fn note_request_failure(&self, failure: Failure) {
        *lock(&self.request_failure) = Some(failure);
        self.request_failed.store(true, Ordering::Relaxed);
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
