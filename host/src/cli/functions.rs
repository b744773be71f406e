//! `host functions`: the noun's verbs.

mod call;
mod delete;
mod deploy;
mod describe;
mod list;
mod logs;
mod policy;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Message;
use crate::api;
use crate::api::functions::{FunctionState, not_served, shown_settings};
use crate::stderr;
use crate::store::{FunctionName, FunctionRecord, Store};
pub(super) use logs::Reader;

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

/// Where the functions of `store` answer, or would.
pub(super) fn base_url(store: &Store) -> Result<String, Message> {
    Ok(api::functions::base_url(store)?)
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
    for (setting, shown) in shown_settings(&record.settings) {
        value[setting.shown_name()] = shown;
    }
    value
}

/// Whether a host serves the functions of the store.
fn is_served(store: &Store) -> Result<bool, Message> {
    store.serves_functions().map_err(|error| error.to_string())
}

/// What has become of a function.
fn state(store: &Store, record: &FunctionRecord) -> Result<FunctionState, Message> {
    FunctionState::of(record, store).map_err(|error| error.to_string())
}

/// Waits until the host that serves, if one does, has taken `record` up.
pub(super) fn settle(store: &Store, record: &FunctionRecord) -> Result<(), Message> {
    let is_served = api::functions::settle(store, record).map_err(|error| error.to_string())?;
    if !is_served {
        stderr::line!("note: {}", not_served(store));
    }
    Ok(())
}

/// Waits until the host that serves, if one does, serves `name` no longer.
fn settle_deleted(store: &Store, name: &FunctionName) -> Result<(), Message> {
    api::functions::settle_deleted(store, name).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::FunctionSettings;

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
