//! What the executions of one function have in common.

use std::sync::Arc;

use http::HeaderValue;
use wasmtime::{Engine, Store};

use super::budget::Budget;
use super::limits::Limits;
use super::linked::Linked;
use super::run_queue::RunQueue;
use super::shared::Shared;
use super::state::{self, Settings, State};
use super::ticker::Ticker;

/// A component that is ready to be instantiated, and what each instance of it gets.
pub(crate) struct Runnable {
    pub(crate) engine: Engine,
    /// Its thread runs for as long as a function needs it.
    pub(crate) ticker: Arc<Ticker>,
    /// Memory that the executions draw on.
    pub(crate) budget: Budget,
    pub(crate) linked: Arc<Linked>,
    pub(crate) settings: Settings,
}

impl Runnable {
    /// What each execution may use.
    pub(crate) fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// A store for one execution, as [`state::store`] makes it.
    pub(crate) fn store(
        &self,
        shared: &Arc<Shared>,
        turns: Option<Arc<RunQueue>>,
        traceparent: Option<HeaderValue>,
    ) -> Store<State> {
        state::store(&self.engine, &self.settings, shared, turns, traceparent)
    }
}
