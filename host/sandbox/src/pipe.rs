//! A body on its way out of a guest: the guest writes it, and whoever sends it reads.
//!
//! What is written and not yet read stands here, charged to the execution. A guest may write a whole body before it
//! hands over the message that the body belongs to; so more may stand before anybody reads than after.

mod flow;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p2::body::StreamContext;

use super::account::Account;
use super::error::{HeldTooMuch, TooLarge};
use super::lock::lock;
use flow::{End, Flow, Reader};

/// What one write may hold, in bytes.
pub(crate) const MOST_WRITTEN: usize = 64 * 1024;

/// The execution that a body belongs to.
pub(crate) trait Owner: Send + Sync {
    /// What stands unread is charged to it.
    fn account(&self) -> &Account;

    /// Whether the length of the response's body matters by now.
    fn compares_length(&self) -> bool;

    /// Notes how much of the response body the guest has written.
    fn note_sent(&self, bytes: u64);

    /// Notes that the guest has let go of a body that it had not finished.
    fn note_cut_body(&self);

    /// Notes that the guest cannot write on, as nobody reads the body of a message of this `kind`.
    fn note_unread_body(&self, kind: StreamContext);
}

/// Makes a body for a message of this kind, whose head declares so many bytes.
pub(crate) fn pipe(
    kind: StreamContext,
    declared: Option<u64>,
    owner: Arc<dyn Owner>,
) -> (PipeWriter, PipeReader) {
    let pipe = Arc::new(Pipe {
        kind,
        declared,
        owner,
        flow: Mutex::new(Flow::default()),
    });
    let writer = PipeWriter {
        pipe: Arc::clone(&pipe),
        has_stream: true,
    };
    (writer, PipeReader(pipe))
}

struct Pipe {
    kind: StreamContext,
    declared: Option<u64>,
    owner: Arc<dyn Owner>,
    flow: Mutex<Flow>,
}

impl Pipe {
    /// Makes `change`, and then wakes whoever waits for it.
    fn change<T>(&self, change: impl FnOnce(&mut Flow) -> T) -> T {
        let mut flow = lock(&self.flow);
        let result = change(&mut flow);
        let reader = match flow.has_more() || !matches!(flow.end, End::Open) {
            true => flow.waiting_reader.take(),
            false => None,
        };
        let writer = match flow.may_write() {
            true => flow.waiting_writer.take(),
            false => None,
        };
        drop(flow);
        for waiting in [reader, writer].into_iter().flatten() {
            waiting.wake();
        }
        result
    }

    /// Whether a body of this length keeps to what the head declares, as far as that is known to matter.
    fn is_as_declared(&self, matches: impl Fn(u64) -> bool) -> bool {
        let is_compared = match self.kind {
            StreamContext::Request => true,
            StreamContext::Response => self.owner.compares_length(),
        };
        !is_compared || self.declared.is_none_or(matches)
    }

    fn write(&self, bytes: Bytes) -> StreamResult<()> {
        let length = bytes.len() as u64;
        if bytes.len() > MOST_WRITTEN {
            return Err(StreamError::trap("wrote more than check-write allowed"));
        }
        let written = self.change(|flow| {
            if !flow.may_write() {
                return Err(StreamError::trap("wrote more than check-write allowed"));
            }
            match flow.reader {
                Reader::Gone => return Err(StreamError::Closed),
                Reader::Discards { limit: Some(limit) } if flow.written + length > limit => {
                    return Err(StreamError::Trap(TooLarge(limit).into()));
                }
                Reader::Discards { .. } => {}
                Reader::Absent | Reader::Reads if bytes.is_empty() => {}
                Reader::Absent | Reader::Reads => {
                    if !self.owner.account().hold_body(length) {
                        return Err(StreamError::Trap(HeldTooMuch.into()));
                    }
                    flow.push(bytes);
                }
            }
            flow.written += length;
            Ok(flow.written)
        })?;
        if matches!(self.kind, StreamContext::Response) {
            self.owner.note_sent(length);
        }
        if !self.is_as_declared(|declared| written <= declared) {
            let error = self.kind.as_body_size_error(written);
            return Err(StreamError::LastOperationFailed(error.into()));
        }
        Ok(())
    }

    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut flow = lock(&self.flow);
        if flow.may_write() {
            return Poll::Ready(());
        }
        if matches!(flow.reader, Reader::Absent) {
            self.owner.note_unread_body(self.kind);
        }
        flow.waiting_writer = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let unread = lock(&self.flow).clear();
        self.owner.account().release_body(unread as u64);
    }
}

/// The guest's end. A body whose writer is dropped before it was finished is cut.
pub(crate) struct PipeWriter {
    pipe: Arc<Pipe>,
    has_stream: bool,
}

impl PipeWriter {
    /// The stream to write to, once.
    pub(crate) fn stream(&mut self) -> Option<Box<dyn OutputStream>> {
        let stream = PipeStream(Arc::clone(&self.pipe));
        std::mem::take(&mut self.has_stream).then(|| Box::new(stream) as _)
    }

