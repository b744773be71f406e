//! The instances of one function that answer several requests at once, as guests of WASI 0.3 can.
//!
//! Such an instance is driven by a task of its own. A request is sent to it, and its execution waits until the guest has
//! handled it. No call can be ended alone: when an execution ends before its guest's call does, the instance takes no
//! further requests, and ends with the last of those that it has.

mod driver;
mod instance;
mod place;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use http::Request;
use http::uri::Scheme;
use wasmtime::Result;
use wasmtime_wasi_http::WasiBody;

use super::retired::{Counts, Retired};
use super::{Warm, WarmUsage};
use crate::budget::{Budget, IdleInstances, MemoryShare};
use crate::error::InstanceEnded;
use crate::instance::Binding;
use crate::linked::Linked;
use crate::lock::lock;
use crate::requests::RequestState;
use crate::runnable::Runnable;
use crate::shared::Shared;
use crate::state::hooks;
use instance::ConcurrentInstance;
use place::Place;

/// Keeps the instances of one function that answer several requests at once.
pub(crate) struct ConcurrentPool {
    config: Warm,
    budget: Budget,
    component: Arc<Linked>,
    instances: Mutex<Vec<Arc<ConcurrentInstance>>>,
    retired: Counts,
    numbers: AtomicU64,
}

impl ConcurrentPool {
    pub(crate) fn new(config: Warm, budget: Budget, component: Arc<Linked>) -> Arc<Self> {
        let pool = Arc::new(Self {
            config,
            budget: budget.clone(),
            component,
            instances: Mutex::default(),
            retired: Counts::default(),
            numbers: AtomicU64::new(0),
        });
        let idle: Weak<Self> = Arc::downgrade(&pool);
        budget.add_idle(idle);
        pool
    }

    /// Has an instance handle `request`. Ready when the guest has handled it.
    ///
    /// # Errors
    /// Why it did not.
    pub(crate) async fn call(
        self: &Arc<Self>,
        runnable: &Runnable,
        binding: Binding,
        request: Request<WasiBody>,
        scheme: Scheme,
    ) -> Result<()> {
        let thread = binding.turns.as_ref().map_or(0, |turns| turns.number());
        let place = match self.join(thread) {
            Some(place) => place,
            None => self.make(runnable, &binding).await?,
        };
        let hooks = hooks(&runnable.settings, &binding);
        let shared: Arc<Shared> = binding.shared;
        shared.note_instance();
        let state = RequestState {
            shared: Arc::clone(&shared),
            hooks,
        };
        let mut handled = place.handle(state, request, scheme);
        let handled = std::future::poll_fn(|cx| {
            shared.watch(cx);
            Pin::new(&mut handled).poll(cx)
        })
        .await;
        shared.add_busy(place.busy());
        match handled {
            Ok(Ok(())) => {
                place.answered();
                Ok(())
            }
            Ok(Err(error)) => Err(InstanceEnded(error).into()),
            Err(_) => Err(wasmtime::Error::msg("its instance is gone")),
        }
    }

    /// A place in the instance of `thread` that was made last, of those that have one. No thread waits for what another
    /// one runs.
    fn join(self: &Arc<Self>, thread: usize) -> Option<Place> {
        let instances = lock(&self.instances);
        let latest_first = instances.iter().rev();
        let mut own = latest_first.filter(|instance| instance.thread == thread);
        own.find_map(|instance| Place::in_instance(self, instance))
    }

    async fn make(self: &Arc<Self>, runnable: &Runnable, binding: &Binding) -> Result<Place> {
        let (instance, running) = driver::start(self, runnable, binding).await?;
        // What is not run ends.
        let place = Place::in_instance(self, &instance)
            .ok_or_else(|| wasmtime::Error::msg("its instance may not answer a request"))?;
        lock(&self.instances).push(instance);
        tokio::spawn(running);
        Ok(place)
    }

    /// Lets no further request have `instance`.
    fn retire(&self, instance: &Arc<ConcurrentInstance>, why: Retired) {
        if instance.retire() {
            self.forget(instance, why);
        }
    }

    /// Takes note that `instance` is retired.
    fn forget(&self, instance: &Arc<ConcurrentInstance>, why: Retired) {
        self.retired.note(why);
        lock(&self.instances).retain(|other| !Arc::ptr_eq(other, instance));
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether as many lie idle as may.
    fn has_idle_enough(&self) -> bool {
        self.idle() >= self.config.most_idle
    }

    fn idle(&self) -> usize {
        let instances = lock(&self.instances);
        let idle = instances.iter().filter(|one| one.idle_since().is_some());
        idle.count()
    }

    pub(crate) fn usage(&self) -> WarmUsage {
        WarmUsage {
            idle: self.idle(),
            retired: self.retired.all(),
        }
    }

    /// Those that are idle, with since when, longest first.
    fn oldest_first(&self) -> Vec<(Instant, Arc<ConcurrentInstance>)> {
        let instances = lock(&self.instances);
        let idle = instances
            .iter()
            .filter_map(|instance| Some((instance.idle_since()?, Arc::clone(instance))));
        let mut idle: Vec<_> = idle.collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        idle
    }
}

impl Drop for ConcurrentPool {
    /// Nobody has a place any more.
    fn drop(&mut self) {
        let instances = self.instances.get_mut();
        for instance in instances.unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Its own task ends it.
            instance.retire();
        }
    }
}

impl IdleInstances for ConcurrentPool {
    fn oldest(&self) -> Option<Instant> {
        Some(self.oldest_first().first()?.0)
    }

    fn evict_oldest(&self) -> bool {
        let idle = self.oldest_first();
        // One that its guest keeps busy at this moment cannot be ended at once.
        let evicted = idle.iter().find(|(_, instance)| instance.end_if_idle());
        if let Some((_, instance)) = evicted {
            self.forget(instance, Retired::Evicted);
        }
        evicted.is_some()
    }

    fn component(&self) -> Option<Arc<Linked>> {
        Some(Arc::clone(&self.component))
    }

    fn share(&self) -> Option<&MemoryShare> {
        self.budget.share()
    }
}
