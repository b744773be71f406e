//! `host functions add-iam-policy-binding` and its siblings.

use std::process::ExitCode;

use clap::Args;
use host_tokens::Member;
use serde_json::Value;

use super::super::Message;
use super::super::client::{Client, ClientArgs};
use super::super::format::{DocumentFormat, document, print};
use super::super::listing::Shown;
use super::super::policy::{self, BindingArgs, Change, Resource};
use super::{not_served, text};
use crate::identity::access::{INVOKER, RUN_INVOKER};
use crate::stderr;
use crate::store::FunctionName;

/// All roles on a function.
const ROLES: [&str; 4] = [
    INVOKER,
    "roles/cloudfunctions.viewer",
    "roles/cloudfunctions.developer",
    "roles/cloudfunctions.admin",
];

/// Let a member call a function, or change it
#[derive(Args)]
pub(super) struct AddBinding {
    /// The function
    name: FunctionName,

    /// serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers
    #[arg(long, value_name = "MEMBER")]
    member: Member,

    /// What it may do: roles/cloudfunctions.invoker, .viewer, .developer or .admin
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: String,

    #[command(flatten)]
    host: ClientArgs,
}

/// Let a member call a function, or change it, no longer
#[derive(Args)]
pub(super) struct RemoveBinding {
    /// The function
    name: FunctionName,

    /// serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers; or whatever stands in the policy
    #[arg(long, value_name = "MEMBER")]
    member: String,

    /// What it may do by now, as it stands in the policy
    #[arg(long, value_name = "ROLE")]
    role: String,

    #[command(flatten)]
    host: ClientArgs,
}

/// Show who may call a function, and who may change it
#[derive(Args)]
pub(super) struct GetPolicy {
    /// The function
    name: FunctionName,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

impl AddBinding {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let binding = BindingArgs::new(self.member.to_string(), self.role);
        change(&self.host, &self.name, &binding, Change::Add)
    }
}

impl RemoveBinding {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let binding = BindingArgs::new(self.member, by_one_name(&self.role).to_owned());
        change(&self.host, &self.name, &binding, Change::Remove)
    }
}

impl GetPolicy {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let policy = policy::read_by("GET", &host, &path(&host, &self.name))?;
        self.shown.show(&shown(policy))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn change(
    host: &ClientArgs,
    name: &FunctionName,
    binding: &BindingArgs,
    change: Change,
) -> Result<ExitCode, Message> {
    let host = host.client()?;
    let path = path(&host, name);
    let function = Resource {
        host: &host,
        path: &path,
        verb: "GET",
        what: &format!("function [{name}]"),
    };
    let policy = binding.changed(&function, change)?;
    // Who may set the policy may still be one who may not see the function.
    if let Ok(function) = host.get(&path) {
        check_served(&function)?;
    }
    print(&document(&shown(policy), DocumentFormat::Yaml)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes sure that the function, which is in Google's form, is served as it is now, if a host serves at all.
fn check_served(function: &Value) -> Result<(), Message> {
    if let Some(reason) = not_served(function) {
        stderr::line!("note: {reason}");
        return Ok(());
    }
    let message = &function["stateMessages"][0];
    match text(&function["state"]) {
        "FAILED" => Err(format!(
            "deployed, but the host cannot serve it, and goes on with what it had: {}: {}",
            text(&message["type"]),
            text(&message["message"])
        )),
        "DEPLOYING" => Err("deployed, but the host that serves has not taken it up yet".into()),
        _ => Ok(()),
    }
}

fn path(host: &Client, name: &FunctionName) -> String {
    format!("{}/functions/{name}", host.location("v2"))
}

/// The policy without what only programs look at.
fn shown(policy: Value) -> Value {
    let mut policy = policy::shown(policy);
    if let Some(fields) = policy.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "etag" | "version"));
    }
    policy
}

/// The role by the name that it has in the policies of functions.
fn by_one_name(role: &str) -> &str {
    match role {
        RUN_INVOKER => INVOKER,
        role => role,
    }
}

fn role(text: &str) -> Result<String, String> {
    let role = by_one_name(text);
    match ROLES.contains(&role) {
        true => Ok(role.to_owned()),
        false => Err(format!(
            "the role `{text}` is not one on a function; expected {}",
            ROLES.join(", ")
        )),
    }
}
