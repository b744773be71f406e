//! What a caller may change in the settings of a function, beside what its permission to deploy it is for.

use host_tokens::{EmailAddress, SERVICE_ACCOUNT_DOMAIN};

use crate::api::access::add_invokers;
use crate::api::policy::check_members;
use crate::api::principal::Principal;
use crate::api::{Api, Code, Request, Status};
use crate::store::{
    Bindings, FunctionName, FunctionSettings, PolicyOf, Rights, ServiceAccountRecord, StoreError,
};

/// What a caller may change.
///
/// It is looked at again when the change is made: until then somebody else may have changed the function, and what was no
/// change when it was asked for may be one by then.
#[derive(Debug)]
pub(super) struct Allowed {
    /// Who may call it: what its policy says, and the host's own rules beside that.
    rights: bool,
    /// Which files of the host it reads secrets from.
    secrets: bool,
    /// What it may call: this machine and its network may be among that.
    outbound: bool,
    /// Which buckets it shares with other functions.
    buckets: bool,
    /// Which host names lead to it, and so to no other function.
    hosts: bool,
    /// Whether it gets new code, which acts as its service account.
    is_new_code: bool,
    /// The service account that the caller may have new code, or a function that had another one, act as.
    account: Option<String>,
}

impl Allowed {
    /// What the caller may change in the function `name`, which has the settings `before` and is to have `after`, and new
    /// code if `is_new_code`.
    ///
    /// # Errors
    /// If there is no such service account as it is to have, or the caller may not have anything act as it.
    pub(super) fn of(
        api: &Api,
        request: &Request<'_>,
        name: &FunctionName,
        before: &FunctionSettings,
        after: &FunctionSettings,
        is_new_code: bool,
    ) -> Result<Self, Status> {
        let principal = &request.caller.principal;
        let function = PolicyOf::Function(name.clone());
        let is_other = after.service_account != before.service_account;
        let account = after.service_account.clone();
        let account = account.filter(|_| is_other || is_new_code);
        if let Some(email) = &account {
            if is_other {
                check_account(api, email)?;
            }
            let account = PolicyOf::ServiceAccount(email.clone());
            api.require(principal, "iam.serviceAccounts.actAs", &account)?;
        }
        let has = |permission: &str| api.permits(principal, permission, &PolicyOf::Project);
        Ok(Self {
            rights: api.permits(
                principal,
                "cloudfunctions.functions.setIamPolicy",
                &function,
            )?,
            // An access token of the owner is not the state directory.
            secrets: *principal == Principal::Owner && request.caller.address.is_none(),
            outbound: has("host.outbound.update")?,
            buckets: has("host.keyvalue.update")?,
            hosts: has("cloudfunctions.functions.update")?,
            is_new_code,
            account,
        })
    }

    /// Makes sure that a change from `before` to `after` is allowed.
    ///
    /// # Errors
    /// If it is not.
    pub(super) fn check(
        &self,
        before: &FunctionSettings,
        after: &FunctionSettings,
    ) -> Result<(), Status> {
        let denied = |what: &str, needed: &str| {
            let message = format!("the caller may not change {what} of a function; {needed}");
            Status::new(Code::PermissionDenied, message)
        };
        if !self.rights && rights(before) != rights(after) {
            return Err(denied(
                "who may call",
                "it takes the permission cloudfunctions.functions.setIamPolicy",
            ));
        }
        // They are files of the host, which the function could then tell.
        if !self.secrets && before.secrets != after.secrets {
            return Err(denied(
                "the secrets",
                "only the host's owner may, by a command on the host itself, and not with a token over the network",
            ));
        }
        // These are of the whole host: a role on the function alone is not enough.
        if !self.outbound && before.allow_outbound != after.allow_outbound {
            return Err(denied(
                "the outbound rules",
                "it takes the permission host.outbound.update on the project, which roles/owner has",
            ));
        }
        if !self.buckets && before.keyvalue_buckets != after.keyvalue_buckets {
            return Err(denied(
                "the shared buckets",
                "it takes the permission host.keyvalue.update on the project",
            ));
        }
        if !self.hosts && before.hosts != after.hosts {
            return Err(denied(
                "the host names",
                "it takes the permission cloudfunctions.functions.update on the project",
            ));
        }
        let account = &after.service_account;
        let is_used = self.is_new_code || *account != before.service_account;
        if account.is_some() && is_used && *account != self.account {
            return Err(denied(
                "the service account",
                "it was changed meanwhile; try again",
            ));
        }
        Ok(())
    }
}

/// Makes sure that there is, or could be, every caller in `after` who was not in `before`, as for a policy.
///
/// # Errors
/// If a service account is not there, or a caller could be nobody.
pub(super) fn check_invokers(
    before: &FunctionSettings,
    after: &FunctionSettings,
    accounts: &[ServiceAccountRecord],
) -> Result<(), Status> {
    let bindings = |settings| add_invokers(Bindings::new(), settings);
    check_members(&bindings(before), &bindings(after), accounts)
}

fn rights(settings: &FunctionSettings) -> Rights {
    Rights {
        allow_unauthenticated: settings.allow_unauthenticated,
        invokers: settings.invokers.clone(),
        invoker_rules: settings.invoker_rules.clone(),
        audiences: settings.audiences.clone(),
    }
}

/// Makes sure that the account is there, if it would be one of this host.
fn check_account(api: &Api, email: &str) -> Result<(), Status> {
    let domains = [
        SERVICE_ACCOUNT_DOMAIN,
        &api.project().service_account_domain(),
    ];
    match email.parse::<EmailAddress>() {
        Ok(address) if !domains.contains(&address.domain()) => Ok(()),
        _ => match api.store().service_account(email) {
            Ok(_) => Ok(()),
            Err(error @ StoreError::NoServiceAccount { .. }) => {
                Err(Status::invalid(error.to_string()))
            }
            Err(error) => Err(error.into()),
        },
    }
}
