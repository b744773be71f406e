//! One call of a function in a fresh instance.
//!
//! The guest is polled by whoever waits for its answer: first for the head, then for the body. No task is spawned for
//! it, so a small answer takes one poll from start to end. What is left to do when the answer is complete runs on in a
//! task of its own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::Scheme;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use tokio::time::Sleep;
use wasmtime::Store;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types;
use wasmtime_wasi_http::p2::body::StreamContext;

use super::account::Account;
use super::component::Function;
use super::instance::{self, State};
use super::outbound::TRACEPARENT;
use super::outcome::{Ended, Failure, LONG_TURN, Observer, Usage, is_success};
use super::pipe::PipeReader;
use super::request::RequestBody;
use super::response::{self, ResponseBody};
use super::shared::Shared;
use super::turn::Turnstile;

type Guest = Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send>>;

/// An execution under way. Dropping it ends the guest.
pub(super) struct Execution {
    function: Function,
    shared: Arc<Shared>,
    turns: Option<Arc<Turnstile>>,
    guest: Option<Guest>,
    deadline: Option<Pin<Box<Sleep>>>,
    /// What of its wall time had passed before it started.
    waited: Duration,
    observer: Box<dyn Observer>,
    started: Instant,
    busy: Duration,
    overruns: u64,
    /// From start to the end of the guest, once it has ended.
    wall: Duration,
    status: Option<StatusCode>,
    /// It was said that the guest waits for somebody to read what it writes.
    told_unread: bool,
    failure: Option<Failure>,
    waits_for_end: Option<Waker>,
    ended: bool,
}

impl Execution {
    /// Prepares the guest; it first runs when it is polled.
    pub(super) fn new<B>(
        function: &Function,
        request: Request<B>,
        scheme: Scheme,
        turns: Option<Arc<Turnstile>>,
        waited: Duration,
        observer: Box<dyn Observer>,
    ) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let limits = function.limits();
        let account = Account::new(limits.memory, function.budget().clone());
        let is_head = request.method() == Method::HEAD;
        let shared = Arc::new(Shared::new(limits.log_output, account, is_head));
        let traceparent = request.headers().get(TRACEPARENT).cloned();
        let store = instance::store(function, &shared, turns.clone(), traceparent);
        let request = request.map(|body| {
            RequestBody::new(
                body,
                limits.request_body,
                limits.request_idle,
                Arc::clone(&shared),
            )
        });
        let guest = run(
            function.clone(),
            store,
            request,
            scheme,
            Arc::clone(&shared),
        );
        Self {
            function: function.clone(),
            shared,
            turns,
            guest: Some(Box::pin(guest)),
            deadline: None,
            waited,
            observer,
            started: Instant::now(),
            busy: Duration::ZERO,
            overruns: 0,
            wall: Duration::ZERO,
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
    pub(super) async fn respond(mut self) -> Result<Response<ResponseBody>, Failure> {
        let head = std::future::poll_fn(|cx| self.poll_head(cx)).await?;
        if let Err(reason) = response::check(&head) {
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
            Some(Err(code)) => Poll::Ready(Err(self.fail(Failure::from_error_code(&code)))),
            None if self.is_running() => Poll::Pending,
            None => Poll::Ready(Err(self.fail(Failure::NoResponse))),
        }
    }

    /// Lets the guest run one step. Ready when it has ended.
    pub(super) fn poll_guest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let step = self.poll_step(cx);
        step.map_err(|failure| self.fail(failure))
    }

    /// As [`poll_guest`](Self::poll_guest), but the observer is not told of a failure.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let Some(guest) = &mut self.guest else {
            return Poll::Ready(Ok(()));
        };
        self.function.ticker().touch();
        let before = Instant::now();
        let step = guest.as_mut().poll(cx);
        let took = before.elapsed();
        self.busy += took;
        self.overruns += u64::from(took > LONG_TURN);
        if let Some(turns) = &self.turns {
            turns.leave();
        }
        match step {
            Poll::Ready(Ok(())) => {
                self.stop();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) if is_success(&error) => {
                self.stop();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                self.stop();
                Poll::Ready(Err(self.failure_from_guest(&error)))
            }
            Poll::Pending => self.wait(cx),
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let limit = self.function.limits().wall_time;
        let deadline = self.deadline.get_or_insert_with(|| {
            let left = limit.saturating_sub(self.waited + self.started.elapsed());
            Box::pin(tokio::time::sleep(left))
        });
        if deadline.as_mut().poll(cx).is_ready() {
            self.stop();
            return Poll::Ready(Err(Failure::Timeout(limit)));
        }
        if let Some(kind) = self.shared.take_unread_body()
            && !std::mem::replace(&mut self.told_unread, true)
        {
            self.shared.output().note(waits_unread(kind).to_owned());
        }
        let lines = self.shared.output().take_lines();
        self.observer.waiting(lines);
        Poll::Pending
    }

    /// Whether the guest still runs.
    pub(super) fn is_running(&self) -> bool {
        self.guest.is_some()
    }

    /// The bound on its response body, in bytes.
    pub(super) fn response_limit(&self) -> Option<u64> {
        self.function.limits().response_body
    }

    /// Waits for the end of a guest that another task runs.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
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
    pub(super) fn failure(&self) -> Option<Failure> {
        self.failure.clone()
    }

    /// Ends a guest whose client went away.
    pub(super) fn abandon(&mut self) {
        if self.is_running() {
            self.fail(Failure::Disconnected);
        }
    }

    /// Takes note that the body is complete: if the guest has ended too, and not in failure, all went well.
    pub(super) fn finish(&mut self) {
        if !self.is_running() {
            self.end(None);
        }
    }

    /// Ends an execution whose body the guest gave up. What befell its request says more than `failure`.
    pub(super) fn fail_body(&mut self, failure: Failure) -> Failure {
        let failure = self.shared.request_failure().unwrap_or(failure);
        self.fail(failure)
    }

    /// Ends the execution as failed and answers the failure: the first one, if there was one before.
    pub(super) fn fail(&mut self, failure: Failure) -> Failure {
        self.stop();
        let first = self.failure.get_or_insert(failure).clone();
        self.end(Some(first.clone()));
        first
    }

    fn failure_from_guest(&self, error: &wasmtime::Error) -> Failure {
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            Failure::Start("all instances are in use".into())
        } else if let Some(failure) = self.shared.request_failure() {
            failure
        } else {
            Failure::from_guest(
                error,
                self.shared.instantiation().is_some(),
                self.shared.account().refused(),
            )
        }
    }

    fn stop(&mut self) {
        if self.guest.take().is_some() {
            self.wall = self.started.elapsed();
        }
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
                wall: self.wall,
                busy: self.busy,
                overruns: self.overruns,
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

async fn run<B>(
    function: Function,
    mut store: Store<State>,
    request: Request<RequestBody<B>>,
    scheme: Scheme,
    shared: Arc<Shared>,
) -> wasmtime::Result<()>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    store
        .data_mut()
        .charges
        .receive(request.headers(), request.uri());
    let mut http = store.data_mut().http();
    let scheme = if scheme == Scheme::HTTPS {
        types::Scheme::Https
    } else {
        types::Scheme::Http
    };
    let request = http.new_incoming_request(scheme, request)?;
    // The function that calls this back is replaced: see `outgoing`.
    let outparam = http.new_response_outparam_from_callback(drop)?;
    let before = Instant::now();
    let proxy = function
        .instance_pre()
        .instantiate_async(&mut store)
        .await?;
    shared.note_instantiation(before.elapsed());
    proxy
        .wasi_http_incoming_handler()
        .call_handle(&mut store, request, outparam)
        .await
}
