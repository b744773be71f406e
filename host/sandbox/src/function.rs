//! A component that has been checked, compiled and linked: a function that can be called.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::Request;
use http_body::Body;

use super::budget::{Budget, MemoryBudget};
use super::call::{self, Done};
use super::config::FunctionConfig;
use super::error::{CallError, LoadError};
use super::execution::ExecutionBuilder;
use super::generation::Generation;
use super::interfaces::Given;
use super::limits::Limits;
use super::linked::Linked;
use super::outbound::OutboundClient;
use super::runnable::Runnable;
use super::state::Settings;
use super::ticker::Ticker;
use super::trial;
use super::warm::{Ahead, ConcurrentPool, WarmPool, WarmUsage};

/// A loaded function. Cheap to clone; each call gets a fresh instance, unless its instances are [`Warm`](crate::Warm).
#[derive(Clone)]
pub struct Function {
    runnable: Arc<Runnable>,
}

impl Function {
    /// A function of the component `linked`, whose executions draw on `memory`.
    pub(crate) fn new(
        ticker: Arc<Ticker>,
        memory: Arc<MemoryBudget>,
        ahead: &Arc<Ahead>,
        linked: Arc<Linked>,
        mut config: FunctionConfig,
    ) -> Result<Self, LoadError> {
        linked.inspection().check(config.limits.memory)?;
        let outbound = OutboundClient::new(config.take_outbound())
            .map_err(|error| LoadError::Outbound(error.to_string()))?;
        let budget = Budget::new(memory, config.memory_share);
        let takes_several = linked.inspection().handler() == Some(Generation::Wasi03);
        let (at_once, concurrent, warm) = match config.warm {
            Some(warm) if takes_several && warm.concurrency > 1 => {
                let at_once = warm.concurrency as usize;
                let pool = ConcurrentPool::new(warm, budget.clone(), Arc::clone(&linked));
                (at_once, Some(pool), None)
            }
            warm => (1, None, warm),
        };
        let runnable = Arc::new_cyclic(|runnable: &Weak<Runnable>| Runnable {
            ticker,
            concurrent,
            warm: warm.map(|warm| {
                let ahead = Arc::clone(ahead);
                WarmPool::new(warm, budget.clone(), ahead, runnable.clone())
            }),
            budget,
            linked,
            settings: Settings {
                limits: config.limits,
                environment: config.environment,
                outbound: Arc::new(outbound),
                at_once,
                given: Arc::new(Given {
                    config: config.config,
                    keyvalue: config.keyvalue,
                }),
            },
        });
        Ok(Self { runnable })
    }

    /// Calls the function and gathers the whole answer. A function that goes on after it is waited for, within its wall
    /// time.
    ///
    /// The request needs an authority: in its URI or in a `Host` header; without one, `localhost` stands in.
    ///
    /// # Errors
    /// [`CallError`] says why there is no answer, with what the execution printed and used until then.
    pub async fn call<B>(&self, request: Request<B>) -> Result<Done, CallError>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        call::call(self.execution(), request).await
    }

    /// Makes an instance, and lets it go again, to see whether that works. If so, those are made that are to be there ahead
    /// of need.
    ///
    /// # Errors
    /// [`LoadError::Instantiate`] or [`LoadError::StartTime`], if it does not.
    pub async fn try_instance(&self) -> Result<(), LoadError> {
        trial::instantiate(&self.runnable).await.map(drop)?;
        // On a thread of their own, which outlives the runtime of this one.
        if let Some(pool) = &self.runnable.warm {
            pool.fill();
        }
        Ok(())
    }

    /// An execution that is still to be started. For servers; other programs [`call`](Self::call).
    pub fn execution(&self) -> ExecutionBuilder<'_> {
        ExecutionBuilder::new(&self.runnable)
    }

    #[cfg(test)]
    pub(crate) fn runnable(&self) -> &Runnable {
        &self.runnable
    }

    /// What each execution may use.
    #[inline]
    pub fn limits(&self) -> &Limits {
        self.runnable.limits()
    }

    /// Its warm instances; nothing if each request gets a fresh one.
    pub fn warm_usage(&self) -> Option<WarmUsage> {
        let pool = self.runnable.concurrent.as_ref();
        match pool {
            Some(pool) => Some(pool.usage()),
            None => Some(self.runnable.warm.as_ref()?.usage()),
        }
    }

    /// Whether its component was compiled when it was loaded, rather than found compiled.
    #[inline]
    pub fn is_newly_compiled(&self) -> bool {
        self.runnable.linked.is_newly_compiled()
    }
}
