//! The body of a request to the outside.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::function::endings::is_mark;

/// A request body that does not seem whole when its guest was ended in the middle of it.
///
/// The body's other end goes with the guest, which looks just like the end of the body.
pub(super) struct UncutBody {
    body: WasiBody,
    guest_ended: Arc<AtomicBool>,
}

impl UncutBody {
    pub(super) fn new(body: WasiBody, guest_ended: Arc<AtomicBool>) -> Self {
        Self { body, guest_ended }
    }
}

impl Body for UncutBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = loop {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) if is_mark(&frame) => {}
                frame => break frame,
            }
        };
        if frame.is_none() && self.guest_ended.load(Ordering::Acquire) {
            return Poll::Ready(Some(Err(Error::HttpProtocolError)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    fn body(guest_ended: bool) -> UncutBody {
        let whole = Full::new(Bytes::from_static(b"half")).map_err(|never| match never {});
        UncutBody::new(whole.boxed_unsync(), Arc::new(guest_ended.into()))
    }

    #[tokio::test]
    async fn a_body_whose_guest_was_ended_ends_with_an_error() {
        assert!(body(true).collect().await.is_err());
        assert_eq!(body(false).collect().await.unwrap().to_bytes(), "half");
    }
}
