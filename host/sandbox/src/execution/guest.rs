//! The guest of an execution: a future that is polled one step at a time, its clocks and its deadline.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::uri::Scheme;
use http_body::Body;
use tokio::time::Sleep;
use wasmtime::Store;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types;

use crate::error::is_success;
use crate::request::RequestBody;
use crate::run_queue::RunQueue;
use crate::runnable::Runnable;
use crate::shared::Shared;
use crate::state::State;
use crate::usage::LONG_TURN;

type Run = Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send>>;

/// Why a guest came to no good end.
pub(super) enum Cut {
    /// It ended itself, or trapped.
    Error(wasmtime::Error),
    /// It ran longer than its wall time, which is this.
    Deadline(Duration),
}

/// A guest that is polled by whoever waits for its answer.
pub(super) struct Guest {
    runnable: Arc<Runnable>,
    turns: Option<Arc<RunQueue>>,
    /// `None` once it has ended.
    run: Option<Run>,
    /// Made when it has to wait for the first time.
    deadline: Option<Pin<Box<Sleep>>>,
    /// What of its wall time had passed before it started.
    waited: Duration,
    started: Instant,
    /// Time on a processor.
    pub(super) busy: Duration,
    /// Steps that took longer than [`LONG_TURN`].
    pub(super) overruns: u64,
    /// From start to end, once it has ended.
    pub(super) wall: Duration,
}

impl Guest {
    /// A guest that handles `request`; it first runs when it is polled.
    pub(super) fn new<B>(
        runnable: &Arc<Runnable>,
        store: Store<State>,
        request: Request<RequestBody<B>>,
        scheme: Scheme,
        turns: Option<Arc<RunQueue>>,
        waited: Duration,
        shared: &Arc<Shared>,
    ) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let (run_on, shared) = (Arc::clone(runnable), Arc::clone(shared));
        Self {
            runnable: Arc::clone(runnable),
            turns,
            run: Some(Box::pin(run(run_on, store, request, scheme, shared))),
            deadline: None,
            waited,
            started: Instant::now(),
            busy: Duration::ZERO,
            overruns: 0,
            wall: Duration::ZERO,
        }
    }

    /// Whether it still runs.
    pub(super) fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// The bound on the response body, in bytes.
    pub(super) fn response_limit(&self) -> Option<u64> {
        self.runnable.limits().response_body
    }

    /// Lets it run one step. Ready when it has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        let Some(run) = &mut self.run else {
            return Poll::Ready(Ok(()));
        };
        self.runnable.ticker.touch();
        let before = Instant::now();
        let step = run.as_mut().poll(cx);
        let took = before.elapsed();
        self.busy += took;
        self.overruns += u64::from(took > LONG_TURN);
        if let Some(turns) = &self.turns {
            turns.leave();
        }
        match step {
            Poll::Pending => self.poll_deadline(cx).map(Err),
            Poll::Ready(ended) => {
                self.stop();
                Poll::Ready(match ended {
                    Err(error) if !is_success(&error) => Err(Cut::Error(error)),
                    _ => Ok(()),
                })
            }
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Cut> {
        let limit = self.runnable.limits().wall_time;
        let deadline = self.deadline.get_or_insert_with(|| {
            let left = limit.saturating_sub(self.waited + self.started.elapsed());
            Box::pin(tokio::time::sleep(left))
        });
        std::task::ready!(deadline.as_mut().poll(cx));
        self.stop();
        Poll::Ready(Cut::Deadline(limit))
    }

    /// Ends it, if it has not ended.
    pub(super) fn stop(&mut self) {
        if self.run.take().is_some() {
            self.wall = self.started.elapsed();
        }
    }
}

async fn run<B>(
    runnable: Arc<Runnable>,
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
    // The function that calls this back is replaced: see `linker::outgoing`.
    let outparam = http.new_response_outparam_from_callback(drop)?;
    let before = Instant::now();
    let proxy = runnable
        .linked
        .instance_pre()
        .instantiate_async(&mut store)
        .await?;
    shared.note_instantiation(before.elapsed());
    proxy
        .wasi_http_incoming_handler()
        .call_handle(&mut store, request, outparam)
        .await
}
