//! The response body of a guest of WASI 0.3, on its way into a pipe.
//!
//! Such a guest returns its response, and goes on: tasks of it write the body meanwhile. What they write is moved into a
//! pipe, as guests of WASI 0.2 write into one, so that all bounds are the same. The stream that it comes from ends alike
//! when the guest has finished it and when the guest is gone. So it is read for as long as the guest is there, and what
//! has not come to its end by then is cut.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use tokio::sync::oneshot;
use wasmtime::Result;
use wasmtime_wasi::p2::StreamError;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, WasiBody};

use super::error::GaveUpBody;
use super::pipe::PipeWriter;

/// Tells the guest what became of its body.
pub(crate) type Sent = oneshot::Sender<std::result::Result<(), Error>>;

/// A body that is being moved.
pub(crate) struct Forward {
    body: WasiBody,
    writer: PipeWriter,
    sent: Sent,
    /// What was taken and not written yet.
    piece: Bytes,
    trailers: Option<HeaderMap>,
}

impl Forward {
    pub(crate) fn new(body: WasiBody, writer: PipeWriter, sent: Sent) -> Self {
        Self {
            body,
            writer,
            sent,
            piece: Bytes::new(),
            trailers: None,
        }
    }

    /// Moves what there is. Ready when there is nothing more to be moved; it is not to be polled again then, but
    /// [ended](Self::end).
    ///
    /// # Errors
    /// Why the guest may not go on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Moved>> {
        loop {
            match ready!(self.writer.poll_write_all(&mut self.piece, cx)) {
                Ok(()) => {}
                Err(StreamError::Closed) => return Poll::Ready(Ok(Moved::Unread)),
                Err(StreamError::Trap(error)) => return Poll::Ready(Err(error)),
                Err(StreamError::LastOperationFailed(_)) => return Poll::Ready(Ok(Moved::TooMuch)),
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(Ok(Moved::All)),
                Some(Err(error)) => return Poll::Ready(Err(GaveUpBody(error.to_string()).into())),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.piece = data,
                    Err(frame) => self.trailers = frame.into_trailers().ok(),
                },
            }
        }
    }

    /// Ends it as it has come to be, and tells the guest.
    ///
    /// # Errors
    /// If the body has not the length that its head declares.
    pub(crate) fn end(self, moved: Moved) -> Result<()> {
        let sent = match moved {
            Moved::All => match self.writer.finish(self.trailers) {
                Ok(()) => Ok(()),
                Err(ErrorCode::HttpResponseBodySize(Some(bytes))) => {
                    let why = format!("it ended after {bytes} bytes, before its content-length");
                    return Err(GaveUpBody(why).into());
                }
                Err(code) => return Err(GaveUpBody(format!("{code:?}")).into()),
            },
            Moved::Unread => Err(Error::ConnectionTerminated),
            // Whoever reads it sees it, and says so.
            Moved::TooMuch => Err(Error::HttpResponseBodySize(None)),
        };
        // The guest need not wait to be told.
        let _ = self.sent.send(sent);
        Ok(())
    }
}

/// How far a body was moved.
pub(crate) enum Moved {
    All,
    /// To where nobody reads on.
    Unread,
    /// Beyond the length that its head declares.
    TooMuch,
}
