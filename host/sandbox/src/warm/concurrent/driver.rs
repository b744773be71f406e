//! What runs an instance that answers several requests at once.

use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Sleep;
use wasmtime::component::Accessor;
use wasmtime::{AsContextMut, Result};
use wasmtime_wasi_http::p3::bindings::Service;

use super::ConcurrentPool;
use super::instance::{Bounds, Call, ConcurrentInstance};
use crate::account::Account;
use crate::error::Failure;
use crate::execution::wasi_0_3;
use crate::handler::Handler;
use crate::instance::{Binding, Instance};
use crate::lock::lock;
use crate::run_queue::RunQueue;
use crate::runnable::Runnable;
use crate::shared::Shared;
use crate::state::State;
use crate::ticker::Ticker;
use crate::warm::Retired;

/// The calls of a guest that are under way.
type Running<'a> = Vec<Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>>;

/// Makes an instance, and what is to run it.
pub(super) async fn start(
    pool: &Arc<ConcurrentPool>,
    runnable: &Runnable,
    binding: &Binding,
) -> Result<(Arc<ConcurrentInstance>, RunningInstance)> {
    let limits = runnable.limits();
    // Its memory is nobody's alone.
    let own = Binding {
        shared: Arc::new(Shared::new(
            limits.log_output,
            Account::new(limits.memory, runnable.budget.clone()),
            false,
        )),
        turns: binding.turns.clone(),
        traceparent: None,
    };
    let instance = Instance::make(runnable, &own).await;
    if let Some(time) = own.shared.instantiation() {
        binding.shared.note_instantiation(time);
    }
    let instance = instance.map_err(|error| own.shared.blame(error))?;
    let life = pool.config.life();
    let (calls, receiver) = unbounded_channel();
    let bounds = Bounds {
        at_once: pool.config.concurrency.max(1) as usize,
        requests: life.requests,
        end: Instant::now().checked_add(life.age),
    };
    let turns = binding.turns.clone();
    let thread = turns.as_ref().map_or(0, |turns| turns.number());
    let budget = pool.budget.clone();
    let concurrent = Arc::new(ConcurrentInstance::new(calls, budget, bounds, thread));
    let guest = Guest {
        pool: Arc::downgrade(pool),
        concurrent: Arc::clone(&concurrent),
        memory_part: f64::from(pool.config.memory_percent) / 100.0,
        own: own.shared,
        unfinished: Mutex::default(),
    };
    concurrent.set_driver(Box::pin(run(guest, instance, receiver)));
    let running = RunningInstance {
        instance: Arc::clone(&concurrent),
        pool: Arc::downgrade(pool),
        ticker: Arc::clone(&runnable.ticker),
        turns,
        idle_time: pool.config.idle_time,
        pause: None,
    };
    Ok((concurrent, running))
}

/// The task that runs an instance. It lets go of one that nobody has used for long: the guest itself may be busy for ever.
pub(super) struct RunningInstance {
    instance: Arc<ConcurrentInstance>,
    pool: Weak<ConcurrentPool>,
    ticker: Arc<Ticker>,
    turns: Option<Arc<RunQueue>>,
    idle_time: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Future for RunningInstance {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.ticker.touch();
        let step = self.instance.poll_driver(cx);
        if let Some(turns) = &self.turns {
            turns.leave();
        }
        if step.is_ready() {
            return Poll::Ready(());
        }
        let Some((end, why)) = self.instance.expires(self.idle_time) else {
            return Poll::Pending;
        };
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end.into())));
        if pause.deadline() != end.into() {
            pause.as_mut().reset(end.into());
        }
        std::task::ready!(pause.as_mut().poll(cx));
        match self.instance.end_if_idle() {
            true => {
                if let Some(pool) = self.pool.upgrade() {
                    pool.forget(&self.instance, why);
                }
                Poll::Ready(())
            }
            // Somebody has just taken a place in it.
            false => Poll::Pending,
        }
    }
}

impl Drop for RunningInstance {
    /// What its runtime does not run any more ends, and so does what panicked.
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.retire(&self.instance, Retired::Failed);
        }
        self.instance.end();
    }
}

/// The guest of an instance, as it is run.
struct Guest {
    pool: Weak<ConcurrentPool>,
    concurrent: Arc<ConcurrentInstance>,
    memory_part: f64,
    /// What is of no request.
    own: Arc<Shared>,
    /// Requests that the guest may still work on, handled or not.
    unfinished: Mutex<Vec<Weak<Shared>>>,
}

impl Drop for Guest {
    /// It is dropped before its store.
    fn drop(&mut self) {
        for shared in lock(&self.unfinished).drain(..) {
            if let Some(shared) = shared.upgrade() {
                shared.note_end();
            }
        }
    }
}

