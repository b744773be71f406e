//! Whether a caller may do what it asks.

use host_tokens::Member;

use super::principal::Principal;
use super::role::Role;
use super::{Api, Params, Status};
use crate::api::status::Code;
pub(crate) use crate::identity::access::{INVOKER, RUN_INVOKER};
use crate::store::{Bindings, FunctionName, FunctionSettings, PolicyOf, Store, StoreError};

/// What somebody may do with a resource.
#[derive(Debug)]
pub(crate) struct Permissions<'a> {
    principal: &'a Principal,
    /// Those of the resource and of the project.
    policies: Vec<Bindings>,
}

impl Api {
    /// Makes sure that `principal` has `permission` on `resource`.
    ///
    /// # Errors
    /// If it does not, or the store fails.
    pub(crate) fn require(
        &self,
        principal: &Principal,
        permission: &str,
        resource: &PolicyOf,
    ) -> Result<(), Status> {
        if self.permits(principal, permission, resource)? {
            return Ok(());
        }
        let name = self.resource_name(resource);
        Err(Status::new(
            Code::PermissionDenied,
            format!("Permission '{permission}' denied on resource '{name}' (or it may not exist) for {principal}."),
        )
        .because("IAM_PERMISSION_DENIED")
        .with("permission", permission)
        .with("resource", name))
    }

    /// Makes sure that `principal` has `permission` on the project or on a function, whichever.
    ///
    /// # Errors
    /// If it does not, or the store fails.
    pub(crate) fn require_on_any_function(
        &self,
        principal: &Principal,
        permission: &str,
    ) -> Result<(), Status> {
        let Err(refused) = self.require(principal, permission, &PolicyOf::Project) else {
            return Ok(());
        };
        for function in self.store().functions()? {
            let function = PolicyOf::Function(function.name);
            if self.permits(principal, permission, &function)? {
                return Ok(());
            }
        }
        Err(refused)
    }

    /// Whether `principal` has `permission` on `resource`, by a role on that or on the project.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn permits(
        &self,
        principal: &Principal,
        permission: &str,
        resource: &PolicyOf,
    ) -> Result<bool, StoreError> {
        Ok(self.permissions(principal, resource)?.include(permission))
    }

    /// What `principal` may do with `resource`, by roles on that and on the project.
    ///
    /// # Errors
    /// If the store fails.
    pub(crate) fn permissions<'a>(
        &self,
        principal: &'a Principal,
        resource: &PolicyOf,
    ) -> Result<Permissions<'a>, StoreError> {
        let mut policies = Vec::new();
        // Not even one that cannot be read keeps the owner from anything.
        if *principal != Principal::Owner {
            policies.push(self.store().policy(&PolicyOf::Project)?);
            if *resource != PolicyOf::Project {
                policies.push(policy_of(self.store(), resource)?);
            }
        }
        Ok(Permissions {
            principal,
            policies,
        })
    }

    /// The full name of what a policy belongs to.
    pub(crate) fn resource_name(&self, resource: &PolicyOf) -> String {
        let project = self.project();
        match resource {
            PolicyOf::Project => project.name(),
            PolicyOf::Function(name) => project.of("functions", name),
            PolicyOf::ServiceAccount(email) => {
                format!("{}/serviceAccounts/{email}", project.name())
            }
        }
    }
}

impl Permissions<'_> {
    /// Whether `permission` is one of them. The owner has all, whatever the policies say.
    pub(crate) fn include(&self, permission: &str) -> bool {
        *self.principal == Principal::Owner
            || self
                .policies
                .iter()
                .any(|bindings| grants(bindings, self.principal, permission))
    }
}

/// What the names in a path are of: a function, a service account, or else the project.
pub(crate) fn resource_of(params: &Params) -> PolicyOf {
    let function = params.find("function").and_then(|name| name.parse().ok());
    match (function, params.find("account")) {
        (Some(name), _) => PolicyOf::Function(name),
        (None, Some(email)) => PolicyOf::ServiceAccount(email.to_owned()),
        (None, None) => PolicyOf::Project,
    }
}

/// The whole policy of `resource`: for a function, with those who may call it.
///
/// # Errors
/// If the store fails. What is not there has no policy.
pub(crate) fn policy_of(store: &Store, resource: &PolicyOf) -> Result<Bindings, StoreError> {
    let bindings = store.policy(resource)?;
    match resource {
        PolicyOf::Function(name) => Ok(with_invokers(store, name, bindings)?),
        _ => Ok(bindings),
    }
}

fn with_invokers(
    store: &Store,
    name: &FunctionName,
    bindings: Bindings,
) -> Result<Bindings, StoreError> {
    match store.function(name) {
        Ok(record) => Ok(add_invokers(bindings, &record.settings)),
        Err(StoreError::NoFunction { .. }) => Ok(bindings),
        Err(error) => Err(error),
    }
}

/// `bindings`, and who may call a function with these settings.
pub(crate) fn add_invokers(mut bindings: Bindings, settings: &FunctionSettings) -> Bindings {
    let mut invokers = settings.invokers.clone();
    if settings.allow_unauthenticated {
        invokers.insert(Member::AllUsers.to_string());
    }
    if !invokers.is_empty() {
        bindings.insert(INVOKER.to_owned(), invokers);
    }
    bindings
}

fn grants(bindings: &Bindings, principal: &Principal, permission: &str) -> bool {
    bindings.iter().any(|(role, members)| {
        Role::named(role).is_some_and(|role| role.grants(permission))
            && members
                .iter()
                .filter_map(|member| member.parse().ok())
                .any(|member| principal.is(&member))
    })
}
