//! The request body on its way into a guest, bounded in size and time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;
use wasmtime_wasi_http::Error;

use super::error::Failure;
use super::shared::Shared;

/// Wraps the caller's body. What goes wrong is told to the guest as an error and to the execution as a [`Failure`].
pub(crate) struct RequestBody<B> {
    inner: Pin<Box<B>>,
    limit: u64,
    left: u64,
    idle: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    shared: Arc<Shared>,
}

impl<B> RequestBody<B> {
    pub(crate) fn new(inner: B, limit: u64, idle: Duration, shared: Arc<Shared>) -> Self {
        Self {
            inner: Box::pin(inner),
            limit,
            left: limit,
            idle,
            pause: None,
            shared,
        }
    }

    fn fail(&self, failure: Failure, error: Error) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.shared.note_request_failure(failure);
        Poll::Ready(Some(Err(error)))
    }

    /// Whether the client has paused for too long. Started at the first pause, ended by the next frame.
    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = self.idle;
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(until)));
        pause.as_mut().poll(cx)
    }
}

impl<B: Body<Data = Bytes>> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Poll::Ready(frame) = self.inner.as_mut().poll_frame(cx) else {
            ready!(self.poll_pause(cx));
            let failure = Failure::RequestTooSlow(self.idle);
            return self.fail(failure, Error::ConnectionReadTimeout);
        };
        self.pause = None;
        let frame = match frame {
            None => return Poll::Ready(None),
            Some(Err(_)) => return self.fail(Failure::RequestBroken, Error::HttpProtocolError),
            Some(Ok(frame)) => frame,
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        if length > self.left {
            let limit = self.limit;
            return self.fail(
                Failure::RequestTooLarge(limit),
                Error::HttpRequestBodySize(Some(limit)),
            );
        }
        self.left -= length;
        self.shared.note_received(length);
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
