//! Counts what goes on on one HTTP/2 connection, so that it can be told when that lies idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The streams of one connection.
#[derive(Default)]
pub(in crate::serve) struct Streams {
    /// Streams that are being served.
    open: AtomicUsize,
    /// Pieces of bodies that were handed over and have not left.
    unsent: AtomicUsize,
    /// How often a stream began, or some of a piece left.
    moves: AtomicUsize,
}

impl Streams {
    /// A number that changes with everything that happens; none while a stream is being served.
    pub(in crate::serve) fn moves_if_idle(&self) -> Option<usize> {
        let idle = self.open.load(Ordering::Relaxed) == 0;
        idle.then(|| self.moves.load(Ordering::Relaxed))
    }

    /// Whether the client has yet to take some of what it asked for.
    pub(in crate::serve) fn has_unsent(&self) -> bool {
        self.unsent.load(Ordering::Relaxed) > 0
    }

    fn note_move(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stream while it is being served.
pub(in crate::serve) struct Serving(Arc<Streams>);

impl Serving {
    pub(in crate::serve) fn new(streams: Arc<Streams>) -> Self {
        streams.open.fetch_add(1, Ordering::Relaxed);
        streams.note_move();
        Self(streams)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A piece of a body until all of it has left.
pub(in crate::serve) struct Sending(Arc<Streams>);

impl Sending {
    pub(in crate::serve) fn new(streams: Arc<Streams>) -> Self {
        streams.unsent.fetch_add(1, Ordering::Relaxed);
        Self(streams)
    }

    /// Some of the piece has left.
    pub(in crate::serve) fn note_move(&self) {
        self.0.note_move();
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.unsent.fetch_sub(1, Ordering::Relaxed);
        self.note_move();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_flow_control_holds_back_shows_after_its_stream_was_served() {
        let streams = Arc::new(Streams::default());
        let serving = Serving::new(Arc::clone(&streams));
        let sending = Sending::new(Arc::clone(&streams));
        assert_eq!(streams.moves_if_idle(), None);
        drop(serving);
        let before = streams.moves_if_idle();
        assert!(before.is_some() && streams.has_unsent());
        sending.note_move();
        assert_ne!(streams.moves_if_idle(), before);
        drop(sending);
        assert!(!streams.has_unsent());
    }
}
