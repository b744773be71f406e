//! What the executions of one function have in common.

use std::sync::Arc;

use super::budget::Budget;
use super::limits::Limits;
use super::linked::Linked;
use super::state::Settings;
use super::ticker::Ticker;
use super::warm::{ConcurrentPool, WarmPool};

/// A component that is ready to be instantiated, and what each instance of it gets.
pub(crate) struct Runnable {
    /// Its thread runs for as long as a function needs it.
    pub(crate) ticker: Arc<Ticker>,
    /// Memory that the executions draw on.
    pub(crate) budget: Budget,
    pub(crate) linked: Arc<Linked>,
    pub(crate) settings: Settings,
    /// Where its instances are kept, if they are warm.
    pub(crate) warm: Option<Arc<WarmPool>>,
    /// The same where each answers several requests at once.
    pub(crate) concurrent: Option<Arc<ConcurrentPool>>,
}

impl Runnable {
    /// What each execution may use.
    pub(crate) fn limits(&self) -> &Limits {
        &self.settings.limits
    }
}
