//! The requests of an instance that has several at once, told apart by the tasks of its guest.
//!
//! Whatever a guest does in a call from the host, it does in the task of that call or in one that descends from it. Where
//! the host has to know for which request it acts, it asks for the task: see [`identify`].

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::GuestTaskId;
use wasmtime::{Result, StoreContextMut};

use super::outbound::OutboundHooks;
use super::shared::Shared;
use super::state::State;

/// What belongs to one request alone.
pub(crate) struct RequestState {
    pub(crate) shared: Arc<Shared>,
    pub(crate) hooks: OutboundHooks,
}

/// The requests of an instance by their tasks. Empty where it has one at a time.
#[derive(Default)]
pub(crate) struct Requests {
    by_task: HashMap<GuestTaskId, RequestState>,
    /// The one whose state is in place.
    current: Option<GuestTaskId>,
}

impl Requests {
    /// Adds a request that `task` is about to handle.
    pub(crate) fn add(&mut self, task: GuestTaskId, request: RequestState) {
        // The number of a task that has ended is used again.
        self.by_task.insert(task, request);
        if self.current == Some(task) {
            self.current = None;
        }
    }

    /// Bytes of the heads that are being sent for others than the current one.
    pub(crate) fn sending(&self) -> u64 {
        let hooks = self.by_task.values().map(|request| &request.hooks);
        hooks.map(OutboundHooks::sending).sum()
    }

    /// Bytes of the trailers that were received for others than the current one since the last call.
    pub(crate) fn take_received_trailers(&mut self) -> u64 {
        let hooks = self.by_task.values_mut().map(|request| &mut request.hooks);
        hooks.map(OutboundHooks::take_received_trailers).sum()
    }

    /// Forgets all requests, none of which the guest works on.
    pub(crate) fn clear(&mut self) {
        self.by_task.clear();
        self.current = None;
    }
}

impl State {
    /// Puts the state of the request that `task` handles in place of that of the last one.
    fn switch_to(&mut self, task: GuestTaskId) {
        let requests = &mut self.requests;
        if requests.current == Some(task) {
            return;
        }
        let last = requests.current.take();
        if let Some(last) = last.and_then(|last| requests.by_task.get_mut(&last)) {
            std::mem::swap(&mut self.hooks, &mut last.hooks);
        }
        if let Some(next) = requests.by_task.get_mut(&task) {
            std::mem::swap(&mut self.hooks, &mut next.hooks);
            let shared = Arc::clone(&next.shared);
            requests.current = Some(task);
            self.print_for(&shared);
            self.shared = shared;
        }
    }
}

/// Has what the host does now be done for the request that the guest works on at this moment.
///
/// # Errors
/// If wasmtime does not know its task.
pub(crate) fn identify(store: &mut StoreContextMut<'_, State>) -> Result<()> {
    if store.data().requests.by_task.is_empty() {
        return Ok(());
    }
    let root = store.async_call_stack()?.last();
    if let Some(task) = root {
        store.data_mut().switch_to(task);
    }
    Ok(())
}
