//! The body of a request on its way in, and what becomes of the rest when it is let go before its end.
//!
//! On HTTP/1 the next request begins where this body ends. A small rest is read, so that the connection can go on. With
//! more to come it is closed, and the answer says so.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// A rest of this size at most is read to its end, in bytes, if it comes in this time.
const SMALL: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the last request body of an HTTP/1 connection was let go with more to come than is read. A function that goes
/// on after its answer may let go of an earlier one, which says nothing.
#[derive(Clone, Default)]
pub(in crate::serve) struct GivenUp(Arc<Numbers>);

/// Requests by their number on the connection, from 1.
#[derive(Default)]
struct Numbers {
    last: AtomicU32,
    given_up: AtomicU32,
}

impl GivenUp {
    /// Watches the body of `request`, the next one of the connection.
    pub(in crate::serve) fn watch(&self, request: Request<Incoming>) -> Request<Upload> {
        let number = self.0.last.fetch_add(1, Ordering::Relaxed) + 1;
        let expects = request.headers().contains_key(header::EXPECT);
        request.map(|body| Upload {
            given_up: (!body.is_end_stream()).then(|| (self.clone(), number)),
            body: Some(body),
            is_awaited: !expects,
        })
    }

    pub(in crate::serve) fn is_set(&self) -> bool {
        let last = self.0.last.load(Ordering::Relaxed);
        last > 0 && self.0.given_up.load(Ordering::Relaxed) == last
    }
}

/// A request body.
pub(in crate::serve) struct Upload {
    /// Until its end.
    body: Option<Incoming>,
    /// Where its rest is in the way of the next request, and the number of its own.
    given_up: Option<(GivenUp, u32)>,
    /// The client does not wait for a word before it sends the body (RFC 9110, section 10.1.1).
    is_awaited: bool,
}

/// A body whose rest is in nobody's way, as in HTTP/2.
impl From<Incoming> for Upload {
    fn from(body: Incoming) -> Self {
        Self {
            body: Some(body),
            given_up: None,
            is_awaited: true,
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_awaited = true;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        if !matches!(&frame, Some(Ok(frame)) if frame.is_data()) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let (Some((given_up, number)), Some(body)) = (&self.given_up, self.body.take()) else {
            return;
        };
        if body.is_end_stream() {
            return;
        }
        let is_small = body.size_hint().exact().is_some_and(|rest| rest <= SMALL);
        match Handle::try_current() {
            Ok(runtime) if is_small && self.is_awaited => {
                runtime.spawn(timeout(PATIENCE, read_to_nobody(body)));
            }
            _ => {
                given_up.0.given_up.fetch_max(*number, Ordering::Relaxed);
            }
        }
    }
}

async fn read_to_nobody(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}
