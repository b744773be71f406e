//! Who may call a function.

use std::collections::BTreeSet;
use std::sync::Arc;

use host_tokens::{Invoker, Invokers, Member, NotInvoker, Verified};

use crate::store::{FunctionRecord, FunctionSettings, PolicyOf, Store, StoreError};

/// The role of those who may call a function. On a function, their names stand in its settings.
pub(crate) const INVOKER: &str = "roles/cloudfunctions.invoker";
/// What the same role is called where a function is a service of Cloud Run.
pub(crate) const RUN_INVOKER: &str = "roles/run.invoker";
/// Both names.
pub(crate) const INVOKER_ROLES: [&str; 2] = [INVOKER, RUN_INVOKER];

/// Who may call a function.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// Anyone who reaches the listener.
    Open,
    /// Callers with a good token, as the policy says.
    Private(Arc<Policy>),
}

/// The policy of a private function.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Whom a token may be for.
    pub(crate) audiences: Arc<[String]>,
    pub(crate) invokers: Invokers,
    /// Whether all service accounts of this host may call, beside the invokers.
    pub(crate) own_accounts: bool,
}

/// Who may call a function of the store that callers know below `public_urls`: its own invokers, and those `of_project`.
///
/// # Errors
/// If its policy cannot be read: then nobody may.
pub(crate) fn function_access(
    record: &FunctionRecord,
    of_project: &BTreeSet<String>,
    public_urls: &[String],
) -> Result<Access, String> {
    record.check().map_err(|error| error.to_string())?;
    let hosts = record.settings.hosts.iter();
    let hosts: Vec<_> = hosts.map(|host| format!("https://{host}")).collect();
    let mut addressed = addresses(public_urls, &format!("/{}", record.name));
    addressed.extend(addresses(&hosts, ""));
    let mut settings = record.settings.clone();
    settings.invokers.extend(of_project.iter().cloned());
    Access::of(&settings, &addressed)
}

/// Who may call every function, by the policy of the project.
///
/// # Errors
/// If the store fails.
pub(crate) fn project_invokers(store: &Store) -> Result<BTreeSet<String>, StoreError> {
    let policy = store.policy(&PolicyOf::Project)?;
    let invokers = policy
        .into_iter()
        .filter(|(role, _)| INVOKER_ROLES.contains(&role.as_str()));
    Ok(invokers.flat_map(|(_, members)| members).collect())
}

/// Who may call the component of the command line that callers know as `public_urls`: anyone, or these members, or if
/// there are none all service accounts of this host.
pub(crate) fn component_access(members: Option<&[Member]>, public_urls: &[String]) -> Access {
    let Some(members) = members else {
        return Access::Open;
    };
    let invokers = members.iter().cloned().map(Invoker::Member);
    Access::Private(Arc::new(Policy {
        audiences: addresses(public_urls, "").into(),
        invokers: Invokers::new(invokers.collect()),
        own_accounts: members.is_empty(),
    }))
}

impl Access {
    /// Nobody.
    pub(crate) fn nobody() -> Self {
        Self::Private(Arc::new(Policy {
            audiences: Arc::default(),
            invokers: Invokers::new(Vec::new()),
            own_accounts: false,
        }))
    }

    /// What `settings` say, of a function that tokens may name by `addresses`.
    ///
    /// # Errors
    /// If a member or a rule cannot be read: then nobody may call.
    pub(crate) fn of(settings: &FunctionSettings, addresses: &[String]) -> Result<Self, String> {
        let members = settings.invokers.iter().map(|member| {
            let member = member.parse();
            member
                .map(Invoker::Member)
                .map_err(|error| format!("an invoker: {error}"))
        });
        let rules = settings
            .invoker_rules
            .iter()
            .map(|rule| rule.read().map(Invoker::Rule));
        let invokers = Invokers::new(members.chain(rules).collect::<Result<_, _>>()?);
        if settings.allow_unauthenticated || invokers.is_open() {
            return Ok(Self::Open);
        }
        let audiences = addresses.iter().chain(&settings.audiences).cloned();
        Ok(Self::Private(Arc::new(Policy {
            audiences: audiences.collect(),
            invokers,
            own_accounts: false,
        })))
    }
}

impl Policy {
    /// Whom a token may be for.
    pub(crate) fn audiences(&self) -> &Arc<[String]> {
        &self.audiences
    }

    /// Lets `caller` in.
    ///
    /// # Errors
    /// If it is no invoker.
    pub(crate) fn admit(&self, caller: &Verified) -> Result<(), NotInvoker> {
        if self.own_accounts && caller.service_account.is_some() {
            return Ok(());
        }
        self.invokers.admit(caller).map(drop)
    }
}

/// Each of `bases` followed by `path`, with and without a slash at the end: the addresses that tokens may name.
fn addresses(bases: &[String], path: &str) -> Vec<String> {
    let bases = bases.iter().map(|base| base.trim_end_matches('/'));
    bases
        .flat_map(|base| [format!("{base}{path}"), format!("{base}{path}/")])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_private_until_everybody_may_call() {
        let mut settings = FunctionSettings::default();
        let is_open = |settings: &_| matches!(Access::of(settings, &[]), Ok(Access::Open));
        assert!(!is_open(&settings));
        settings
            .invokers
            .insert("serviceAccount:a@host.internal".into());
        assert!(!is_open(&settings));
        settings.invokers.insert("allUsers".into());
        assert!(is_open(&settings));
    }

    #[test]
    fn a_member_that_cannot_be_read_lets_nobody_in() {
        let mut settings = FunctionSettings::default();
        settings.invokers.insert("group:all".into());
        assert!(Access::of(&settings, &[]).is_err());
    }

    #[test]
    fn a_function_goes_by_each_address_with_and_without_a_slash() {
        let bases = ["http://127.0.0.1:8080".into(), "https://a.example/".into()];
        assert_eq!(
            addresses(&bases, "/f"),
            [
                "http://127.0.0.1:8080/f",
                "http://127.0.0.1:8080/f/",
                "https://a.example/f",
                "https://a.example/f/",
            ]
        );
    }
}
