//! A component that has been checked, compiled and linked: a function that can be called.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use http_body::Body;
use wasmtime::Engine;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::budget::{Budget, MemoryShare};
use super::call::{self, CallError, Done};
use super::error::LoadError;
use super::execution::Execution;
use super::instance::State;
use super::limits::Limits;
use super::linked::Linked;
use super::outbound::{OutboundClient, OutboundPolicy};
use super::outcome::{Failure, Observer};
use super::response::ResponseBody;
use super::sandbox::Sandbox;
use super::ticker::Ticker;
use super::trial;
use super::turn::Turnstile;

/// What a function is given beside its component.
#[derive(Clone, Debug, Default)]
pub struct FunctionConfig {
    /// What it goes by where its component is compiled. Default the name of the component's file, if it has one.
    pub name: Option<String>,
    /// What each execution may use.
    pub limits: Limits,
    /// Its environment variables.
    pub environment: Vec<(String, String)>,
    /// Whom it may call. Default nobody.
    pub outbound: OutboundPolicy,
    /// Memory that its executions may hold together. Default no bound but that of all functions.
    ///
    /// A function that takes another one's place should have the same share, as long as both run.
    pub memory_share: Option<MemoryShare>,
}

impl From<Limits> for FunctionConfig {
    fn from(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}

/// A loaded function. Cheap to clone; each call gets a fresh instance.
#[derive(Clone)]
pub struct Function {
    inner: Arc<Inner>,
}

struct Inner {
    // The sandbox keeps the ticker running for as long as a function of it lives.
    sandbox: Sandbox,
    linked: Arc<Linked>,
    limits: Limits,
    environment: Vec<(String, String)>,
    outbound: Arc<OutboundClient>,
    budget: Budget,
}

impl Function {
    /// A function of the component `linked`.
    pub(super) fn new(
        sandbox: Sandbox,
        linked: Arc<Linked>,
        config: FunctionConfig,
    ) -> Result<Self, LoadError> {
        linked.inspection().check(config.limits.memory)?;
        let outbound = OutboundClient::new(config.outbound)
            .map_err(|error| LoadError::Outbound(error.to_string()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                budget: Budget::new(Arc::clone(sandbox.memory_budget()), config.memory_share),
                sandbox,
                linked,
                limits: config.limits,
                environment: config.environment,
                outbound: Arc::new(outbound),
            }),
        })
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
        call::call(self, request).await
    }

    /// Makes an instance, and lets it go again, to see whether that works.
    ///
    /// # Errors
    /// [`LoadError::Instantiate`], if it does not.
    pub async fn try_instance(&self) -> Result<(), LoadError> {
        trial::instantiate(self).await
    }

    /// Starts an execution and waits for its response head; the body runs the rest of it.
    ///
    /// `request` must have an authority, in its URI or as `Host` (RFC 9110, section 7.2). Executions that are started
    /// on one thread with the same `turns` take turns when they are busy. `waited` is what of its wall time has passed
    /// already. Dropping the returned future, or the body before its end, ends the guest.
    ///
    /// # Errors
    /// Why there is no response; `observer` has been told the same.
    pub fn start<B>(
        &self,
        request: Request<B>,
        scheme: Scheme,
        turns: Option<Arc<Turnstile>>,
        waited: Duration,
        observer: Box<dyn Observer>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Failure>> + Send + use<B>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        Execution::new(self, request, scheme, turns, waited, observer).respond()
    }

    /// What each execution may use.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Whether its component was compiled when it was loaded, rather than found compiled.
    pub fn is_newly_compiled(&self) -> bool {
        self.inner.linked.is_newly_compiled()
    }

    pub(super) fn environment(&self) -> &[(String, String)] {
        &self.inner.environment
    }

    pub(super) fn outbound(&self) -> &Arc<OutboundClient> {
        &self.inner.outbound
    }

    pub(super) fn instance_pre(&self) -> &ProxyPre<State> {
        self.inner.linked.instance_pre()
    }

    pub(super) fn engine(&self) -> &Engine {
        self.inner.sandbox.engine()
    }

    pub(super) fn ticker(&self) -> &Ticker {
        self.inner.sandbox.ticker()
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.inner.budget
    }
}
