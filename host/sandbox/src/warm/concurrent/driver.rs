//! What runs an instance that answers several requests at once.

use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, Sleep};
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
use crate::runnable::Runnable;
use crate::shared::Shared;
use crate::state::State;
use crate::warm::Retired;

/// The calls of a guest that are under way.
type Running<'a> = Vec<Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>>;

/// Makes an instance, and runs it from now on.
pub(super) async fn start(
    pool: &Arc<ConcurrentPool>,
    runnable: &Runnable,
    binding: &Binding,
) -> Result<Arc<ConcurrentInstance>> {
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
        end: std::time::Instant::now().checked_add(life.age),
    };
    let concurrent = Arc::new(ConcurrentInstance::new(calls, pool.budget.clone(), bounds));
    let end = Instant::now().checked_add(life.age);
    let guest = Guest {
        pool: Arc::downgrade(pool),
        concurrent: Arc::clone(&concurrent),
        idle_time: pool.config.idle_time,
        memory_part: f64::from(pool.config.memory_percent) / 100.0,
        own: own.shared,
        unfinished: Mutex::default(),
    };
    concurrent.set_driver(Box::pin(run(guest, instance, receiver, end)));
    let (ticker, turns) = (Arc::clone(&runnable.ticker), binding.turns.clone());
    let driven = Arc::clone(&concurrent);
    tokio::spawn(std::future::poll_fn(move |cx| {
        ticker.touch();
        let step = driven.poll_driver(cx);
        if let Some(turns) = &turns {
            turns.leave();
        }
        step
    }));
    Ok(concurrent)
}

/// The guest of an instance, as it is run.
struct Guest {
    pool: Weak<ConcurrentPool>,
    concurrent: Arc<ConcurrentInstance>,
    idle_time: Duration,
    memory_part: f64,
    /// What is of no request.
    own: Arc<Shared>,
    /// Requests that the guest may still work on, handled or not.
    unfinished: Mutex<Vec<Arc<Shared>>>,
}

impl Drop for Guest {
    /// It is dropped before its store.
    fn drop(&mut self) {
        for shared in lock(&self.unfinished).drain(..) {
            shared.note_end();
        }
    }
}

async fn run(
    guest: Guest,
    mut instance: Instance,
    mut calls: UnboundedReceiver<Call>,
    end: Option<Instant>,
) {
    // Dropped in this order: what is moved in last goes first.
    let guest = guest;
    let Instance { store, handler, .. } = &mut instance;
    let Handler::Wasi03(service) = handler else {
        return;
    };
    let ended = store
        .run_concurrent(async |accessor| guest.serve(accessor, service, &mut calls, end).await)
        .await;
    if let Err(error) = ended.and_then(|ended| ended) {
        guest.retire(Retired::Failed);
        let error = guest.own.blame(error);
        guest.concurrent.end_calls(&Arc::new(error));
    }
}

impl Guest {
    /// Has the guest handle all `calls`, until it is too old or idle for too long.
    async fn serve(
        &self,
        accessor: &Accessor<State>,
        service: &Service,
        calls: &mut UnboundedReceiver<Call>,
        end: Option<Instant>,
    ) -> Result<()> {
        let mut running: Running<'_> = Vec::new();
        let mut pause: Option<Pin<Box<Sleep>>> = None;
        std::future::poll_fn(|cx| {
            while let Poll::Ready(Some(call)) = calls.poll_recv(cx) {
                pause = None;
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
            match failed {
                Some(error) => return Poll::Ready(Err(error)),
                None if !running.is_empty() => return Poll::Pending,
                None => {}
            }
            self.rest(accessor, cx);
            let pause = pause.get_or_insert_with(|| {
                let idle = Instant::now() + self.idle_time;
                Box::pin(tokio::time::sleep_until(
                    end.map_or(idle, |end| end.min(idle)),
                ))
            });
            std::task::ready!(pause.as_mut().poll(cx));
            let is_too_old = end.is_some_and(|end| Instant::now() >= end);
            let why = if is_too_old {
                Retired::Age
            } else {
                Retired::Idle
            };
            match self.expire(why) {
                true => Poll::Ready(Ok(())),
                // A call is on its way.
                false => Poll::Pending,
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
        let shared = Arc::clone(&state.shared);
        lock(&self.unfinished).push(Arc::clone(&shared));
        let handler = service.wasi_http_handler();
        let call = accessor.with(|mut guest| {
            let request = wasi_0_3::receive(guest.data_mut(), request, scheme)?;
            let call = handler
                .func_handle()
                .start_call_concurrent(&mut guest, (request,))?;
            guest.data_mut().requests.add(call.task(), state);
            Ok::<_, wasmtime::Error>(call)
        })?;
        let func = handler.func_handle();
        let (answered,) = func.finish_call_concurrent(accessor, call).await?;
        match answered {
            Ok(response) => {
                accessor.with(|guest| wasi_0_3::answer(guest, &shared, response))?;
            }
            Err(code) => shared.put_head(Err(Failure::from_error_code(&code))),
        }
        let forwarded = std::future::poll_fn(|cx| shared.poll_forward(cx)).await;
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

    /// Lets go of the instance, unless somebody has a place in it. Answers whether it does.
    fn expire(&self, why: Retired) -> bool {
        let is_idle = self.concurrent.retire_if_idle();
        if is_idle && let Some(pool) = self.pool.upgrade() {
            pool.forget(&self.concurrent, why);
        }
        is_idle
    }
}
