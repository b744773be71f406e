//! The body of a response from outside.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use super::failure;

/// A response body that may pause only so long, and counts as a call under way until it has ended.
pub(crate) struct InboundBody {
    incoming: Incoming,
    longest_pause: Duration,
    /// Made at the first pause, for most bodies come without one.
    pause: Option<Pin<Box<Sleep>>>,
    pausing: bool,
    permit: Option<OwnedSemaphorePermit>,
}

impl InboundBody {
    pub(crate) fn new(
        incoming: Incoming,
        longest_pause: Duration,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let permit = (!incoming.is_end_stream()).then_some(permit);
        Self {
            incoming,
            longest_pause,
            pause: None,
            pausing: false,
            permit,
        }
    }

    fn poll_pause(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let longest = self.longest_pause;
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        if !std::mem::replace(&mut self.pausing, true) {
            pause.as_mut().reset(Instant::now() + longest);
        }
        pause.as_mut().poll(cx)
    }
}

impl Body for InboundBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                frame.map(|frame| frame.map_err(|error| failure::of_body(&error)))
            }
            Poll::Pending => {
                ready!(self.poll_pause(cx));
                Some(Err(Error::ConnectionReadTimeout))
            }
        };
        self.pausing = false;
        if self.incoming.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            self.permit = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
