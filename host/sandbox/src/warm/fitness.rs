//! Whether instances of a component can answer a second request at all.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

const NOT_SEEN: u8 = 0;
const ANSWERS_AGAIN: u8 = 1;
const HANGS: u8 = 2;

/// What is known of it, and what has been said.
#[derive(Default)]
pub(super) struct Fitness {
    second: AtomicU8,
    has_told_of_handles: AtomicBool,
}

/// Said once, in the log of the execution that kept a handle first.
pub(super) const KEEPS_HANDLES: &str = "the function keeps a request, a body, a timer or a call open after its answer; \
    an instance that does so answers no further request. This is said once";

/// Said once, in the log of the execution that hung.
pub(super) const HANGS_AGAIN: &str = "the function did not answer the second request to an instance within its time limit; \
    each request gets a fresh instance from now on. Components of componentize-js answer again if they export \
    `wasi:http/incoming-handler` themselves, without `fetch-event`";

impl Fitness {
    /// Notes that an instance has answered another request.
    pub(super) fn note_answered_again(&self) {
        if self.second.load(Ordering::Relaxed) != ANSWERS_AGAIN {
            self.second.store(ANSWERS_AGAIN, Ordering::Relaxed);
        }
    }

    /// Notes that an instance did not answer another request. Answers whether that makes the component unfit, which it
    /// does if none has ever done so.
    pub(super) fn note_hung(&self) -> bool {
        let relaxed = Ordering::Relaxed;
        let noted = self
            .second
            .compare_exchange(NOT_SEEN, HANGS, relaxed, relaxed);
        noted.is_ok()
    }

    /// Whether its instances answer one request only.
    pub(super) fn is_unfit(&self) -> bool {
        self.second.load(Ordering::Relaxed) == HANGS
    }

    /// Whether it is to be said now that handles are kept.
    pub(super) fn tells_of_handles(&self) -> bool {
        !self.has_told_of_handles.swap(true, Ordering::Relaxed)
    }
}
