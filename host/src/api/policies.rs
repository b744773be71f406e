//! The policies of the project, of functions and of service accounts: read, set and tested in one way.
//!
//! To set one takes the permission `…setIamPolicy` on what it is of. Whoever has that on a function or a service account
//! alone gives no role there that has more permissions than they have themselves; whoever may set the policy of the
//! project gives every role.

use std::collections::BTreeSet;

use host_tokens::Member;
use serde_json::{Value, json};

use super::access::{INVOKER, RUN_INVOKER, add_invokers};
use super::fields::Fields;
use super::functions::settle;
use super::policy::{self, WantedPolicy};
use super::principal::Principal;
use super::role::Role;
use super::{Api, Code, Reply, Request, Status, methods};
use crate::store::{Bindings, FunctionName, InvokerRule, PolicyOf, ServiceAccountRecord};

/// The most permissions of one question.
const MOST_PERMISSIONS: usize = 100;
/// Whoever has it may give every role.
const GIVES_ALL: &str = "resourcemanager.projects.setIamPolicy";

/// A policy, and for a function the rules on claims by which callers are let in, which no binding has.
struct Found {
    bindings: Bindings,
    rules: Vec<InvokerRule>,
}

/// Answers the policy of `of`. The role of those who may call a function is shown under the name `invoker`.
///
/// # Errors
/// If there is no such resource, or the store fails.
pub(super) fn get(
    api: &Api,
    request: &Request<'_>,
    of: &PolicyOf,
    invoker: &str,
) -> Result<Reply, Status> {
    let mut found = Found {
        bindings: api.store().policy(of)?,
        rules: Vec::new(),
    };
    match of {
        PolicyOf::Project => {}
        PolicyOf::ServiceAccount(email) => drop(api.store().service_account(email)?),
        PolicyOf::Function(name) => {
            let record = api.store().function(name)?;
            record.check()?;
            found.bindings = add_invokers(found.bindings, &record.settings);
            found.rules = record.settings.invoker_rules;
        }
    }
    Ok(found.shown(request, invoker).into())
}

/// Sets the policy of `of`, and answers it as [`get`] does.
///
/// # Errors
/// If there is no such resource, the policy was changed since it was read, it cannot be, the caller may not give one of
/// its roles, or the store fails.
pub(super) fn set(
    api: &Api,
    request: &Request<'_>,
    of: &PolicyOf,
    invoker: &str,
) -> Result<Reply, Status> {
    let mut wanted = WantedPolicy::read(&request.json()?)?;
    if let PolicyOf::Function(_) = of
        && let Some(members) = wanted.bindings.remove(RUN_INVOKER)
    {
        let invokers = wanted.bindings.entry(INVOKER.to_owned());
        invokers.or_default().extend(members);
    }
    let change = Change {
        name: api.resource_name(of),
        of,
        withheld: withheld(api, &request.caller.principal, of, &wanted)?,
        keeps_bindings: request.mask()?.is_some_and(|mask| !mask.names("bindings")),
        wanted,
    };
    let found = match of {
        PolicyOf::Function(name) => set_of_function(api, name, &change)?,
        _ => Found {
            bindings: api
                .store()
                .change_policy(of, |before, accounts| change.apply(before, accounts))?,
            rules: Vec::new(),
        },
    };
    Ok(found.shown(request, invoker).into())
}

/// Answers which of the permissions in the body the caller has on `of`; none if there is no such resource.
///
/// # Errors
/// If there are too many or a pattern among them, or the store fails.
pub(super) fn test(api: &Api, request: &Request<'_>, of: &PolicyOf) -> Result<Reply, Status> {
    let body = request.json()?;
    let mut permissions = Fields::of(&body).list("permissions")?;
    if permissions.len() > MOST_PERMISSIONS {
        return Err(Status::invalid(format!(
            "{} permissions are asked for; expected at most {MOST_PERMISSIONS}",
            permissions.len()
        )));
    }
    if let Some(pattern) = permissions.iter().find(|one| one.contains('*')) {
        return Err(Status::invalid(format!(
            "`{pattern}` is a pattern; expected the name of one permission, such as cloudfunctions.functions.get"
        )));
    }
    let held = api.permissions(&request.caller.principal, of)?;
    permissions.retain(|permission| held.include(permission));
    match permissions.is_empty() {
        true => Ok(json!({}).into()),
        false => Ok(json!({ "permissions": permissions }).into()),
    }
}

