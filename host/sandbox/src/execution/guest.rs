//! The guest of an execution: a future that is polled one step at a time, its clocks and its deadline.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http::uri::Scheme;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::Sleep;

use super::{wasi_0_2, wasi_0_3};
use crate::error::is_success;
use crate::handler::Handler;
use crate::instance::{Binding, Instance};
use crate::request::RequestBody;
use crate::run_queue::RunQueue;
use crate::runnable::Runnable;
use crate::shared::Shared;
use crate::usage::LONG_TURN;

/// Gives back the instance that it ran in, if that is a warm one.
type Run = Pin<Box<dyn Future<Output = wasmtime::Result<Option<Instance>>> + Send>>;

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
        binding: Binding,
        request: Request<RequestBody<B>>,
        scheme: Scheme,
        waited: Duration,
    ) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        Self {
            runnable: Arc::clone(runnable),
            turns: binding.turns.clone(),
            run: Some(Box::pin(run(
                Arc::clone(runnable),
                binding,
                request,
                scheme,
            ))),
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
            Poll::Ready(Ok(instance)) => {
                self.keep(instance);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                self.stop();
                Poll::Ready(match is_success(&error) {
                    true => Ok(()),
                    false => Err(Cut::Error(error)),
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

    /// Takes note that it has returned. Its instance is kept if it is a warm one.
    fn keep(&mut self, instance: Option<Instance>) {
        self.run = None;
        self.wall = self.started.elapsed();
        if let (Some(mut instance), Some(pool)) = (instance, &self.runnable.warm) {
            instance.note_answered();
            pool.put(instance, thread(self.turns.as_ref()));
        }
    }

    /// Takes note that its time was over before it ended.
    pub(super) fn note_late(&self, shared: &Shared) {
        let limit = self.runnable.limits().wall_time;
        let was_idle = self.busy < (limit / 50).min(LONG_BUSY) && self.waited < limit / 2;
        if let Some(pool) = &self.runnable.warm
            && was_idle
            && shared.hangs()
            && let Some(text) = pool.note_hung()
        {
            shared.output().note(text.into(), None);
        }
    }

    /// Ends it, if it has not ended. An instance in the middle of a call is good for no other one.
    pub(super) fn stop(&mut self) {
        if self.run.take().is_some() {
            self.wall = self.started.elapsed();
        }
    }
}

/// Whoever was on a processor for so long does not wait for nothing.
const LONG_BUSY: Duration = Duration::from_millis(100);

/// The number of the thread whose queue is `turns`.
fn thread(turns: Option<&Arc<RunQueue>>) -> usize {
    turns.map_or(0, |turns| turns.number())
}

async fn run<B>(
    runnable: Arc<Runnable>,
    binding: Binding,
    request: Request<RequestBody<B>>,
    scheme: Scheme,
) -> wasmtime::Result<Option<Instance>>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    if !request.body().is_end_stream() {
        binding.shared.note_may_wait();
    }
    if let Some(pool) = &runnable.concurrent {
        let request = request.map(BodyExt::boxed_unsync);
        pool.call(&runnable, binding, request, scheme).await?;
        return Ok(None);
    }
    let warm = runnable.warm.as_ref();
    let mut instance = match warm.and_then(|pool| pool.take(thread(binding.turns.as_ref()))) {
        Some(mut instance) => {
            instance.bind(&runnable, &binding);
            instance
        }
        None => {
            let mut instance = Instance::make(&runnable, &binding).await?;
            if let Some(pool) = warm {
                instance.join(pool);
            }
            instance
        }
    };
    let Instance { store, handler, .. } = &mut instance;
    store
        .data_mut()
        .charges
        .receive(request.headers(), request.uri());
    match handler {
        Handler::Wasi02(proxy) => wasi_0_2::handle(store, proxy, request, scheme).await?,
        Handler::Wasi03(service) => wasi_0_3::handle(store, service, request, scheme).await?,
    }
    // A fresh one ends here, within the time that counts as its execution's.
    Ok(runnable.warm.is_some().then_some(instance))
}
