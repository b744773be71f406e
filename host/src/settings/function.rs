use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::values::{
    AtOnce, Bound, Entries, Executions, Instances, Percent, Requests, Size, Time, as_milliseconds,
};
use super::{Setting, settings};

settings! {
    /// A function: its component, and its settings as `host functions deploy` has them.
    #[derive(Clone, Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    file FunctionTable {
        /// Its component, a .wasm file; a path that is not absolute begins at this file's directory
        #[schemars(with = "PathBuf")]
        pub source: Spanned<PathBuf>,
    }

    /// What a function is given beside its component. In the store's row sizes are bytes and times milliseconds.
    ///
    /// A field that is not there has its default, so an older record can be read by a newer program.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    in_force FunctionSettings;

    "Function" {
        /// Memory of an execution
        memory: Size = "256Mi";
        /// Wall time of an execution
        #[serde(with = "as_milliseconds")]
        timeout: Time = "60s";
        /// Executions at once, per worker
        concurrency: Executions = "80";
        /// Executions at once, in all
        max_instances: Executions;
        /// Largest request body
        max_request_body: Size = "10Mi";
        /// Largest response body, or `unlimited`
        max_response_body: Bound = "32Mi";
        /// Log output kept of an execution
        log_limit: Size = "256Ki";
        /// Entries that it may have in a bucket of `wasi:keyvalue`
        keyvalue_entries: Entries = "10000";
        /// Bytes of keys and values that it may have in a bucket of `wasi:keyvalue`
        keyvalue_bytes: Size = "16Mi";
        /// Warm instances that there are at the least, made ahead of need
        min_instances: Instances = "0";
        /// Warm instances that may lie idle
        max_idle_instances: Instances = "1000";
        /// Requests that a warm instance answers, less a random part of up to an eighth
        warm_requests: Requests = "1000";
        /// How long a warm instance may lie idle
        #[serde(with = "as_milliseconds")]
        warm_idle_time: Time = "60s";
        /// How old a warm instance may be
        #[serde(with = "as_milliseconds")]
        warm_age: Time = "1h";
        /// The part of its memory limit that a warm instance may keep
        warm_memory: Percent = "75";
        /// Requests that a warm instance of a component of WASI 0.3 answers at once
        warm_concurrency: AtOnce = "1";
    }

    by_hand {
        /// Whether anyone may call it
        #[serde(default)]
        allow_unauthenticated: bool => allow_unauthenticated: bool,
            "true or false", ["allow-unauthenticated", "no-allow-unauthenticated"], or "false";
        /// Who may call it: serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers
        #[serde(default)]
        #[schemars(with = "Vec<String>")]
        invokers: Vec<Spanned<String>> => invokers: BTreeSet<String>, "members", [];
        /// Whose tokens may call it by what they claim
        #[serde(default)]
        #[schemars(with = "Vec<InvokerRule>")]
        invoker_rules: Vec<Spanned<InvokerRule>> => invoker_rules: Vec<InvokerRule>, "rules", [];
        /// Audiences that tokens may be for, beside its addresses
        #[serde(default)]
        audiences: Vec<String> => audiences: Vec<String>, "texts", [];
        /// The service account that it acts for
        service_account: Option<String> => service_account: Option<String>,
            "an e-mail address", ["service-account"], shown "serviceAccountEmail";
        /// Its environment variables
        #[serde(default)]
        env_vars: BTreeMap<String, String> => environment: BTreeMap<String, String>,
            "texts by name", ["set-env-vars", "update-env-vars", "remove-env-vars", "clear-env-vars", "env-vars-file"],
            shown "environmentVariables";
        /// What it finds in `wasi:config`
        #[serde(default)]
        config: BTreeMap<String, String> => config: BTreeMap<String, String>,
            "texts by name", ["set-config", "update-config", "remove-config", "clear-config"];
        /// Buckets of `wasi:keyvalue` that it shares with all functions that name them, beside its own
        #[serde(default)]
        #[schemars(with = "Vec<String>")]
        keyvalue_buckets: Vec<Spanned<String>> => keyvalue_buckets: Vec<String>, "names",
            ["keyvalue-bucket", "clear-keyvalue-buckets"];
        /// Environment variables whose values are read from these files, and kept nowhere else
        #[serde(default)]
        #[schemars(with = "BTreeMap<String, PathBuf>")]
        secrets: BTreeMap<String, Spanned<PathBuf>> => secrets: BTreeMap<String, PathBuf>,
            "files by name", ["set-secrets", "update-secrets", "remove-secrets"], shown "secretFiles";
        /// URLs whose scheme, host and port it may call
        #[serde(default)]
        #[schemars(with = "Vec<String>")]
        allow_outbound: Vec<Spanned<String>> => allow_outbound: Vec<Outlet>,
            "URLs, and blocks of addresses", ["allow-outbound", "clear-allow-outbound"];
        /// Host names that lead to it, whatever the path
        #[serde(default)]
        #[schemars(with = "Vec<String>")]
        hosts: Vec<Spanned<String>> => hosts: Vec<String>, "host names", ["host", "clear-hosts"];
        /// Whether its instances are kept for further requests: what it has in memory stays from one to the next
        #[serde(default)]
        warm: bool => warm: bool, "true or false", ["warm", "no-warm"], or "false";
        /// What its owner notes on it
        #[serde(default)]
        labels: BTreeMap<String, String> => labels: BTreeMap<String, String>,
            "texts by name", ["update-labels", "remove-labels"];
    }
}

/// What only warm instances have.
const OF_WARM: [&str; 7] = [
    "min_instances",
    "max_idle_instances",
    "warm_requests",
    "warm_idle_time",
    "warm_age",
    "warm_memory",
    "warm_concurrency",
];

impl FunctionSettings {
    /// Whether this setting has an effect, as the others are.
    pub(crate) fn has_effect(&self, setting: &Setting<Self>) -> bool {
        self.warm || !OF_WARM.contains(&setting.name)
    }

    /// Whether no one may call the function.
    pub fn lets_nobody_in(&self) -> bool {
        !self.allow_unauthenticated && self.invokers.is_empty() && self.invoker_rules.is_empty()
    }

    /// Whether anyone may call the function.
    pub fn lets_anyone_in(&self) -> bool {
        self.allow_unauthenticated || self.invokers.contains(ALL_USERS)
    }

    /// Takes away what `rights` do not have, and gives nothing. Tells whether that changed anything.
    pub(crate) fn narrow(&mut self, rights: &Rights) -> bool {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvokerRule {
    /// The issuer's URL
    pub issuer: String,
    /// What each claim may be
    pub claims: BTreeMap<String, ClaimValues>,
}

/// One value, or any of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ClaimValues {
    /// Any of these
    Several(Vec<serde_json::Value>),
    /// This one
    One(serde_json::Value),
}

/// A rule of the outbound allow-list, as text.
pub type Outlet = String;

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
