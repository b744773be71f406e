//! `host iam service-accounts`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use host_tokens::SERVICE_ACCOUNT_DOMAIN as DOMAIN;
use serde_json::{Value, json};

use super::super::Message;
use super::super::confirm::confirm;
use super::super::format::print;
use super::super::functions::settle;
use super::super::listing::{Item, Listed, Shown};
use super::super::own_issuer::settle_identity;
use super::super::state::StateDirectory;
use crate::identity::{check_account_domain, check_account_name, new_subject};
use crate::stderr;
use crate::store::ServiceAccountRecord;

/// Create, list, describe and delete service accounts
#[derive(Args)]
pub(super) struct ServiceAccounts {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Create(Create),
    List(List),
    Describe(Describe),
    Delete(Delete),
}

/// Create a service account
#[derive(Args)]
struct Create {
    /// Its name, from which its address is made: NAME@host.internal
    #[arg(value_parser = name)]
    name: String,

    /// What people call it
    #[arg(long, value_name = "TEXT", default_value = "")]
    display_name: String,

    /// The domain of its address, in which no other issuer can vouch for one while the account is there
    #[arg(long, value_name = "DOMAIN", default_value = DOMAIN, env = "HOST_SERVICE_ACCOUNT_DOMAIN", value_parser = domain)]
    domain: String,

    #[command(flatten)]
    state: StateDirectory,
}

/// List the service accounts
#[derive(Args)]
struct List {
    #[command(flatten)]
    listed: Listed,

    #[command(flatten)]
    state: StateDirectory,
}

/// Show a service account
#[derive(Args)]
struct Describe {
    /// Its address
    email: String,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    state: StateDirectory,
}

/// Delete a service account; its tokens are refused from then on
#[derive(Args)]
struct Delete {
    /// Its address
    email: String,

    /// Do not ask
    #[arg(long, short)]
    quiet: bool,

    #[command(flatten)]
    state: StateDirectory,
}

impl ServiceAccounts {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Create(create) => create.run(),
            Verb::List(list) => list.run(),
            Verb::Describe(describe) => describe.run(),
            Verb::Delete(delete) => delete.run(),
        }
    }
}

impl Create {
    fn run(self) -> Result<ExitCode, Message> {
        let email = format!("{}@{}", self.name, self.domain);
        let store = self.state.store_or_new()?;
        store.create_service_account(&email, new_subject().as_str(), &self.display_name)?;
        stderr::line!("Created service account [{}].", self.name);
        settle_identity(&store)?;
        print(&format!("email: {email}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self) -> Result<ExitCode, Message> {
        let accounts = self.state.store()?.service_accounts()?;
        let items = accounts.iter().map(|account| Item {
            value: value(account),
            row: [account.display_name.clone(), account.email.clone()],
        });
        self.listed
            .show(["DISPLAY NAME", "EMAIL"], items.collect())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Describe {
    fn run(self) -> Result<ExitCode, Message> {
        let account = self.state.store()?.service_account(&self.email)?;
        self.shown.show(&value(&account))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Delete {
    fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        // Before asking, so that nobody confirms what cannot be done.
        store.service_account(&self.email)?;
        if !self.quiet {
            confirm(&format!(
                "Service account [{}] will be deleted.",
                self.email
            ))?;
        }
        let changed = store.delete_service_account(&self.email)?;
        stderr::line!("deleted service account [{}]", self.email);
        for function in &changed {
            stderr::line!("It may no longer call [{}].", function.name);
            settle(&store, function)?;
        }
        settle_identity(&store)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn value(account: &ServiceAccountRecord) -> Value {
    json!({
        "email": account.email,
        "uniqueId": account.subject,
        "displayName": account.display_name,
        "createTime": account.created,
    })
}

fn name(text: &str) -> Result<String, String> {
    check_account_name(text).map(|()| text.to_owned())
}

fn domain(text: &str) -> Result<String, String> {
    check_account_domain(text).map(|()| text.to_owned())
}