    /// Writes all of `bytes`, as fast as they are read.
    ///
    /// # Errors
    /// As a stream gives them. The rest is not written then.
    pub(crate) fn poll_write_all(
        &self,
        bytes: &mut Bytes,
        cx: &mut Context<'_>,
    ) -> Poll<StreamResult<()>> {
        while !bytes.is_empty() {
            ready!(self.pipe.poll_writable(cx));
            let piece = bytes.split_to(bytes.len().min(MOST_WRITTEN));
            self.pipe.write(piece)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Says that the body is whole.
    ///
    /// # Errors
    /// If it has not the length that its head declares. Then it is cut.
    pub(crate) fn finish(self, trailers: Option<HeaderMap>) -> Result<(), ErrorCode> {
        let written = lock(&self.pipe.flow).written;
        if !self.pipe.is_as_declared(|declared| written == declared) {
            return Err(self.pipe.kind.as_body_size_error(written));
        }
        let trailers = trailers.filter(|trailers| !trailers.is_empty());
        self.pipe
            .change(|flow| flow.end = End::Finished(trailers.map(Box::new)));
        Ok(())
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        let is_cut = self.pipe.change(|flow| {
            let is_open = matches!(flow.end, End::Open);
            if is_open {
                flow.end = End::Cut;
            }
            is_open
        });
        if is_cut {
            self.pipe.owner.note_cut_body();
        }
    }
}

struct PipeStream(Arc<Pipe>);

impl OutputStream for PipeStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(bytes)
    }

    // What is written is there for the reader at once.
    fn flush(&mut self) -> StreamResult<()> {
        self.check_write().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let flow = lock(&self.0.flow);
        match flow.reader {
            Reader::Gone => Err(StreamError::Closed),
            _ if flow.may_write() => Ok(MOST_WRITTEN),
            _ => Ok(0),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for PipeStream {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.0.poll_writable(cx)).await;
    }
}

/// What comes next of a body.
#[derive(Debug)]
pub(crate) enum Next {
    Data(Bytes),
    /// The guest has finished it, with trailers or without. They are there once.
    Finished(Option<HeaderMap>),
    /// The rest will not come.
    Cut,
}

/// The other end. When it is dropped, the guest's stream is closed.
pub(crate) struct PipeReader(Arc<Pipe>);

impl PipeReader {
    /// Says that the body is going to be read. From now on, less may stand unread.
    pub(crate) fn begin(&self) {
        let mut flow = lock(&self.0.flow);
        if matches!(flow.reader, Reader::Absent) {
            flow.reader = Reader::Reads;
        }
    }

    /// What comes next.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        self.begin();
        self.0.change(|flow| {
            if let Some(piece) = flow.pop() {
                self.0.owner.account().release_body(piece.len() as u64);
                return Poll::Ready(Next::Data(piece));
            }
            match &mut flow.end {
                End::Finished(trailers) => {
                    let trailers = trailers.take().map(|trailers| *trailers);
                    Poll::Ready(Next::Finished(trailers))
                }
                End::Cut => Poll::Ready(Next::Cut),
                End::Open => {
                    flow.waiting_reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
    }

    /// Whether the guest has finished the body. Some of it may stand unread.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(lock(&self.0.flow).end, End::Finished(_))
    }

    /// Whether the guest has finished the body, and with the length that its head declares.
    pub(crate) fn is_whole(&self) -> bool {
        let written = lock(&self.0.flow).written;
        self.is_finished() && self.0.is_as_declared(|declared| written == declared)
    }

    /// Lets the guest write the rest to nobody, as long as it is no more than `limit` bytes with what it has written.
    /// Answers whether it is within that now.
    pub(crate) fn discard(&mut self, limit: Option<u64>) -> bool {
        let (unread, written) = self.0.change(|flow| {
            flow.reader = Reader::Discards { limit };
            (flow.clear(), flow.written)
        });
        self.0.owner.account().release_body(unread as u64);
        limit.is_none_or(|limit| written <= limit)
    }
}

impl fmt::Debug for PipeReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PipeReader").finish_non_exhaustive()
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        let unread = self.0.change(|flow| {
            if !matches!(flow.reader, Reader::Discards { .. }) {
                flow.reader = Reader::Gone;
            }
            flow.clear()
        });
        self.0.owner.account().release_body(unread as u64);
    }
}

/// As the body of a request to the outside.
impl Body for PipeReader {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.poll_next(cx).map(|next| match next {
            Next::Data(bytes) => Some(Ok(Frame::data(bytes))),
            Next::Finished(trailers) => trailers.map(|trailers| Ok(Frame::trailers(trailers))),
            Next::Cut => Some(Err(Error::HttpProtocolError)),
        })
    }
}

#[cfg(test)]
mod tests;
