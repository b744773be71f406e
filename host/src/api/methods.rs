//! All methods: what each is called, where it is, and which permission it takes.

use super::params::{Params, matched};
use super::{Api, Reply, Request, Status};
use crate::api::status::Code;

/// A method of the control plane.
pub(crate) struct Method {
    /// Its name, as Google's audit log has it for its own: such as `google.cloud.scheduler.v1.CloudScheduler.CreateJob`.
    pub(crate) name: &'static str,
    /// The method of HTTP.
    pub(crate) verb: &'static str,
    /// The path, with the names in it in braces.
    pub(crate) path: &'static str,
    /// The permission that it takes; none if anyone may who is known.
    pub(crate) permission: Option<&'static str>,
    /// What it takes the permission on.
    pub(crate) on: On,
    /// Whether it changes something, so that an audit entry is written of it.
    pub(crate) is_change: bool,
    /// The largest body, in bytes.
    pub(crate) largest_body: usize,
    /// Does what is asked.
    pub(crate) handle: fn(&Api, &Request<'_>) -> Result<Reply, Status>,
}

/// What a method takes its permission on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// On what the path names: a function, a service account, or else the project.
    Path,
    /// On any function or the project, for what a client needs to deploy the one function that it may.
    AnyFunction,
    /// On the function of the operation that the path names, or the project. Whoever began the operation needs none.
    Operation,
}

/// The largest body of an ordinary method, in bytes: more than the largest job.
const LARGEST_BODY: usize = 2 << 20;
/// That of a method for everybody who is known.
const LARGEST_BODY_OF_ALL: usize = 64 << 10;

impl Method {
    /// A method that only reads.
    pub(crate) const fn reads(
        name: &'static str,
        verb: &'static str,
        path: &'static str,
        permission: &'static str,
        handle: fn(&Api, &Request<'_>) -> Result<Reply, Status>,
    ) -> Self {
        Self {
            name,
            verb,
            path,
            permission: Some(permission),
            on: On::Path,
            is_change: false,
            largest_body: LARGEST_BODY,
            handle,
        }
    }

    /// A method that changes something.
    pub(crate) const fn changes(
        name: &'static str,
        verb: &'static str,
        path: &'static str,
        permission: &'static str,
        handle: fn(&Api, &Request<'_>) -> Result<Reply, Status>,
    ) -> Self {
        Self {
            is_change: true,
            ..Self::reads(name, verb, path, permission, handle)
        }
    }

    /// A method for everybody who is known.
    pub(crate) const fn for_all(
        name: &'static str,
        verb: &'static str,
        path: &'static str,
        handle: fn(&Api, &Request<'_>) -> Result<Reply, Status>,
    ) -> Self {
        Self {
            permission: None,
            largest_body: LARGEST_BODY_OF_ALL,
            ..Self::reads(name, verb, path, "", handle)
        }
    }

    /// The same with bodies of up to so many bytes.
    pub(crate) const fn with_bodies_up_to(self, largest_body: usize) -> Self {
        Self {
            largest_body,
            ..self
        }
    }

    /// Takes its permission on this.
    pub(crate) const fn on(self, on: On) -> Self {
        Self { on, ..self }
    }
}

/// The methods, by resource.
const METHODS: &[&[Method]] = &[
    super::access_tokens::METHODS,
    super::functions::METHODS,
    super::host::METHODS,
    super::instances::METHODS,
    super::jobs::METHODS,
    super::logs::METHODS,
    super::runs::METHODS,
    super::keyvalue::METHODS,
    super::keys::METHODS,
    super::revocations::METHODS,
    super::explain::METHODS,
    super::state::METHODS,
    super::function_policies::METHODS,
    super::service_accounts::METHODS,
    super::credentials::METHODS,
    super::projects::METHODS,
    super::constants::METHODS,
];

/// Permissions that no method takes on what its path names.
const OTHER_PERMISSIONS: [&str; 3] = [
    "cloudfunctions.functions.invoke",
    "host.outbound.update",
    "iam.serviceAccounts.actAs",
];

/// All methods.
pub(crate) fn all() -> impl Iterator<Item = &'static Method> {
    METHODS.iter().copied().flatten()
}

/// All permissions that there are, some of them more than once.
pub(crate) fn permissions() -> impl Iterator<Item = &'static str> {
    all()
        .filter_map(|method| method.permission)
        .chain(OTHER_PERMISSIONS)
}

/// The method that is meant by `verb` and `path`, and the names in the path.
///
/// # Errors
/// If there is none.
pub(crate) fn find(verb: &str, path: &str) -> Result<(&'static Method, Params), Status> {
    let mut like = all().filter_map(|method| Some((method, matched(method.path, path)?)));
    match like.find(|(method, _)| method.verb == verb) {
        Some(found) => Ok(found),
        None => Err(Status::new(
            Code::Unimplemented,
            format!("this host has no method {verb} {path}; docs/api.md lists those that it has"),
        )
        .because("METHOD_NOT_FOUND")
        .with("method", format!("{verb} {path}"))),
    }
}

#[cfg(test)]
mod tests;
