//! Notices an HTTP/2 client that takes none of a response.
//!
//! On HTTP/1.1 a stalled client shows as a write that does not go on (see `timed`). A stalled HTTP/2 stream shows
//! nowhere: other streams flow, and hyper asks for no more of the body. So the body notes when it was last asked, and
//! the task of its stream looks at that. The task ends when all of the body is handed over; what flow control holds back
//! of it then is counted with the connection's streams.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::streams::{Sending, Streams};

/// When the client of one stream last took something.
pub(in crate::serve) struct StreamWatch {
    streams: Arc<Streams>,
    /// Since when the client takes nothing; `None` while the function, not the client, is waited for.
    untouched_since: Mutex<Option<Instant>>,
}

impl StreamWatch {
    /// For a stream among `streams`.
    pub(in crate::serve) fn new(streams: Arc<Streams>) -> Self {
        Self {
            streams,
            untouched_since: Mutex::new(None),
        }
    }

    /// Notes that the body was asked for a frame, and whether it had one.
    pub(in crate::serve) fn note(&self, had_one: bool) {
        *self.lock() = had_one.then(Instant::now);
    }

    /// Counts a piece of the stream's body until it has left.
    pub(in crate::serve) fn sending(&self) -> Sending {
        Sending::new(Arc::clone(&self.streams))
    }

    /// When the stream is stalled, unless something happens before.
    pub(in crate::serve) fn stalled_at(&self, timeout: Duration) -> Option<Instant> {
        self.lock().map(|since| since + timeout)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // Nothing under the lock panics, and only the stream's own thread takes it.
        self.untouched_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
