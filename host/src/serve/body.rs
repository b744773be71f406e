//! The bodies that leave the listener, piece by piece.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Full;

use super::stall::StreamWatch;
use super::streams::Sending;
use host_sandbox::Failure;
use host_sandbox::execution::ResponseBody;

/// A response body: a guest's, or the host's own.
pub(super) struct Body {
    source: Source,
    /// Who watches whether the client takes it, over HTTP/2.
    watch: Option<Arc<StreamWatch>>,
}

enum Source {
    Guest(Box<ResponseBody>),
    Whole(Full<Bytes>),
    /// None, though the head declares its length.
    Declared,
}

/// A piece of a body on its way. It is dropped when all of it has left.
pub(super) struct Piece {
    bytes: Bytes,
    sending: Option<Sending>,
}

impl Body {
    /// A body that is there as a whole.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::of(Source::Whole(Full::new(bytes)))
    }

    /// The body of an execution.
    pub(super) fn guest(body: ResponseBody) -> Self {
        Self::of(Source::Guest(Box::new(body)))
    }

    /// Leaves a body that is there as a whole away. Answers how long it was; `None` if there was none of that kind.
    pub(super) fn leave_away(&mut self) -> Option<u64> {
        let Source::Whole(body) = &mut self.source else {
            return None;
        };
        std::mem::take(body).size_hint().exact()
    }

    /// Has a server of HTTP/1 keep a `content-length` in a head that no body follows: it would take it for a mistake.
    pub(super) fn declare(&mut self) {
        if self.is_end_stream() {
            self.source = Source::Declared;
        }
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            watch: StreamWatch::current(),
        }
    }
}

impl http_body::Body for Body {
    type Data = Piece;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, Failure>>> {
        let this = self.get_mut();
        let frame = match &mut this.source {
            Source::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Source::Guest(body) => Pin::new(&mut **body).poll_frame(cx),
            Source::Declared => Poll::Ready(None),
        };
        if let Some(watch) = &this.watch {
            watch.note(frame.is_ready());
        }
        let sending = || this.watch.as_ref().map(|watch| watch.sending());
        frame.map_ok(|frame| {
            frame.map_data(|bytes| Piece {
                bytes,
                sending: sending(),
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole(body) => body.is_end_stream(),
            Source::Guest(body) => body.is_end_stream(),
            Source::Declared => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(body) => body.size_hint(),
            Source::Guest(body) => body.size_hint(),
            Source::Declared => SizeHint::default(),
        }
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
        if let Some(sending) = &self.sending {
            sending.note_move();
        }
    }
}
