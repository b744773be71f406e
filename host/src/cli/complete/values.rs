//! The values that an argument can have: fixed ones, and names that the store knows.

use std::path::Path;

use clap::Arg;
use jiff::tz::TimeZoneDatabase;

use super::super::state::StateDirectory;
use crate::logs::Severity;
use crate::store::Store;

/// The values of `arg` of the command `path`. None are known of a text or a file.
pub(super) fn values(arg: &Arg, path: &[String], state: Option<&Path>) -> Vec<String> {
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let names = possible.iter().filter(|value| !value.is_hide_set());
        return names.map(|value| value.get_name().to_owned()).collect();
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let is_of = |noun: &str| path.iter().any(|word| word == noun);
    match arg.get_id().as_str() {
        "name" if is_of("create") => Vec::new(),
        "name" if is_of("functions") || is_of("keyvalue") => names(state, functions),
        "name" if is_of("jobs") => names(state, jobs),
        "function" => names(state, functions),
        "job" => names(state, jobs),
        "email"
        | "service_account"
        | "impersonate_service_account"
        | "oidc_service_account_email" => names(state, accounts),
        "member" | "invoker" => {
            let accounts = names(state, accounts).into_iter();
            let members = accounts.map(|account| format!("serviceAccount:{account}"));
            members.chain(["allUsers".to_owned()]).collect()
        }
        "role" => words(&["roles/cloudfunctions.invoker"]),
        "time_zone" => zones(),
        "severity" | "min_log_level" => {
            let names = Severity::ALL.map(|severity| severity.name().to_ascii_lowercase());
            names.to_vec()
        }
        "format" => words(&["csv(", "json", "none", "table", "value(", "yaml"]),
        "http_method" => words(&["delete", "get", "head", "options", "patch", "post", "put"]),
        _ => Vec::new(),
    }
}

/// What `find` finds in the store; nothing if there is none.
fn names(state: Option<&Path>, find: impl FnOnce(&Store) -> Vec<String>) -> Vec<String> {
    let state = StateDirectory::named(state.map(Path::to_owned));
    state.store().map(|store| find(&store)).unwrap_or_default()
}

fn functions(store: &Store) -> Vec<String> {
    let functions = store.functions().unwrap_or_default();
    functions
        .into_iter()
        .map(|function| function.name.to_string())
        .collect()
}

fn jobs(store: &Store) -> Vec<String> {
    let jobs = store.jobs().unwrap_or_default();
    jobs.into_iter().map(|job| job.name.to_string()).collect()
}

fn zones() -> Vec<String> {
    let zones = TimeZoneDatabase::bundled();
    zones.available().map(|zone| zone.to_string()).collect()
}

fn accounts(store: &Store) -> Vec<String> {
    let accounts = store.service_accounts().unwrap_or_default();
    accounts.into_iter().map(|account| account.email).collect()
}
