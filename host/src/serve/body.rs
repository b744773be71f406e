//! The bodies that leave the listener.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::Full;

use super::stall::StreamWatch;
use crate::function::{Failure, ResponseBody};

/// A response body: a guest's, or the host's own.
pub(super) enum Body {
    Guest(Box<GuestBody>),
    Whole(Full<Bytes>),
}

/// A guest's body, and who watches whether the client takes it.
pub(super) struct GuestBody {
    body: ResponseBody,
    watch: Option<Arc<StreamWatch>>,
}

impl Body {
    /// A body that is there as a whole.
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }

    /// The body of an execution.
    pub(super) fn guest(body: ResponseBody) -> Self {
        Self::Guest(Box::new(GuestBody {
            body,
            watch: StreamWatch::current(),
        }))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Self::Guest(guest) => {
                let frame = Pin::new(&mut guest.body).poll_frame(cx);
                if let Some(watch) = &guest.watch {
                    watch.note(frame.is_ready());
                }
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Guest(guest) => guest.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Guest(guest) => guest.body.size_hint(),
        }
    }
}
