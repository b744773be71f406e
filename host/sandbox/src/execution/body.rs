//! The response body on its way out of a guest.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use tokio::task::AbortHandle;
use tokio::time::Sleep;

use super::Execution;
use crate::error::Failure;
use crate::head::content_length;
use crate::lock::lock;
use crate::pipe::{Next, PipeReader};

/// How much of a body is gathered before the head is sent, in bytes. An answer within it leaves in one write, with its
/// length known, and a guest that fails while making it still gets an error status instead of a torn body.
const PREFETCH: usize = 16 * 1024;

/// How long the client of a body that was given up is kept in doubt while the guest may still end.
const CUT_GRACE: Duration = Duration::from_millis(100);

/// The body of a response, which runs the guest that makes it.
///
/// An error of this body means that the rest will not come; the connection has to show that to the client. In answer to
/// HEAD, and with a status that has no body, it is empty, whatever the guest writes.
pub struct ResponseBody {
    execution: Arc<Mutex<Execution>>,
    /// What is told of a body that the guest gave up, if nothing more is learnt of it in time.
    cut: Option<(Failure, Pin<Box<Sleep>>)>,
    /// Ends the task that runs the guest, once there is one. Before, whoever polls the body runs it.
    driver: Option<AbortHandle>,
    /// `None` where the guest has asked for no body.
    guest_body: Option<PipeReader>,
    ready: VecDeque<Frame<Bytes>>,
    ready_bytes: u64,
    complete: bool,
    delivered: u64,
    taken: u64,
    /// What the head says of the length, where a body follows it.
    declared: Option<u64>,
    limit: Option<u64>,
    /// No body goes out. The guest writes what it writes to nobody.
    bodiless: bool,
}

impl ResponseBody {
    /// The body of the answer with this `head`.
    ///
    /// # Errors
    /// If the guest has written more already than a body may have.
    pub(super) fn new(
        mut execution: Execution,
        mut guest_body: Option<PipeReader>,
        head: &Parts,
        bodiless: bool,
    ) -> Result<Self, Failure> {
        let limit = execution.response_limit();
        let mut declared = content_length(&head.headers).ok().flatten();
        if bodiless {
            declared = None;
            let body = guest_body.as_mut();
            if let (Some(false), Some(limit)) = (body.map(|body| body.discard(limit)), limit) {
                return Err(execution.fail(Failure::ResponseTooLarge(limit)));
            }
        }
        Ok(Self {
            execution: Arc::new(Mutex::new(execution)),
            cut: None,
            driver: None,
            guest_body,
            ready: VecDeque::new(),
            ready_bytes: 0,
            complete: false,
            delivered: 0,
            taken: 0,
            declared,
            limit,
            bodiless,
        })
    }

