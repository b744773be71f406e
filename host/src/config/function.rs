use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::values::{Bound, Executions, Size, Time, milliseconds};
use crate::store::{FunctionSettings, InvokerRule};

/// A function: its component, and its settings as `host functions deploy` has them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FunctionTable {
    /// Its component, a .wasm file; a path that is not absolute begins at this file's directory
    #[schemars(with = "PathBuf")]
    pub source: Spanned<PathBuf>,
    /// Whether anyone may call it
    #[serde(default)]
    pub allow_unauthenticated: bool,
    /// Who may call it: serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub invokers: Vec<Spanned<String>>,
    /// Whose tokens may call it by what they claim
    #[serde(default)]
    #[schemars(with = "Vec<InvokerRule>")]
    pub invoker_rules: Vec<Spanned<InvokerRule>>,
    /// Audiences that tokens may be for, beside its addresses
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The service account that it acts for
    pub service_account: Option<String>,
    /// Memory of an execution
    pub memory: Option<Size>,
    /// Wall time of an execution
    pub timeout: Option<Time>,
    /// Executions at once, per worker
    pub concurrency: Option<Executions>,
    /// Executions at once, in all
    pub max_instances: Option<Executions>,
    /// Largest request body
    pub max_request_body: Option<Size>,
    /// Largest response body, or "unlimited"
    pub max_response_body: Option<Bound>,
    /// Log output kept of an execution
    pub log_limit: Option<Size>,
    /// Its environment variables
    #[serde(default)]
    pub env_vars: BTreeMap<String, String>,
    /// Environment variables whose values are read from these files, and kept nowhere else
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PathBuf>")]
    pub secrets: BTreeMap<String, Spanned<PathBuf>>,
    /// URLs whose scheme, host and port it may call
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub allow_outbound: Vec<Spanned<String>>,
    /// Host names that lead to it, whatever the path
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub hosts: Vec<Spanned<String>>,
    /// What its owner notes on it
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

impl FunctionTable {
    /// The settings that are kept; paths begin at `directory`.
    pub(super) fn settings(&self, directory: &Path) -> FunctionSettings {
        let defaults = FunctionSettings::default();
        let secrets = self.secrets.iter();
        let hosts = self.hosts.iter();
        let outlets = self.allow_outbound.iter();
        FunctionSettings {
            memory: self.memory.map_or(defaults.memory, |size| size.0),
            timeout: self
                .timeout
                .map_or(defaults.timeout, |time| milliseconds(time.0)),
            concurrency: self
                .concurrency
                .map_or(defaults.concurrency, Executions::get),
            max_instances: self.max_instances.map(Executions::get),
            max_request_body: self
                .max_request_body
                .map_or(defaults.max_request_body, |size| size.0),
            max_response_body: self
                .max_response_body
                .map_or(defaults.max_response_body, |bound| bound.0),
            log_limit: self.log_limit.map_or(defaults.log_limit, |size| size.0),
            allow_unauthenticated: self.allow_unauthenticated,
            invokers: self
                .invokers
                .iter()
                .map(|member| member.as_ref().clone())
                .collect(),
            invoker_rules: self
                .invoker_rules
                .iter()
                .map(|rule| rule.as_ref().clone())
                .collect(),
            audiences: self.audiences.clone(),
            service_account: self.service_account.clone(),
            environment: self.env_vars.clone(),
            secrets: secrets
                .map(|(name, file)| (name.clone(), directory.join(file.as_ref())))
                .collect(),
            allow_outbound: outlets.map(|outlet| outlet.as_ref().clone()).collect(),
            hosts: hosts
                .map(|host| host.as_ref().to_ascii_lowercase())
                .collect(),
            labels: self.labels.clone(),
        }
    }
}