async fn run(guest: Guest, mut instance: Instance, mut calls: UnboundedReceiver<Call>) {
    // What is moved in last is dropped first.
    let guest = guest;
    let Instance { store, handler, .. } = &mut instance;
    let Handler::Wasi03(service) = handler else {
        return;
    };
    let ended = store
        .run_concurrent(async |accessor| guest.serve(accessor, service, &mut calls).await)
        .await;
    if let Err(error) = ended.and_then(|ended| ended) {
        guest.retire(Retired::Failed);
        let error = guest.own.blame(error);
        guest.concurrent.end_calls(&Arc::new(error));
    }
}

impl Guest {
    /// Has the guest handle all `calls`.
    async fn serve(
        &self,
        accessor: &Accessor<State>,
        service: &Service,
        calls: &mut UnboundedReceiver<Call>,
    ) -> Result<()> {
        let mut running: Running<'_> = Vec::new();
        std::future::poll_fn(|cx| {
            self.concurrent.note_look();
            while let Poll::Ready(Some(call)) = calls.poll_recv(cx) {
                running.push(Box::pin(self.handle(accessor, service, call)));
            }
            let mut failed = None;
            running.retain_mut(|call| match call.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(handled) => {
                    failed = failed.take().or(handled.err());
                    false
                }
            });
            if running.is_empty() {
                self.rest(accessor, cx);
            }
            match failed {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Handles one call to its end, or to that of its execution.
    async fn handle(
        &self,
        accessor: &Accessor<State>,
        service: &Service,
        call: Call,
    ) -> Result<()> {
        let Call {
            number,
            state,
            request,
            scheme,
        } = call;
        if !self.concurrent.is_waiting(number) {
            return Ok(());
        }
        let shared = Arc::clone(&state.shared);
        self.note_unfinished(&shared);
        let handler = service.wasi_http_handler();
        let begun = accessor.with(|mut guest| {
            let charges = &mut guest.data_mut().charges;
            charges.note_head(request.headers(), request.uri());
            let request = wasi_0_3::receive(guest.data_mut(), request, scheme)?;
            let call = handler
                .func_handle()
                .start_call_concurrent(&mut guest, (request,))?;
            guest.data_mut().requests.add(call.task(), state);
            Ok::<_, wasmtime::Error>(call)
        });
        let call = match begun {
            Ok(call) => call,
            // No matter of the others, as the guest knows nothing of it.
            Err(error) => {
                self.concurrent.end_call(number, Err(Arc::new(error)));
                return Ok(());
            }
        };
        let func = handler.func_handle();
        let (answered,) = func.finish_call_concurrent(accessor, call).await?;
        match answered {
            Ok(response) => {
                accessor.with(|guest| wasi_0_3::answer(guest, &shared, response))?;
            }
            Err(code) => shared.put_head(Err(Failure::from_error_code(&code))),
        }
        let forwarded = std::future::poll_fn(|cx| {
            shared.watch_forward(cx);
            shared.poll_forward(cx)
        })
        .await;
        let (memory, used) = accessor.with(|mut guest| guest.data_mut().memory_used());
        shared.account().note(memory);
        self.concurrent.note_memory(memory);
        if used > self.memory_part {
            self.retire(Retired::Memory);
        }
        // What is wrong with its body is no matter of the others.
        self.concurrent
            .end_call(number, forwarded.map_err(Arc::new));
        Ok(())
    }

    /// Looks at what is left when no call is under way.
    fn rest(&self, accessor: &Accessor<State>, cx: &mut Context<'_>) {
        if accessor.poll_no_interesting_tasks(cx).is_pending() {
            return;
        }
        let keeps = accessor.with(|mut guest| {
            let keeps_tasks = guest
                .as_context_mut()
                .concurrent_resource_table()
                .is_some_and(|tasks| !tasks.is_empty());
            let state = guest.data_mut();
            state.rest();
            keeps_tasks || state.keeps_handles()
        });
        if keeps {
            self.retire(Retired::Handles);
            return;
        }
        lock(&self.unfinished).clear();
    }

    fn retire(&self, why: Retired) {
        if let Some(pool) = self.pool.upgrade() {
            pool.retire(&self.concurrent, why);
        }
    }

    /// Adds a request to those that the guest may work on. What nobody else keeps any more needs no note of its end.
    fn note_unfinished(&self, shared: &Arc<Shared>) {
        let mut unfinished = lock(&self.unfinished);
        if unfinished.len() == unfinished.capacity() {
            unfinished.retain(|shared| shared.strong_count() > 0);
        }
        unfinished.push(Arc::downgrade(shared));
    }
}
