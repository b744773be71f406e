//! An instance of a component, and what is bound to it for each request.

use std::sync::Arc;

use http::HeaderValue;
use tokio::time::Instant;
use wasmtime::{PoolConcurrencyLimitError, Result, Store};

use super::handler::{Handler, HandlerPre};
use super::run_queue::RunQueue;
use super::runnable::Runnable;
use super::shared::Shared;
use super::stacks::{HeldStacks, NoStack};
use super::state::{self, State};
use super::warm::{Life, Member, Retired, WarmPool};

/// An instance. Fresh ones answer one request, warm ones several, one after the other.
pub(crate) struct Instance {
    /// Before `store`, so that it is known that nothing more will come before anything of it is dropped.
    ending: Ending,
    pub(crate) store: Store<State>,
    pub(crate) handler: Handler,
    /// After `store`, which runs on them.
    _stacks: Option<HeldStacks>,
    made: Instant,
    answered: u32,
    /// It has answered a request before the one that it was given last.
    is_reused: bool,
    life: Option<Life>,
    /// For a warm one. After `store`, so that its memory is free when it is counted.
    member: Option<Member>,
}

/// Notes the end of an instance, for the request that it was given last.
struct Ending(Arc<Shared>);

impl Ending {
    fn of(binding: &Binding) -> Self {
        // An instance may have been made for it that did not come up.
        binding.shared.note_begin();
        Self(Arc::clone(&binding.shared))
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.note_end();
    }
}

/// What an instance is given for one request.
pub(crate) struct Binding {
    pub(crate) shared: Arc<Shared>,
    /// The queue of the thread that it runs on.
    pub(crate) turns: Option<Arc<RunQueue>>,
    /// For its calls, unless it sets one itself.
    pub(crate) traceparent: Option<HeaderValue>,
}

impl Instance {
    /// Makes one, in the pool that suits it.
    pub(crate) async fn make(runnable: &Runnable, binding: &Binding) -> Result<Self> {
        let before = Instant::now();
        let made = match runnable.linked.resident() {
            // Warm ones are seldom made.
            Some(resident) if runnable.warm.is_none() => {
                match Self::try_make(resident, runnable, binding).await {
                    Err(error) if is_full(&error) => Self::make_room(runnable, binding).await,
                    made => made,
                }
            }
            _ => Self::make_room(runnable, binding).await,
        };
        if made.is_ok() {
            binding.shared.note_instantiation(before.elapsed());
            binding.shared.note_instance();
        }
        made
    }

    /// Makes one beside all others, none of which gives way.
    pub(crate) async fn make_beside(runnable: &Runnable, binding: &Binding) -> Result<Self> {
        Self::try_make(runnable.linked.handler(), runnable, binding).await
    }

    /// Makes one in the pool of all. If there is no place for it, those that lie idle give way.
    async fn make_room(runnable: &Runnable, binding: &Binding) -> Result<Self> {
        loop {
            match Self::try_make(runnable.linked.handler(), runnable, binding).await {
                Err(error) if evicts_for_stacks(&error, runnable) => {}
                Err(error)
                    if error.is::<PoolConcurrencyLimitError>() && runnable.budget.evict_idle() => {}
                made => return made,
            }
        }
    }

    async fn try_make(
        handler: &HandlerPre,
        runnable: &Runnable,
        binding: &Binding,
    ) -> Result<Self> {
        let stacks = runnable.linked.take_stacks()?;
        let mut store = state::store(handler.engine(), &runnable.settings, binding);
        let ending = Ending::of(binding);
        let handler = handler.instantiate(&mut store).await?;
        Ok(Self {
            ending,
            store,
            handler,
            _stacks: stacks,
            made: Instant::now(),
            answered: 0,
            is_reused: false,
            life: runnable.warm.as_ref().map(|pool| pool.life()),
            member: None,
        })
    }

    /// Gives it to another execution. Nothing that belongs to one execution is left from the last one.
    pub(crate) fn bind(&mut self, runnable: &Runnable, binding: &Binding) {
        state::bind(&mut self.store, &runnable.settings, binding);
        self.ending = Ending::of(binding);
        self.is_reused = self.answered > 0;
        binding.shared.note_instance();
        if self.is_reused {
            binding.shared.note_reused();
        }
    }

    /// Whether it has answered a request before the one that it was given last.
    pub(crate) fn is_reused(&self) -> bool {
        self.is_reused
    }

    /// Adds a line of the host's own to what it has printed.
    pub(crate) fn note(&self, text: &str) {
        self.store.data().shared.output().note(text.into(), None);
    }

    /// Counts it among the instances of `pool` from now on.
    pub(crate) fn join(&mut self, pool: &Arc<WarmPool>) {
        self.member = Some(pool.note_made());
    }

    /// Notes that it has answered a request.
    pub(crate) fn note_answered(&mut self) {
        self.answered = self.answered.saturating_add(1);
    }

    /// Whether it has answered as many requests as it is to.
    pub(crate) fn has_answered_all(&self) -> bool {
        let life = self.life.as_ref();
        life.is_none_or(|life| self.answered >= life.requests)
    }

    pub(crate) fn is_too_old(&self) -> bool {
        let life = self.life.as_ref();
        life.is_none_or(|life| self.made.elapsed() >= life.age)
    }

    /// When it becomes too old, if ever.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.made.checked_add(self.life.as_ref()?.age)
    }

    /// Says why it is about to be let go of.
    pub(crate) fn retires(&mut self, why: Retired) {
        if let Some(member) = &mut self.member {
            member.retires(why);
        }
    }

    /// Its linear memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.store.data().meter.memory()
    }

    /// Gives back what was charged for things that are gone, as it has nothing to do for now.
    pub(crate) fn rest(&mut self) {
        self.store.data_mut().meter.charge(0);
    }

    /// Whether it keeps more than its standard streams.
    pub(crate) fn keeps_handles(&mut self) -> bool {
        self.store.data_mut().keeps_handles() || self.keeps_tasks()
    }

    /// Whether it keeps a stream, a future or a task of WASI 0.3, or something that waits for them.
    fn keeps_tasks(&mut self) -> bool {
        let tasks = self.store.concurrent_resource_table();
        tasks.is_some_and(|tasks| !tasks.is_empty())
    }

    /// Why no other execution may have it, given the part of its memory that it may keep.
    pub(crate) fn left_dirty(&mut self, memory_part: f64) -> Option<Retired> {
        let left = self.store.data_mut().left_dirty(memory_part);
        left.or_else(|| self.keeps_tasks().then_some(Retired::Handles))
    }
}

/// Lets go of an idle instance, if there are too few stacks and it holds some of those. Answers whether it did.
fn evicts_for_stacks(error: &wasmtime::Error, runnable: &Runnable) -> bool {
    let Some(NoStack { own }) = error.downcast_ref() else {
        return false;
    };
    runnable.budget.evict_idle_of(|component| match own {
        true => Arc::ptr_eq(component, &runnable.linked),
        false => component.is_of_0_3(),
    })
}

/// Whether a pool has no place.
pub(crate) fn is_full(error: &wasmtime::Error) -> bool {
    error.is::<PoolConcurrencyLimitError>() || error.is::<NoStack>()
}
