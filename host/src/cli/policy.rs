//! Policies on the command line: read, change one binding, write back.

use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use host_tokens::Member;
use serde_json::{Value, json};

use super::Message;
use super::client::Client;
use super::format::{DocumentFormat, document, print};
use crate::api::{Code, Status};
use crate::stderr;

/// How often a change is tried anew that met another one.
const TRIES: usize = 10;

/// Who is to have a role, or is to have it no longer.
#[derive(Args)]
pub(super) struct BindingArgs {
    /// serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers
    #[arg(long, value_name = "MEMBER")]
    member: String,

    /// What it may do, such as roles/cloudscheduler.admin
    #[arg(long, value_name = "ROLE")]
    role: String,
}

/// How a binding is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The member gets the role.
    Add,
    /// The member loses the role.
    Remove,
}

/// What a policy is of.
pub(super) struct Resource<'a> {
    /// The host that has it.
    pub(super) host: &'a Client,
    /// Where it is.
    pub(super) path: &'a str,
    /// The method of HTTP by which its policy is read.
    pub(super) verb: &'a str,
    /// What people call it.
    pub(super) what: &'a str,
}

impl BindingArgs {
    /// That `member` has `role`.
    pub(super) fn new(member: String, role: String) -> Self {
        Self { member, role }
    }

    /// Changes the policy at `path` of `host`, and prints it as it is then. `what` names what it is of.
    ///
    /// # Errors
    /// If the policy cannot be changed.
    pub(super) fn run(
        &self,
        host: &Client,
        path: &str,
        what: &str,
        change: Change,
    ) -> Result<ExitCode, Message> {
        if change == Change::Add {
            let parsed = self.member.parse::<Member>();
            parsed.map_err(|error| error.to_string())?;
        }
        let resource = Resource {
            host,
            path,
            verb: "POST",
            what,
        };
        let policy = self.changed(&resource, change)?;
        print(&document(&shown(policy), DocumentFormat::Yaml)?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Changes the policy of `resource`, says so, and answers it as it is then.
    ///
    /// # Errors
    /// If the policy cannot be changed.
    pub(super) fn changed(
        &self,
        resource: &Resource<'_>,
        change: Change,
    ) -> Result<Value, Message> {
        let Resource {
            host,
            path,
            verb,
            what,
        } = resource;
        let mut tries = TRIES;
        loop {
            let mut policy = read_by(verb, host, path)?;
            let is_changed = self.change(&mut policy, change);
            if !is_changed && change == Change::Remove {
                return Err(format!("{} has no {} on {what}", self.member, self.role));
            }
            let set = host.post(
                &format!("{path}:setIamPolicy"),
                &json!({ "policy": policy }),
            );
            tries -= 1;
            match set {
                Err(Status {
                    code: Code::Aborted,
                    ..
                }) if tries > 0 => {}
                set => {
                    let policy = set?;
                    stderr::line!("Updated IAM policy for {what}.");
                    return Ok(policy);
                }
            }
        }
    }

    /// Tells whether `policy` is another one then.
    fn change(&self, policy: &mut Value, change: Change) -> bool {
        let bindings = policy["bindings"].take();
        let mut bindings: Vec<Value> = serde_json::from_value(bindings).unwrap_or_default();
        let of_role = bindings
            .iter_mut()
            .find(|binding| binding["role"] == self.role);
        let members = of_role.and_then(|binding| binding["members"].as_array_mut());
        let is_changed = match (change, members) {
            (Change::Add, Some(members)) => {
                let is_new = !members.iter().any(|member| self.is(member));
                members.extend(is_new.then(|| json!(self.member)));
                is_new
            }
            (Change::Add, None) => {
                bindings.push(json!({ "role": self.role, "members": [self.member] }));
                true
            }
            (Change::Remove, Some(members)) => {
                let before = members.len();
                members.retain(|member| !self.is(member));
                members.len() < before
            }
            (Change::Remove, None) => false,
        };
        policy["bindings"] = json!(bindings);
        is_changed
    }

    /// Whether `member` of a policy is the one that is meant, by the same text or as the same member.
    fn is(&self, member: &Value) -> bool {
        let text = member.as_str().unwrap_or_default();
        let parsed = |text: &str| text.parse::<Member>().ok();
        text == self.member || parsed(&self.member).is_some_and(|meant| parsed(text) == Some(meant))
    }
}

/// The policy at `path`, of the project or of a service account.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read(host: &Client, path: &str) -> Result<Value, Message> {
    read_by("POST", host, path)
}

/// The policy at `path`, which is read by the method `verb` of HTTP.
///
/// # Errors
/// If it cannot be read.
pub(super) fn read_by(verb: &str, host: &Client, path: &str) -> Result<Value, Message> {
    Ok(host.call(verb, &format!("{path}:getIamPolicy"), Bytes::new())?)
}

/// A policy as commands show it: its bindings, whether or not there are any.
pub(super) fn shown(mut policy: Value) -> Value {
    let bindings = policy["bindings"].take();
    policy["bindings"] = match bindings {
        Value::Array(bindings) => json!(bindings),
        _ => json!([]),
    };
    policy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(member: &str) -> BindingArgs {
        BindingArgs {
            member: member.into(),
            role: "roles/viewer".into(),
        }
    }

    #[test]
    fn a_member_is_added_once_and_removed_by_any_spelling() {
        let mut policy = json!({ "etag": "e" });
        let ada = args("user:ada@example.com");
        assert!(ada.change(&mut policy, Change::Add));
        assert!(!ada.change(&mut policy, Change::Add));
        assert_eq!(
            policy["bindings"][0]["members"],
            json!(["user:ada@example.com"])
        );
        assert_eq!(policy["etag"], "e");
        assert!(!args("user:bob@example.com").change(&mut policy, Change::Remove));
        assert!(args("user:ada@EXAMPLE.com").change(&mut policy, Change::Remove));
        assert_eq!(policy["bindings"][0]["members"], json!([]));
        assert_eq!(shown(json!({}))["bindings"], json!([]));
    }
}
