//! The control plane: every change and every question is a method.
//!
//! A method is called by a path and a verb of HTTP, in Google's own form where Google has such a method. It takes a
//! permission, which the caller has by a role, and each change writes an audit entry. Whoever calls comes through
//! `Api::call`: a command in this process, the socket in the state directory, or the listener.

mod access;
mod access_tokens;
mod audit;
mod constants;
mod credentials;
mod explain;
mod fields;
mod function_policies;
pub(crate) mod functions;
mod host;
mod instances;
mod jobs;
mod keys;
mod keyvalue;
mod logs;
mod mask;
mod methods;
mod outside_issuers;
mod own_issuer;
mod page;
mod params;
mod policies;
mod policy;
mod principal;
mod probe;
mod projects;
mod request;
mod revocations;
mod role;
mod runs;
mod service_accounts;
mod settle;
mod state;
mod status;
#[cfg(test)]
mod test_support;

use std::fs::File;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use host_tokens::SteadyClock;
use serde_json::Value;

use crate::store::{Project, Store};
pub(crate) use audit::{AuditEntry, AuditLog};
pub(crate) use explain::ShownToken;
use functions::{CallLimit, Deployer, TryComponent};
pub(crate) use instances::{CountInstances, FunctionInstances};
pub(crate) use jobs::form as job_form;
pub(crate) use logs::{Criteria, EVERY_LOG, Found, LogAccess, Stream, hint};
use methods::On;
pub(crate) use outside_issuers::{declared as declared_issuers, outside_issuers};
pub(crate) use params::Params;
pub(crate) use principal::{Caller, Principal};
pub use probe::Probe;
pub(crate) use request::{Query, Request};
pub(crate) use runs::LATEST as LATEST_RUN;
pub(crate) use state::BACKUP;
pub(crate) use status::{Code, Status};

/// What the methods work on.
pub(crate) struct Api {
    store: Arc<Store>,
    project: Project,
    audit: AuditLog,
    control_plane: Option<String>,
    instances: Option<CountInstances>,
    clock: SteadyClock,
    deployer: Arc<Deployer>,
    calls: CallLimit,
    log: LogAccess,
}

/// What a method answers.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A document.
    Json(Value),
    /// The content of a file, of this media type.
    File(&'static str, File),
    /// Bytes that come as they are made.
    Stream(Stream),
}

impl From<Value> for Reply {
    fn from(document: Value) -> Self {
        Self::Json(document)
    }
}

/// A call, before it is known which method is meant.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The method of HTTP.
    pub(crate) verb: &'a str,
    /// The path, as it was sent.
    pub(crate) path: &'a str,
    /// What stands behind the path's question mark.
    pub(crate) query: &'a str,
    /// The body.
    pub(crate) body: Bytes,
    /// Where the client reaches the control plane.
    pub(crate) origin: String,
    /// Whether this is a command of this program.
    pub(crate) is_own_client: bool,
}

impl Api {
    /// The methods on `store`, whose audit entries go to `audit`.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn new(store: Arc<Store>, audit: AuditLog) -> Result<Self, Status> {
        let project = store.project()?;
        let try_component: TryComponent = Box::new(|_, _, _| {
            let message = "nothing that checks components was given to the control plane";
            Err(message.to_owned())
        });
        let deployer = Deployer::new(Arc::clone(&store), project.clone(), try_component);
        Ok(Self {
            store,
            project,
            audit,
            deployer: Arc::new(deployer),
            calls: CallLimit::default(),
            control_plane: None,
            instances: None,
            clock: SteadyClock::start(),
            log: LogAccess::of(None),
        })
    }

    /// Says where others reach the methods.
    #[must_use]
    pub(crate) fn at(mut self, control_plane: String) -> Self {
        self.control_plane = Some(control_plane);
        self
    }

    /// Makes tokens by this clock, which is that by which they are judged.
    #[must_use]
    pub(crate) fn with_clock(mut self, clock: SteadyClock) -> Self {
        self.clock = clock;
        self
    }

    /// What time it is, for tokens.
    fn now(&self) -> SystemTime {
        self.clock.now().time
    }

    /// Tells of the instances that `count` finds.
    #[must_use]
    pub(crate) fn counting_instances(mut self, count: CountInstances) -> Self {
        self.instances = Some(count);
        self
    }

    /// Where others reach the methods, if they can.
    pub(crate) fn control_plane(&self) -> Option<&str> {
        self.control_plane.as_deref()
    }

    /// Deploys components that pass `try_component`. Without it none is deployed.
    #[must_use]
    pub(crate) fn trying_components(self, try_component: TryComponent) -> Self {
        let (store, project) = (Arc::clone(&self.store), self.project.clone());
        Self {
            deployer: Arc::new(Deployer::new(store, project, try_component)),
            ..self
        }
    }

    /// What carries out operations on functions.
    fn deployer(&self) -> &Arc<Deployer> {
        &self.deployer
    }

    /// The calls of functions that it makes.
    fn calls(&self) -> &CallLimit {
        &self.calls
    }

    /// Reads and writes the entries of `log`. Without it none are kept.
    #[must_use]
    pub(crate) fn with_log(self, log: LogAccess) -> Self {
        Self { log, ..self }
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The log.
    fn log(&self) -> &LogAccess {
        &self.log
    }

    /// The host's project and location.
    pub(crate) fn project(&self) -> &Project {
        &self.project
    }

    /// Makes sure that `caller` may call the method of this verb and path, and tells the largest body that it takes, in bytes.
    ///
    /// # Errors
    /// If there is no such method, or the caller may not.
    pub(crate) fn check(&self, caller: &Caller, verb: &str, path: &str) -> Result<usize, Status> {
        let (method, params) = methods::find(verb, path)?;
        let params = service_accounts::by_address(self, params)?;
        let permitted = self.permitted(caller, method, &params);
        if let Err(status) = permitted.as_ref()
            && status.is_denied()
        {
            (self.audit)(self.audit_entry(method, &params, caller, Err(status)));
        }
        permitted.map(|()| method.largest_body)
    }

    /// Does what `call` asks, if `caller` may. Blocks for as long as the disk does, and some methods for longer.
    ///
    /// # Errors
    /// If there is no such method, the caller may not, or the method fails.
    pub(crate) fn call(&self, caller: &Caller, call: Call<'_>) -> Result<Reply, Status> {
        let (method, params) = methods::find(call.verb, call.path)?;
        let params = service_accounts::by_address(self, params)?;
        let result = self.permitted(caller, method, &params).and_then(|()| {
            let request = Request {
                caller,
                params: params.clone(),
                query: Query::read(call.query),
                body: call.body,
                origin: call.origin,
                is_own_client: call.is_own_client,
            };
            (method.handle)(self, &request)
        });
        if method.is_change && result.is_ok() {
            self.settle_identity();
        }
        let outcome = result.as_ref();
        if method.is_change || outcome.is_err_and(|status| status.is_denied()) {
            (self.audit)(self.audit_entry(method, &params, caller, outcome));
        }
        result
    }

    fn permitted(
        &self,
        caller: &Caller,
        method: &methods::Method,
        params: &Params,
    ) -> Result<(), Status> {
        if let Some(permission) = method.permission {
            let principal = &caller.principal;
            match method.on {
                On::Path => self.require(principal, permission, &access::resource_of(params))?,
                On::AnyFunction => self.require_on_any_function(principal, permission)?,
                On::Operation => functions::require_on_target(self, principal, permission, params)?,
            }
        }
        // Only now: who may nothing is told that first.
        params.check(&self.project)
    }
}
