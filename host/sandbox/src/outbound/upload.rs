//! The bodies of requests on their way to the outside.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use wasmtime_wasi_http::{Error, WasiBody};

use super::hooks::RefusalSink;
use crate::lock::lock;

/// How many bodies of one execution are under way, and who waits for their end.
#[derive(Default)]
pub(super) struct Uploads(Mutex<UnderWay>);

#[derive(Default)]
struct UnderWay {
    count: usize,
    waiting: Option<Waker>,
}

impl Uploads {
    /// Ready when none is under way.
    pub(super) fn poll_all_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut under_way = lock(&self.0);
        if under_way.count == 0 {
            return Poll::Ready(());
        }
        under_way.waiting = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// A body that is under way until it has ended or is dropped.
///
/// A stream of WASI 0.3 ends alike when the guest has closed it and when the guest itself is gone. So an end that is seen
/// after the guest's is none: whoever receives the body has to see that it is not whole.
pub(super) struct Upload {
    body: WasiBody,
    guest: Arc<dyn RefusalSink>,
    /// Counts it.
    under_way: Option<Counted>,
}

struct Counted(Arc<Uploads>);

impl Drop for Counted {
    fn drop(&mut self) {
        let mut under_way = lock(&self.0.0);
        under_way.count -= 1;
        let waiting = match under_way.count {
            0 => under_way.waiting.take(),
            _ => None,
        };
        drop(under_way);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

impl Upload {
    pub(super) fn new(body: WasiBody, guest: Arc<dyn RefusalSink>, uploads: &Arc<Uploads>) -> Self {
        lock(&uploads.0).count += 1;
        Self {
            body,
            guest,
            under_way: Some(Counted(Arc::clone(uploads))),
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if matches!(frame, Some(Ok(_))) {
            return Poll::Ready(frame);
        }
        let is_cut = frame.is_none() && self.guest.has_ended() && self.under_way.is_some();
        self.under_way = None;
        Poll::Ready(match is_cut {
            true => Some(Err(Error::HttpProtocolError)),
            false => frame,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
