//! `host functions`: the noun's verbs.

mod call;
mod delete;
mod deploy;
mod describe;
mod list;
mod logs;
mod policy;
mod state;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Message;
use crate::settings::{FunctionSettings, Settings};
use crate::stderr;
use crate::store::{FunctionName, FunctionRecord, Store, StoreError};
use state::FunctionState;

/// Deploy, list, describe, delete and call functions, read their logs, and say who may call them
#[derive(Args)]
pub(super) struct Functions {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Deploy(Box<deploy::Deploy>),
    List(list::List),
    Describe(describe::Describe),
    Delete(delete::Delete),
    Call(call::Call),
    AddIamPolicyBinding(policy::AddBinding),
    RemoveIamPolicyBinding(policy::RemoveBinding),
    GetIamPolicy(policy::GetPolicy),
    Logs(logs::Logs),
}

impl Functions {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Deploy(deploy) => deploy.run(),
            Verb::List(list) => list.run(),
            Verb::Describe(describe) => describe.run(),
            Verb::Delete(delete) => delete.run(),
            Verb::Call(call) => call.run(),
            Verb::AddIamPolicyBinding(add) => add.run(),
            Verb::RemoveIamPolicyBinding(remove) => remove.run(),
            Verb::GetIamPolicy(get) => get.run(),
            Verb::Logs(logs) => logs.run(),
        }
    }
}

/// Where functions answer while no host has said so.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Where the functions of `store` answer, or would: the address by which callers know the host, if it was told one.
pub(super) fn base_url(store: &Store) -> Result<String, Message> {
    let host = store.serving_host()?.filter(|host| host.serves_functions);
    Ok(host.map_or_else(
        || DEFAULT_URL.to_owned(),
        |host| host.public_url.unwrap_or(host.url),
    ))
}

/// All addresses below which callers know the functions.
pub(super) fn public_urls(store: &Store) -> Result<Vec<String>, Message> {
    let host = store.serving_host()?;
    Ok(host.map_or_else(|| vec![DEFAULT_URL.to_owned()], |host| host.public_urls))
}

/// What is shown of a function. Secrets are shown by the file that they come from.
fn value(record: &FunctionRecord, base_url: &str, state: &FunctionState) -> Value {
    let mut value = json!({
        "name": record.name,
        "url": format!("{base_url}/{}", record.name),
        "state": state.to_string(),
        "revision": record.revision,
        "componentSha256": record.component,
        "createTime": record.created,
        "updateTime": record.updated,
    });
    if let Some(reason) = state.reason() {
        value["stateMessage"] = json!(reason);
    }
    for setting in FunctionSettings::ALL {
        let shown = (setting.show)(&record.settings);
        let is_empty = match &shown {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !is_empty && record.settings.has_effect(setting) {
            value[setting.shown_name()] = shown;
        }
    }
    value
}

/// Whether a host serves the functions of the store.
fn is_served(store: &Store) -> Result<bool, Message> {
    store.serves_functions().map_err(|error| error.to_string())
}

/// Why nobody serves the functions of the store, and what to do.
fn not_served(store: &Store) -> &'static str {
    match store.is_served() {
        true => {
            "no host serves the functions of this store: the one that runs serves its component alone; start it with \
             --with-functions"
        }
        false => "no host serves this store; start one with `host serve`",
    }
}

/// What has become of a function.
fn state(store: &Store, record: &FunctionRecord) -> Result<FunctionState, Message> {
    FunctionState::of(record, store).map_err(|error| error.to_string())
}

/// How long a serving host may take to take up a change.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Waits until the host that serves, if one does, has taken `record` up.
pub(super) fn settle(store: &Store, record: &FunctionRecord) -> Result<(), Message> {
    let begun = Instant::now();
    loop {
        let state = state(store, record)?;
        match state {
            FunctionState::Active => return Ok(()),
            FunctionState::NotServed => {
                stderr::line!("note: {}", not_served(store));
                return Ok(());
            }
            FunctionState::Deploying if begun.elapsed() < PATIENCE => {
                // Somebody may have deleted it meanwhile.
                store
                    .function(&record.name)
                    .map_err(|error| format!("deployed, and gone again: {error}"))?;
                thread::sleep(LOOK);
            }
            FunctionState::Deploying => {
                return Err(format!(
                    "deployed, but the host that serves has not taken it up within {PATIENCE:?}"
                ));
            }
            FunctionState::Failed(ref reason) | FunctionState::Damaged(ref reason) => {
                return Err(format!(
                    "deployed, but the host cannot serve it, and goes on with what it had: {state}: {reason}"
                ));
            }
        }
    }
}

/// Waits until the host that serves, if one does, serves `name` no longer.
fn settle_deleted(store: &Store, name: &FunctionName) -> Result<(), Message> {
    let begun = Instant::now();
    // Somebody may have deployed it anew meanwhile.
    while is_served(store)?
        && store.served(name)?.is_some()
        && matches!(store.function(name), Err(StoreError::NoFunction { .. }))
    {
        if begun.elapsed() > PATIENCE {
            return Err(format!(
                "deleted, but the host that serves has not taken it up within {PATIENCE:?}"
            ));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_a_word_and_its_reason_stands_beside_it() {
        let mut record = FunctionRecord {
            name: "f".parse().unwrap(),
            revision: 1,
            component: "0".into(),
            settings: FunctionSettings::default(),
            declared_in: None,
            created: "2026-11-23T14:00:00Z".into(),
            updated: "2026-11-23T14:00:00Z".into(),
            damage: None,
        };
        let store = Store::in_memory().unwrap();
        let shown = value(&record, "u", &state(&store, &record).unwrap());
        assert_eq!(shown["state"], "NOT SERVED");
        assert!(shown.get("stateMessage").is_none(), "{shown}");
        record.damage = Some("EOF".into());
        let shown = value(&record, "u", &state(&store, &record).unwrap());
        assert_eq!(
            (&shown["state"], &shown["stateMessage"]),
            (&json!("DAMAGED"), &json!("EOF"))
        );
        let shown = value(&record, "u", &FunctionState::Failed("it is gone".into()));
        assert_eq!(
            (&shown["state"], &shown["stateMessage"]),
            (&json!("FAILED"), &json!("it is gone"))
        );
    }
}
