use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a function is given beside its component. Sizes are bytes, times milliseconds.
///
/// A field that is not there has its default, so an older record can be read by a newer program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionSettings {
    /// Memory of an execution.
    pub memory: u64,
    /// Wall time of an execution.
    pub timeout: u64,
    /// Executions at once, per worker.
    pub concurrency: usize,
    /// Executions at once, in all.
    pub max_instances: Option<usize>,
    /// Largest request body.
    pub max_request_body: u64,
    /// Largest response body; `None` has no bound.
    pub max_response_body: Option<u64>,
    /// Log output kept of an execution.
    pub log_limit: u64,
    /// Whether anyone may call it.
    pub allow_unauthenticated: bool,
    /// Who may call it, as members of an invoker policy.
    pub invokers: BTreeSet<String>,
    /// Whose tokens may call it by what they claim.
    pub invoker_rules: Vec<InvokerRule>,
    /// Audiences that tokens may be for, beside its addresses.
    pub audiences: Vec<String>,
    /// Whom it acts for.
    pub service_account: Option<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Environment variables whose values are read from these files when the function is loaded. The store never has
    /// the values.
    pub secrets: BTreeMap<String, PathBuf>,
    /// Whom it may call, as `--allow-outbound` takes it.
    pub allow_outbound: Vec<Outlet>,
    /// Host names that lead to it, whatever the path.
    pub hosts: Vec<String>,
    /// What its owner notes on it.
    pub labels: BTreeMap<String, String>,
}

impl FunctionSettings {
    /// Whether no one may call the function.
    pub fn lets_nobody_in(&self) -> bool {
        !self.allow_unauthenticated && self.invokers.is_empty() && self.invoker_rules.is_empty()
    }

    /// Whether anyone may call the function.
    pub fn lets_anyone_in(&self) -> bool {
        self.allow_unauthenticated || self.invokers.contains(ALL_USERS)
    }

    /// Takes away what `rights` do not have, and gives nothing. Tells whether that changed anything.
    pub(super) fn narrow(&mut self, rights: &Rights) -> bool {
        if rights.is_open() {
            return false;
        }
        if self.lets_anyone_in() {
            let rights = rights.clone();
            self.allow_unauthenticated = false;
            self.invokers = rights.invokers;
            self.invoker_rules = rights.invoker_rules;
            self.audiences = rights.audiences;
            return true;
        }
        let count = |settings: &Self| {
            settings.invokers.len() + settings.invoker_rules.len() + settings.audiences.len()
        };
        let before = count(self);
        self.invokers
            .retain(|member| rights.invokers.contains(member));
        self.invoker_rules
            .retain(|rule| rights.invoker_rules.contains(rule));
        self.audiences
            .retain(|audience| rights.audiences.contains(audience));
        count(self) < before
    }
}

/// Who may call a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Whether anyone may.
    pub allow_unauthenticated: bool,
    /// Members of its policy.
    pub invokers: BTreeSet<String>,
    /// Rules on what tokens claim.
    pub invoker_rules: Vec<InvokerRule>,
    /// Audiences that tokens may be for, beside its addresses.
    pub audiences: Vec<String>,
}

/// The member that everybody is.
const ALL_USERS: &str = "allUsers";

impl Rights {
    fn is_open(&self) -> bool {
        self.allow_unauthenticated || self.invokers.contains(ALL_USERS)
    }
}

/// Lets in tokens of one issuer that claim what is asked, all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvokerRule {
    /// The issuer's URL
    pub issuer: String,
    /// What each claim may be
    pub claims: BTreeMap<String, ClaimValues>,
}

/// One value, or any of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum ClaimValues {
    /// Any of these
    Several(Vec<serde_json::Value>),
    /// This one
    One(serde_json::Value),
}

/// A rule of the outbound allow-list, as text.
pub type Outlet = String;

impl Default for FunctionSettings {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            timeout: 60_000,
            concurrency: 80,
            max_instances: None,
            max_request_body: 10 << 20,
            max_response_body: Some(32 << 20),
            log_limit: 256 << 10,
            allow_unauthenticated: false,
            invokers: BTreeSet::new(),
            invoker_rules: Vec::new(),
            audiences: Vec::new(),
            service_account: None,
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            allow_outbound: Vec::new(),
            hosts: Vec::new(),
            labels: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(members: &[&str]) -> BTreeSet<String> {
        members.iter().map(|member| (*member).to_owned()).collect()
    }

    fn private(members: &[&str], audiences: &[&str]) -> FunctionSettings {
        FunctionSettings {
            invokers: set(members),
            audiences: audiences.iter().map(|text| (*text).to_owned()).collect(),
            ..FunctionSettings::default()
        }
    }

    fn rights(members: &[&str], audiences: &[&str]) -> Rights {
        let settings = private(members, audiences);
        Rights {
            invokers: settings.invokers,
            audiences: settings.audiences,
            ..Rights::default()
        }
    }

    #[test]
    fn rights_are_taken_away_and_none_is_given() {
        let mut settings = private(&["user:a", "user:b"], &["x", "y"]);
        assert!(settings.narrow(&rights(&["user:b", "user:c"], &["y", "z"])));
        assert_eq!(settings, private(&["user:b"], &["y"]));
        assert!(!settings.narrow(&rights(&["user:b", "user:c"], &["y"])));
    }

    #[test]
    fn what_was_open_lets_in_whom_the_new_policy_names() {
        for mut open in [
            FunctionSettings {
                allow_unauthenticated: true,
                ..private(&["user:a"], &[])
            },
            private(&["allUsers"], &[]),
        ] {
            assert!(open.narrow(&rights(&["user:b"], &["x"])));
            assert_eq!(open, private(&["user:b"], &["x"]));
        }
    }

    #[test]
    fn what_is_to_be_open_stays_as_it_is_for_now() {
        let mut settings = private(&["user:a"], &[]);
        let open = Rights {
            allow_unauthenticated: true,
            ..Rights::default()
        };
        assert!(!settings.narrow(&open));
        assert!(!settings.narrow(&rights(&["allUsers"], &[])));
        assert_eq!(settings, private(&["user:a"], &[]));
    }
}
