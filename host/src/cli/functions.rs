//! `host functions`: the noun's verbs.

mod call;
mod delete;
mod deploy;
mod describe;
mod list;
mod logs;
mod operation;
mod policy;

use std::fmt;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use host_tokens::Member;
use serde_json::{Value, json};

use super::Message;
use super::client::Client;
use crate::api::{Code, Status};
use crate::counted::counted;
use crate::identity::access::INVOKER_ROLES;
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

/// Who may call a function.
#[derive(Debug, Default, PartialEq, Eq)]
struct Invokers<'a> {
    is_anyone: bool,
    members: Vec<&'a str>,
    /// How many rules on claims let callers in.
    rules: usize,
}

impl<'a> Invokers<'a> {
    /// Of the function that `described` is, or the field `host` of one in Google's form.
    fn of(described: &'a Value) -> Self {
        let members = described["invokers"].as_array().into_iter().flatten();
        Self {
            is_anyone: described["allowUnauthenticated"] == true,
            members: members.filter_map(Value::as_str).collect(),
            rules: described["invokerRules"].as_array().map_or(0, Vec::len),
        }
    }

    /// Adds those who may call every function, by the policy `of_project`.
    fn with_project(mut self, of_project: &'a Value) -> Self {
        let bindings = of_project["bindings"].as_array().into_iter().flatten();
        let bindings = bindings.filter(|binding| INVOKER_ROLES.contains(&text(&binding["role"])));
        let members = bindings.filter_map(|binding| binding["members"].as_array());
        self.members
            .extend(members.flatten().filter_map(Value::as_str));
        let anyone = Member::AllUsers.to_string();
        self.is_anyone |= self.members.iter().any(|member| *member == anyone);
        self
    }

    /// The addresses of the service accounts.
    fn accounts(&self) -> impl Iterator<Item = &'a str> {
        let members = self.members.iter();
        members.filter_map(|member| member.strip_prefix("serviceAccount:"))
    }
}

/// In a word.
impl fmt::Display for Invokers<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.members[..], self.rules) {
            _ if self.is_anyone => formatter.write_str("anyone"),
            ([], 0) => formatter.write_str("nobody"),
            ([member], 0) => formatter.write_str(member),
            (members, 0) => write!(formatter, "{} members", members.len()),
            ([], rules) => formatter.write_str(&counted(rules, "rule")),
            (members, rules) => {
                let members = counted(members.len(), "member");
                write!(formatter, "{members}, {}", counted(rules, "rule"))
            }
        }
    }
}

/// The policy of the project; none for who may not read it.
///
/// # Errors
/// If the host cannot be asked.
fn project_policy(host: &Client) -> Result<Value, Status> {
    let path = format!("{}:getIamPolicy", host.project("v1"));
    match host.post(&path, &json!({})) {
        Err(status) if status.code == Code::PermissionDenied => Ok(Value::Null),
        policy => policy,
    }
}

/// Why no host serves the function, which is in Google's form, if none does.
fn not_served(function: &Value) -> Option<&str> {
    let message = &function["stateMessages"][0];
    (message["type"] == "NOT SERVED").then(|| text(&message["message"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_call_is_told_in_a_word() {
        let rule = json!({ "issuer": "https://i.example", "claims": {} });
        for (described, word) in [
            (json!({}), "nobody"),
            (
                json!({ "allowUnauthenticated": true, "invokers": ["a"] }),
                "anyone",
            ),
            (json!({ "invokers": ["user:a"] }), "user:a"),
            (json!({ "invokers": ["user:a", "user:b"] }), "2 members"),
            (json!({ "invokerRules": [rule] }), "1 rule"),
            (
                json!({ "invokers": ["user:a"], "invokerRules": [rule] }),
                "1 member, 1 rule",
            ),
        ] {
            assert_eq!(Invokers::of(&described).to_string(), word);
        }
        let several = json!({ "invokers": ["principal:i#s", "serviceAccount:a@b", "user:c"] });
        assert!(Invokers::of(&several).accounts().eq(["a@b"]));
    }

    #[test]
    fn whoever_may_call_every_function_may_call_each() {
        let described = json!({ "invokers": ["serviceAccount:a@b"] });
        let of_project = |role: &str, member: &str| json!({ "bindings": [{ "role": role, "members": [member] }] });
        for (role, member, accounts, is_anyone) in [
            (
                "roles/run.invoker",
                "serviceAccount:c@d",
                &["a@b", "c@d"][..],
                false,
            ),
            ("roles/viewer", "serviceAccount:c@d", &["a@b"], false),
            ("roles/run.invoker", "allUsers", &["a@b"], true),
        ] {
            let policy = of_project(role, member);
            let invokers = Invokers::of(&described).with_project(&policy);
            assert!(invokers.accounts().eq(accounts.iter().copied()), "{role}");
            assert_eq!(invokers.is_anyone, is_anyone, "{member}");
        }
    }
}
