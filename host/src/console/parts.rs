//! A body that comes in parts, as they are made.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc::Receiver;

use super::open::InCall;

/// A body of the parts that a channel brings. It ends when nobody sends any more; whoever sends notices when it is dropped.
pub(super) struct Parts {
    pub(super) parts: Receiver<Bytes>,
    /// The call that is answered.
    pub(super) _in_call: InCall,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.parts.poll_recv(cx);
        part.map(|part| part.map(|part| Ok(Frame::data(part))))
    }
}