fn set_of_function(api: &Api, name: &FunctionName, change: &Change<'_>) -> Result<Found, Status> {
    let (record, bindings) =
        api.store()
            .change_function_policy(name, |record, before, accounts| {
                let before = add_invokers(before, &record.settings);
                let mut bindings = change.apply(before, accounts)?;
                let mut invokers = bindings.remove(INVOKER).unwrap_or_default();
                let everybody = Member::AllUsers.to_string();
                record.settings.allow_unauthenticated = invokers.remove(&everybody);
                record.settings.invokers = invokers;
                Ok::<_, Status>(bindings)
            })?;
    // So that it holds once it is answered. Whether the function can be served is another matter.
    let _ = settle(api.store(), &record);
    Ok(Found {
        bindings: add_invokers(bindings, &record.settings),
        rules: record.settings.invoker_rules,
    })
}

/// The roles in `wanted` that `principal` may not give on `of`.
fn withheld(
    api: &Api,
    principal: &Principal,
    of: &PolicyOf,
    wanted: &WantedPolicy,
) -> Result<BTreeSet<String>, Status> {
    if api.permits(principal, GIVES_ALL, &PolicyOf::Project)? {
        return Ok(BTreeSet::new());
    }
    let prefix = match of {
        PolicyOf::Project => "",
        PolicyOf::Function(_) => "cloudfunctions.functions.",
        PolicyOf::ServiceAccount(_) => "iam.serviceAccounts.",
    };
    let held = api.permissions(principal, of)?;
    let has_more = |role: &Role| {
        let mut permissions = methods::permissions();
        permissions.any(|permission| {
            permission.starts_with(prefix) && role.grants(permission) && !held.include(permission)
        })
    };
    let names = wanted.bindings.keys();
    let withheld = names.filter(|name| Role::named(name).is_none_or(&has_more));
    Ok(withheld.cloned().collect())
}

/// What is to become of a policy.
struct Change<'a> {
    of: &'a PolicyOf,
    /// The full name of what it is of.
    name: String,
    wanted: WantedPolicy,
    /// The roles that the caller may not give.
    withheld: BTreeSet<String>,
    /// Whether the bindings are to stay as they are.
    keeps_bindings: bool,
}

impl Change<'_> {
    fn apply(
        &self,
        before: Bindings,
        accounts: &[ServiceAccountRecord],
    ) -> Result<Bindings, Status> {
        self.wanted.check_etag(&self.name, &before)?;
        if self.keeps_bindings {
            return Ok(before);
        }
        policy::check_members(&before, &self.wanted.bindings, accounts)?;
        for (role, members) in &self.wanted.bindings {
            let known = before.get(role);
            let is_new = |member: &&String| known.is_none_or(|known| !known.contains(*member));
            for member in members.iter().filter(is_new) {
                self.check_new(role, member)?;
            }
        }
        Ok(self.wanted.bindings.clone())
    }

    /// Makes sure that `member` may be given `role` by the caller.
    fn check_new(&self, role: &str, member: &str) -> Result<(), Status> {
        let is_call = role == INVOKER && matches!(self.of, PolicyOf::Function(_));
        if *member == Member::AllUsers.to_string() && !is_call {
            return Err(Status::invalid(format!(
                "{member} cannot have {role} on {}; expected {INVOKER} on a function",
                self.name
            )));
        }
        if self.withheld.contains(role) {
            let message = format!(
                "{role} has permissions on {} that you lack, so you cannot give it; have it given by somebody who may set the \
                 policy of the project ({GIVES_ALL})",
                self.name
            );
            return Err(Status::new(Code::PermissionDenied, message).about(&self.name));
        }
        Ok(())
    }
}

impl Found {
    /// As it is answered. Its etag is the same under whatever name the role of callers is shown.
    fn shown(&self, request: &Request<'_>, invoker: &str) -> Value {
        let mut document = policy::shown(&self.bindings);
        let bindings = document.get_mut("bindings").and_then(Value::as_array_mut);
        for binding in bindings.into_iter().flatten() {
            if binding["role"] == INVOKER {
                binding["role"] = json!(invoker);
            }
        }
        // Google's client for Python refuses a policy with a field that Google has not.
        if request.is_own_client && !self.rules.is_empty() {
            document["invokerRules"] = json!(self.rules);
        }
        document
    }
}

#[cfg(test)]
mod tests;
