//! One call of a function, from its request to the end of its guest.
//!
//! The guest is polled by whoever waits for its answer: first for the head, then for the body. No task is spawned for
//! it, so a small answer takes one poll from start to end. What is left to do when the answer is complete runs on in a
//! task of its own.
//!
//! `Guest` runs the component step by step, `Execution` knows how far the answer has come and how it ended, and
//! [`ResponseBody`] hands out the body. [`ExecutionBuilder`] starts all three.
//!
//! # For servers
//!
//! [`Function::call`](crate::Function::call) is all that most programs need. A server that streams bodies, runs many
//! executions on one thread or writes a log starts its executions by
//! [`Function::execution`](crate::Function::execution) and is told of them by an [`Observer`].

mod body;
mod builder;
mod guest;
mod wasi_0_2;
pub(crate) mod wasi_0_3;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use wasmtime_wasi_http::p2::body::StreamContext;

use super::account::Account;
use super::error::Failure;
use super::head;
use super::instance::{Binding, is_full};
use super::outbound::TRACEPARENT;
use super::pipe::PipeReader;
use super::request::RequestBody;
use super::runnable::Runnable;
use super::shared::Shared;
use super::usage::Usage;
use guest::{Cut, Guest};

pub use super::observer::{Ended, Observer};
pub use super::run_queue::RunQueue;
pub use super::usage::LONG_TURN;
pub use body::ResponseBody;
pub use builder::ExecutionBuilder;

/// An execution under way. Dropping it ends the guest.
struct Execution {
    shared: Arc<Shared>,
    guest: Guest,
    observer: Box<dyn Observer>,
    status: Option<StatusCode>,
    /// It was said that the guest waits for somebody to read what it writes.
    told_unread: bool,
    failure: Option<Failure>,
    waits_for_end: Option<Waker>,
    ended: bool,
}