    /// Gathers what comes without waiting. Never pending: what needs waiting is left for later.
    pub(super) fn poll_prefetch(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        while (self.ready_bytes as usize) < PREFETCH {
            match self.poll_guest_frame(cx) {
                Poll::Pending => break,
                Poll::Ready(None) => {
                    self.complete = true;
                    break;
                }
                Poll::Ready(Some(Err(failure))) => return Poll::Ready(Err(failure)),
                Poll::Ready(Some(Ok(_))) if self.bodiless => {}
                Poll::Ready(Some(Ok(frame))) => {
                    self.ready_bytes += data_length(&frame);
                    self.ready.push_back(frame);
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The next frame from the guest, which runs as far as it must.
    fn poll_guest_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if self.cut.is_some() {
            return self.poll_cut(cx).map(|failure| Some(Err(failure)));
        }
        let mut stepped = false;
        loop {
            match self.poll_next(cx) {
                Poll::Ready(Next::Data(bytes)) => {
                    return Poll::Ready(Some(self.count(Frame::data(bytes))));
                }
                Poll::Ready(Next::Finished(trailers)) => {
                    if let Err(failure) = self.close() {
                        return Poll::Ready(Some(Err(failure)));
                    }
                    // Nobody asks for more after trailers.
                    self.complete = true;
                    return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                }
                Poll::Ready(Next::Cut) if self.bodiless => {
                    return Poll::Ready(lock(&self.execution).failure().map(Err));
                }
                Poll::Ready(Next::Cut) => {
                    let failure = invalid(format_args!("its body was not finished"));
                    self.cut = Some((failure, Box::pin(tokio::time::sleep(CUT_GRACE))));
                    return self.poll_cut(cx).map(|failure| Some(Err(failure)));
                }
                Poll::Pending => {}
            }
            let mut execution = lock(&self.execution);
            if stepped || self.driver.is_some() || !execution.is_running() {
                return Poll::Pending;
            }
            stepped = true;
            if let Poll::Ready(Err(failure)) = execution.poll_guest(cx)
                && !self.is_finished()
            {
                return Poll::Ready(Some(Err(failure)));
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        match &mut self.guest_body {
            Some(body) => body.poll_next(cx),
            None => Poll::Ready(Next::Finished(None)),
        }
    }

    /// Whether the guest has said that nothing more comes.
    fn is_finished(&self) -> bool {
        self.guest_body.as_ref().is_none_or(PipeReader::is_finished)
    }

    /// Waits a little for a guest that gave up its body: how it ends says more than that it did.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        let Some((failure, grace)) = &mut self.cut else {
            return Poll::Pending;
        };
        let mut execution = lock(&self.execution);
        let ended = match self.driver {
            Some(_) => execution.poll_end(cx),
            None => execution.poll_guest(cx),
        };
        match ended {
            Poll::Ready(Err(failure)) => Poll::Ready(failure),
            Poll::Ready(Ok(())) => Poll::Ready(execution.fail_body(failure.clone())),
            Poll::Pending => {
                std::task::ready!(grace.as_mut().poll(cx));
                Poll::Ready(execution.fail_body(failure.clone()))
            }
        }
    }

    fn count(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Failure> {
        let length = data_length(&frame);
        self.taken += length;
        let excess = match (self.declared, self.limit) {
            (Some(declared), _) if self.taken > declared => invalid(format_args!(
                "its body is longer than the {declared} bytes of its content-length"
            )),
            (_, Some(limit)) if self.taken > limit => Failure::ResponseTooLarge(limit),
            _ => return Ok(frame),
        };
        Err(lock(&self.execution).fail(excess))
    }

    /// Takes note that nothing more comes. That is only well if the guest has kept to the length that it declared: the
    /// server trusts it with where the next response begins.
    fn close(&mut self) -> Result<(), Failure> {
        let mut execution = lock(&self.execution);
        match self.declared {
            Some(declared) if self.taken < declared => {
                Err(execution.fail_body(invalid(format_args!(
                    "its body has {} of the {declared} bytes of its content-length",
                    self.taken
                ))))
            }
            _ => {
                execution.finish();
                Ok(())
            }
        }
    }

    /// Gives a guest that goes on after this much of its answer a task of its own. Its deadline and its turns must not
    /// depend on a client that may take nothing, so that nobody asks for more of the body.
    pub(super) fn drive(&mut self) {
        if !lock(&self.execution).is_running() {
            return;
        }
        let execution = Arc::clone(&self.execution);
        let guest = std::future::poll_fn(move |cx| lock(&execution).poll_guest(cx).map(drop));
        self.driver = Some(tokio::spawn(guest).abort_handle());
    }

    fn is_delivered(&self) -> bool {
        self.bodiless
            || (self.complete && self.ready.is_empty())
            || self.declared.is_some_and(|length| self.delivered >= length)
    }
}

fn invalid(why: fmt::Arguments<'_>) -> Failure {
    Failure::InvalidResponse(why.to_string())
}

fn data_length(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| data.len() as u64)
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let this = &mut *self;
        if this.bodiless {
            return Poll::Ready(None);
        }
        let frame = match this.ready.pop_front() {
            Some(frame) => Some(Ok(frame)),
            None if this.complete => None,
            None => std::task::ready!(this.poll_guest_frame(cx)),
        };
        match &frame {
            Some(Ok(frame)) => {
                let length = data_length(frame);
                this.delivered += length;
                this.ready_bytes = this.ready_bytes.saturating_sub(length);
            }
            Some(Err(_)) => {}
            None => this.complete = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.bodiless || (self.complete && self.ready.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        let has_trailers = self.ready.iter().any(Frame::is_trailers);
        if self.bodiless || (self.complete && !has_trailers) {
            SizeHint::with_exact(self.ready_bytes)
        } else {
            SizeHint::default()
        }
    }
}

impl Drop for ResponseBody {
    /// A guest that still runs when its whole answer is out goes on to its end, within its deadline. One whose client
    /// went away ends here.
    fn drop(&mut self) {
        let Some(driver) = &self.driver else {
            return;
        };
        if !self.is_delivered() {
            lock(&self.execution).abandon();
            driver.abort();
        }
    }
}
