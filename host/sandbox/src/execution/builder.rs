//! Starting an execution.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use http_body::Body;

use super::{Execution, ResponseBody};
use crate::error::Failure;
use crate::line::Line;
use crate::observer::{Ended, Observer};
use crate::run_queue::RunQueue;
use crate::runnable::Runnable;

/// One call of a function that has not started yet, as [`Function::execution`](crate::Function::execution) makes it.
///
/// Everything but [`start`](Self::start) is for servers; the default suits a program that makes one call at a time.
#[must_use = "nothing runs before it is started"]
pub struct ExecutionBuilder<'a> {
    runnable: &'a Arc<Runnable>,
    scheme: Scheme,
    turns: Option<Arc<RunQueue>>,
    waited: Duration,
    observer: Box<dyn Observer>,
}

/// Follows nothing.
struct Nobody;

impl Observer for Nobody {
    fn waiting(&mut self, _: Vec<Line>) {}

    fn ended(&mut self, _: Ended) {}
}

impl<'a> ExecutionBuilder<'a> {
    pub(crate) fn new(runnable: &'a Arc<Runnable>) -> Self {
        Self {
            runnable,
            scheme: Scheme::HTTP,
            turns: None,
            waited: Duration::ZERO,
            observer: Box::new(Nobody),
        }
    }

    /// The scheme that the guest is told of. Default `http`.
    pub fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    /// The queue of this thread: busy executions with the same one run one after the other. Default none, so that a busy
    /// guest gives way to whatever its thread has to do, and no more.
    pub fn run_queue(mut self, turns: Arc<RunQueue>) -> Self {
        self.turns = Some(turns);
        self
    }

    /// What of the wall time has passed already. Default nothing.
    pub fn waited(mut self, waited: Duration) -> Self {
        self.waited = waited;
        self
    }

    /// Who is told of the execution. Default nobody.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Starts the execution and waits for its response head; the body runs the rest of it.
    ///
    /// `request` must have an authority, in its URI or as `Host` (RFC 9110, section 7.2). Dropping the returned future, or
    /// the body before its end, ends the guest.
    ///
    /// # Errors
    /// Why there is no response; the observer has been told the same.
    pub fn start<B>(
        self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Failure>> + Send + use<B>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        Execution::new(
            self.runnable,
            request,
            self.scheme,
            self.turns,
            self.waited,
            self.observer,
        )
        .respond()
    }
}
