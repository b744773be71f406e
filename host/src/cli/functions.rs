//! `host functions`: the noun's verbs.

mod call;
mod delete;
mod deploy;
mod describe;
mod list;
mod logs;
mod policy;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Message;
use crate::stderr;
use crate::store::{FunctionName, FunctionRecord, Store, StoreError};

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
    let host = store.serving_host().map_err(|error| error.to_string())?;
    let host = host.filter(|host| host.serves_functions);
    Ok(host.map_or_else(
        || DEFAULT_URL.to_owned(),
        |host| host.public_url.unwrap_or(host.url),
    ))
}

/// All addresses below which callers know the functions.
pub(super) fn public_urls(store: &Store) -> Result<Vec<String>, Message> {
    let host = store.serving_host().map_err(|error| error.to_string())?;
    Ok(host.map_or_else(|| vec![DEFAULT_URL.to_owned()], |host| host.public_urls))
}

/// What is shown of a function. Secrets are shown by the file that they come from.
fn value(record: &FunctionRecord, base_url: &str, state: &str) -> Value {
    let settings = &record.settings;
    let mut value = json!({
        "name": record.name,
        "url": format!("{base_url}/{}", record.name),
        "state": state,
        "revision": record.revision,
        "componentSha256": record.component,
        "allowUnauthenticated": settings.allow_unauthenticated,
        "memory": size(settings.memory),
        "timeout": time(settings.timeout),
        "concurrency": settings.concurrency,
        "maxRequestBody": size(settings.max_request_body),
        "maxResponseBody": settings.max_response_body.map_or_else(|| "unlimited".into(), size),
        "logLimit": size(settings.log_limit),
        "createTime": record.created,
        "updateTime": record.updated,
    });
    let given = [
        ("maxInstances", json!(settings.max_instances)),
        ("invokers", json!(settings.invokers)),
        ("invokerRules", json!(settings.invoker_rules)),
        ("audiences", json!(settings.audiences)),
        ("serviceAccountEmail", json!(settings.service_account)),
        ("environmentVariables", json!(settings.environment)),
        ("secretFiles", json!(settings.secrets)),
        ("allowOutbound", json!(settings.allow_outbound)),
        ("hosts", json!(settings.hosts)),
        ("labels", json!(settings.labels)),
    ];
    for (key, setting) in given {
        let is_empty = match &setting {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if !is_empty {
            value[key] = setting;
        }
    }
    value
}

/// Bytes as `--memory` takes them.
fn size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")];
    let unit = units
        .iter()
        .find(|(factor, _)| bytes.is_multiple_of(*factor));
    unit.map_or_else(
        || bytes.to_string(),
        |(factor, unit)| format!("{}{unit}", bytes / factor),
    )
}

/// Milliseconds as `--timeout` takes them.
fn time(milliseconds: u64) -> String {
    match milliseconds % 1000 {
        0 => format!("{}s", milliseconds / 1000),
        _ => format!("{milliseconds}ms"),
    }
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

/// What has become of a function: `ACTIVE`, `FAILED` or `DAMAGED` with the reason, or what it waits for.
fn state(store: &Store, record: &FunctionRecord) -> Result<String, Message> {
    if let Some(damage) = &record.damage {
        return Ok(format!("DAMAGED: {damage}"));
    }
    if !is_served(store)? {
        return Ok("NOT SERVED".into());
    }
    let served = store
        .served(&record.name)
        .map_err(|error| error.to_string())?;
    Ok(match served {
        // Times of one width in UTC have the order of their text. A later state has taken this one's place.
        Some(served) if served.updated >= record.updated => match served.problem {
            None => "ACTIVE".into(),
            Some(problem) => format!("FAILED: {problem}"),
        },
        _ => "DEPLOYING".into(),
    })
}

/// How long a serving host may take to take up a change.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Waits until the host that serves, if one does, has taken `record` up.
pub(super) fn settle(store: &Store, record: &FunctionRecord) -> Result<(), Message> {
    let begun = Instant::now();
    loop {
        match state(store, record)?.as_str() {
            "ACTIVE" => return Ok(()),
            "NOT SERVED" => {
                stderr::line!("note: {}", not_served(store));
                return Ok(());
            }
            "DEPLOYING" if begun.elapsed() < PATIENCE => {
                // Somebody may have deleted it meanwhile.
                store
                    .function(&record.name)
                    .map_err(|error| format!("deployed, and gone again: {error}"))?;
                thread::sleep(LOOK);
            }
            "DEPLOYING" => {
                return Err(format!(
                    "deployed, but the host that serves has not taken it up within {PATIENCE:?}"
                ));
            }
            failed => {
                return Err(format!(
                    "deployed, but the host cannot serve it, and goes on with what it had: {failed}"
                ));
            }
        }
    }
}

/// Waits until the host that serves, if one does, serves `name` no longer.
fn settle_deleted(store: &Store, name: &FunctionName) -> Result<(), Message> {
    let begun = Instant::now();
    let text = |error: StoreError| error.to_string();
    // Somebody may have deployed it anew meanwhile.
    while is_served(store)?
        && store.served(name).map_err(text)?.is_some()
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
