//! The bodies of answers: a guest's, or the host's own.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Full;

use host_sandbox::Failure;
use host_sandbox::execution::ResponseBody;

/// A response body: a guest's, or the host's own.
pub(in crate::serve) struct Body(Source);

enum Source {
    Guest(Box<ResponseBody>),
    Whole(Full<Bytes>),
    /// None, though the head declares its length.
    Declared,
}

impl Body {
    /// A body that is there as a whole.
    pub(in crate::serve) fn whole(bytes: Bytes) -> Self {
        Self(Source::Whole(Full::new(bytes)))
    }

    /// The body of an execution.
    pub(in crate::serve) fn guest(body: ResponseBody) -> Self {
        Self(Source::Guest(Box::new(body)))
    }

    /// Leaves a body that is there as a whole away. Answers how long it was; `None` if there was none of that kind.
    pub(in crate::serve) fn leave_away(&mut self) -> Option<u64> {
        let Source::Whole(body) = &mut self.0 else {
            return None;
        };
        std::mem::take(body).size_hint().exact()
    }

    /// Has a server of HTTP/1 keep a `content-length` in a head that no body follows: it would take it for a mistake.
    pub(in crate::serve) fn declare(&mut self) {
        if self.is_end_stream() {
            self.0 = Source::Declared;
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match &mut self.get_mut().0 {
            Source::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Source::Guest(body) => Pin::new(&mut **body).poll_frame(cx),
            Source::Declared => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Whole(body) => body.is_end_stream(),
            Source::Guest(body) => body.is_end_stream(),
            Source::Declared => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Whole(body) => body.size_hint(),
            Source::Guest(body) => body.size_hint(),
            Source::Declared => SizeHint::default(),
        }
    }
}