impl Execution {
    /// Prepares the guest; it first runs when it is polled.
    fn new<B>(
        runnable: &Arc<Runnable>,
        request: Request<B>,
        scheme: Scheme,
        turns: Option<Arc<RunQueue>>,
        waited: Duration,
        observer: Box<dyn Observer>,
    ) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let limits = runnable.limits();
        let account = Account::new(limits.memory, runnable.budget.clone());
        let is_head = request.method() == Method::HEAD;
        let shared = Arc::new(Shared::new(limits.log_output, account, is_head));
        let traceparent = request.headers().get(TRACEPARENT).cloned();
        let binding = Binding {
            shared: Arc::clone(&shared),
            turns,
            traceparent,
        };
        let request = request.map(|body| {
            RequestBody::new(
                body,
                limits.request_body,
                limits.request_idle,
                Arc::clone(&shared),
            )
        });
        let guest = Guest::new(runnable, binding, request, scheme, waited);
        Self {
            shared,
            guest,
            observer,
            status: None,
            told_unread: false,
            failure: None,
            waits_for_end: None,
            ended: false,
        }
    }

    /// Runs the guest until its response head is there, and as much of the body as comes without waiting.
    ///
    /// # Errors
    /// Why there is no response. The observer has been told the same.
    async fn respond(mut self) -> Result<Response<ResponseBody>, Failure> {
        let head = std::future::poll_fn(|cx| self.poll_head(cx)).await?;
        if let Err(reason) = head::check(&head) {
            return Err(self.fail(Failure::InvalidResponse(reason)));
        }
        let is_bodiless = self.shared.is_bodiless(&head);
        let (parts, body) = head.into_parts();
        let mut body = ResponseBody::new(self, body, &parts, is_bodiless)?;
        std::future::poll_fn(|cx| body.poll_prefetch(cx)).await?;
        body.drive();
        Ok(Response::from_parts(parts, body))
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<Option<PipeReader>>, Failure>> {
        let step = self.poll_step(cx);
        let head = self.shared.take_head();
        // A request that went wrong is answered by the host, whatever the guest made of it.
        if let Some(failure) = self.shared.request_failure() {
            return Poll::Ready(Err(self.fail(failure)));
        }
        if let Poll::Ready(Err(failure)) = step {
            match &head {
                // What the guest has set and finished is its answer, whatever became of it afterwards.
                Some(Ok(response)) if self.shared.is_whole(response) => {
                    self.status = Some(response.status());
                    self.fail(failure);
                }
                _ => return Poll::Ready(Err(self.fail(failure))),
            }
        }
        match head {
            Some(Ok(response)) => {
                self.status = Some(response.status());
                Poll::Ready(Ok(response))
            }
            Some(Err(failure)) => Poll::Ready(Err(self.fail(failure))),
            None if self.is_running() => Poll::Pending,
            None => Poll::Ready(Err(self.fail(Failure::NoResponse))),
        }
    }

    /// Lets the guest run one step. Ready when it has ended.
    fn poll_guest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let step = self.poll_step(cx);
        step.map_err(|failure| self.fail(failure))
    }

    /// As [`poll_guest`](Self::poll_guest), but the observer is not told of a failure.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if !self.is_running() {
            return Poll::Ready(Ok(()));
        }
        let Poll::Ready(ended) = self.guest.poll(cx) else {
            // A guest that is busy does not move what it has written.
            if let Poll::Ready(Err(error)) = self.shared.poll_forward(cx) {
                self.stop();
                return Poll::Ready(Err(self.failure_from_guest(&error)));
            }
            self.tell_waiting();
            return Poll::Pending;
        };
        self.wake_waiting();
        Poll::Ready(ended.map_err(|cut| match cut {
            Cut::Deadline(limit) => {
                self.guest.note_late(&self.shared);
                Failure::Timeout(limit)
            }
            Cut::Error(error) => self.failure_from_guest(&error),
        }))
    }

    fn tell_waiting(&mut self) {
        if let Some(kind) = self.shared.take_unread_body()
            && !std::mem::replace(&mut self.told_unread, true)
        {
            let text = waits_unread(kind).to_owned();
            self.shared.output().note(text, None);
        }
        let lines = self.shared.output().take_lines();
        self.observer.waiting(lines);
    }

    /// Whether the guest still runs.
    fn is_running(&self) -> bool {
        self.guest.is_running()
    }

    /// The bound on its response body, in bytes.
    fn response_limit(&self) -> Option<u64> {
        self.guest.response_limit()
    }

    /// Waits for the end of a guest that another task runs.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        if let Some(failure) = self.failure() {
            return Poll::Ready(Err(failure));
        }
        if !self.is_running() {
            return Poll::Ready(Ok(()));
        }
        self.waits_for_end = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Why it failed, if it did.
    fn failure(&self) -> Option<Failure> {
        self.failure.clone()
    }

    /// Ends a guest whose client went away.
    fn abandon(&mut self) {
        if self.is_running() {
            self.fail(Failure::Disconnected);
        }
    }

    /// Takes note that the body is complete: if the guest has ended too, and not in failure, all went well.
    fn finish(&mut self) {
        if !self.is_running() {
            self.end(None);
        }
    }

    /// Ends an execution whose body the guest gave up. What befell its request says more than `failure`.
    fn fail_body(&mut self, failure: Failure) -> Failure {
        let failure = self.shared.request_failure().unwrap_or(failure);
        self.fail(failure)
    }

    /// Ends the execution as failed and answers the failure: the first one, if there was one before.
    fn fail(&mut self, failure: Failure) -> Failure {
        self.stop();
        let first = self.failure.get_or_insert(failure).clone();
        self.end(Some(first.clone()));
        first
    }

    fn failure_from_guest(&self, error: &wasmtime::Error) -> Failure {
        if is_full(error) {
            Failure::Start("all instances are in use".into())
        } else if let Some(failure) = self.shared.request_failure() {
            failure
        } else {
            Failure::from_guest(
                error,
                self.shared.has_instance(),
                self.shared.account().refused(),
            )
        }
    }

    fn stop(&mut self) {
        self.guest.stop();
        self.wake_waiting();
    }

    fn wake_waiting(&mut self) {
        if let Some(waiting) = self.waits_for_end.take() {
            waiting.wake();
        }
    }

    fn end(&mut self, failure: Option<Failure>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let mut output = self.shared.output();
        output.close();
        let lines = output.take_lines();
        drop(output);
        self.observer.ended(Ended {
            status: self.status,
            failure,
            usage: Usage {
                wall: self.guest.wall,
                busy: self.guest.busy + self.shared.busy(),
                overruns: self.guest.overruns,
                memory: self.shared.account().most(),
                instantiation: self.shared.instantiation(),
                received: self.shared.received(),
                sent: self.shared.sent(),
            },
            lines,
        });
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        self.abandon();
        self.end(None);
    }
}

/// What is said of a guest that cannot write on, as nobody reads the body of a message of this `kind`.
fn waits_unread(kind: StreamContext) -> &'static str {
    match kind {
        StreamContext::Response => {
            "waits: 1 MiB of its response body stands unread, and nobody reads it before response-outparam.set is called"
        }
        StreamContext::Request => {
            "waits: 1 MiB of the body of its outbound request stands unread, and nobody reads it before \
             outgoing-handler.handle is called and the request is sent"
        }
    }
}
