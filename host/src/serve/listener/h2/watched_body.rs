//! A response body whose client is watched: whether it takes what it asked for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};

use super::stall::StreamWatch;
use super::streams::Sending;

/// A body of a stream with its watch.
pub(in crate::serve) struct WatchedBody<B> {
    body: B,
    watch: Arc<StreamWatch>,
}

/// A piece of a body on its way. It is dropped when all of it has left.
pub(in crate::serve) struct Piece {
    bytes: Bytes,
    sending: Sending,
}

impl<B> WatchedBody<B> {
    pub(in crate::serve) fn new(body: B, watch: Arc<StreamWatch>) -> Self {
        Self { body, watch }
    }
}

impl<B: http_body::Body<Data = Bytes> + Unpin> http_body::Body for WatchedBody<B> {
    type Data = Piece;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, B::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        this.watch.note(frame.is_ready());
        frame.map_ok(|frame| {
            frame.map_data(|bytes| Piece {
                bytes,
                sending: this.watch.sending(),
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.sending.note_move();
    }
}
