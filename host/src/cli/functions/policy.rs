//! `host functions add-iam-policy-binding` and its siblings.

use std::process::ExitCode;

use clap::Args;
use host_tokens::Member;
use serde_json::{Value, json};

use super::super::Message;
use super::super::format::{DocumentFormat, document, print};
use super::super::listing::Shown;
use super::super::state::StateDirectory;
use super::settle;
use crate::identity::accounts_of;
use crate::stderr;
use crate::store::{FunctionName, FunctionRecord, ServiceAccountRecord, Store, StoreError};

/// The one role that there is, under both of its names.
const INVOKER: &str = "roles/cloudfunctions.invoker";
const INVOKERS: [&str; 2] = [INVOKER, "roles/run.invoker"];

/// Let a member call a function
#[derive(Args)]
pub(super) struct AddBinding {
    /// serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers
    #[arg(long, value_name = "MEMBER")]
    member: Member,

    #[command(flatten)]
    binding: Binding,
}

/// Let a member call a function no longer
#[derive(Args)]
pub(super) struct RemoveBinding {
    /// serviceAccount:EMAIL, user:EMAIL, principal:ISSUER#SUBJECT or allUsers; or whatever stands in the policy
    #[arg(long, value_name = "MEMBER")]
    member: String,

    #[command(flatten)]
    binding: Binding,
}

/// Show who may call a function
#[derive(Args)]
pub(super) struct GetPolicy {
    /// The function
    name: FunctionName,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    state: StateDirectory,
}

#[derive(Args)]
struct Binding {
    /// The function
    name: FunctionName,

    /// What it may do: roles/cloudfunctions.invoker
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: String,

    #[command(flatten)]
    state: StateDirectory,
}

impl AddBinding {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.binding.state.store()?;
        let name = &self.binding.name;
        let changed = store.change_settings_beside_accounts(name, |settings, accounts| {
            check(&self.member, accounts)?;
            match &self.member {
                Member::AllUsers => settings.allow_unauthenticated = true,
                member => drop(settings.invokers.insert(member.to_string())),
            }
            Ok(())
        });
        self.binding.tell(&store, changed)
    }
}

impl RemoveBinding {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.binding.state.store()?;
        let name = &self.binding.name;
        let changed = store.change_settings_beside_accounts(name, |settings, _| {
            let before = settings.clone();
            if self.is_removed(&Member::AllUsers.to_string()) {
                settings.allow_unauthenticated = false;
            }
            settings.invokers.retain(|member| !self.is_removed(member));
            match *settings == before {
                true => Err(StoreError::Settings(format!(
                    "{} has no {INVOKER} on `{name}`",
                    self.member
                ))),
                false => Ok(()),
            }
        });
        self.binding.tell(&store, changed)
    }

    /// Whether `member` of the policy is the one that is meant, by the same text or as the same member.
    fn is_removed(&self, member: &str) -> bool {
        let parsed = || self.member.parse::<Member>().ok();
        member == self.member || parsed().is_some_and(|meant| member.parse() == Ok(meant))
    }
}

impl GetPolicy {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let record = self.state.store()?.function(&self.name)?;
        record.check()?;
        self.shown.show(&policy(&record))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Binding {
    fn tell(
        &self,
        store: &Store,
        changed: Result<FunctionRecord, StoreError>,
    ) -> Result<ExitCode, Message> {
        let record = changed?;
        stderr::line!("Updated IAM policy for function [{}].", self.name);
        settle(store, &record)?;
        print(&document(&policy(&record), DocumentFormat::Yaml)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes sure that there is, or could be, such a member beside these accounts.
fn check(member: &Member, accounts: &[ServiceAccountRecord]) -> Result<(), StoreError> {
    if let Member::ServiceAccount(email) = member
        && !accounts.iter().any(|account| account.email == **email)
    {
        return Err(StoreError::no_service_account(email, accounts));
    }
    let checked = member.check(&accounts_of(accounts.to_vec()));
    checked.map_err(|error| StoreError::Settings(error.to_string()))
}

fn role(text: &str) -> Result<String, String> {
    match INVOKERS.contains(&text) {
        true => Ok(INVOKER.to_owned()),
        false => Err(format!(
            "the role `{text}` is not known; expected {INVOKER}"
        )),
    }
}

fn policy(record: &FunctionRecord) -> Value {
    let settings = &record.settings;
    let open = settings
        .allow_unauthenticated
        .then(|| Member::AllUsers.to_string());
    let members: Vec<_> = open
        .into_iter()
        .chain(settings.invokers.iter().cloned())
        .collect();
    let bindings = match members.is_empty() {
        true => json!([]),
        false => json!([{ "members": members, "role": INVOKER }]),
    };
    let mut policy = json!({ "bindings": bindings });
    if !settings.invoker_rules.is_empty() {
        policy["invokerRules"] = json!(settings.invoker_rules);
    }
    policy
}
