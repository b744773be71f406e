//! `host iam service-accounts`

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::Message;
use super::super::client::{Client, ClientArgs, encoded};
use super::super::confirm::confirm;
use super::super::format::print;
use super::super::listing::{Item, Listed, Shown};
use super::super::policy::{self, BindingArgs, Change};
use crate::identity::{check_account_domain, check_account_name};
use crate::stderr;

/// Create, list, describe, change and delete service accounts, and say who may act for them
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
    Update(Update),
    Disable(Disable),
    Enable(Enable),
    Delete(Delete),
    GetIamPolicy(GetPolicy),
    AddIamPolicyBinding(AddBinding),
    RemoveIamPolicyBinding(RemoveBinding),
}

/// Create a service account
#[derive(Args)]
struct Create {
    /// Its name, from which its address is made: NAME@host.internal, or NAME@PROJECT.iam.gserviceaccount.com if the host
    /// was given a project
    #[arg(value_parser = name)]
    name: String,

    /// What people call it
    #[arg(long, value_name = "TEXT", default_value = "")]
    display_name: String,

    /// What you say of it
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,

    /// The domain of its address, in which no other issuer can vouch for one while the account is there
    #[arg(long, value_name = "DOMAIN", env = "HOST_SERVICE_ACCOUNT_DOMAIN", value_parser = domain)]
    domain: Option<String>,

    #[command(flatten)]
    host: ClientArgs,
}

/// List the service accounts
#[derive(Args)]
struct List {
    #[command(flatten)]
    listed: Listed,

    #[command(flatten)]
    host: ClientArgs,
}

/// Show a service account
#[derive(Args)]
struct Describe {
    /// Its address
    email: String,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

/// Change what people call a service account, or what you say of it
#[derive(Args)]
#[group(required = true, multiple = true, id = "texts", args = ["display_name", "description"])]
struct Update {
    /// Its address
    email: String,

    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,

    /// What you say of it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    #[command(flatten)]
    host: ClientArgs,
}

/// Have the tokens of a service account be refused, until it is enabled again
#[derive(Args)]
struct Disable {
    /// Its address
    email: String,

    #[command(flatten)]
    host: ClientArgs,
}

/// Have the tokens of a service account be accepted again
#[derive(Args)]
struct Enable {
    /// Its address
    email: String,

    #[command(flatten)]
    host: ClientArgs,
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
    host: ClientArgs,
}

/// Show who may act for a service account
#[derive(Args)]
struct GetPolicy {
    /// Its address
    email: String,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

/// Let a member act for a service account
#[derive(Args)]
struct AddBinding {
    /// Its address
    email: String,

    #[command(flatten)]
    binding: BindingArgs,

    #[command(flatten)]
    host: ClientArgs,
}

/// Let a member act for a service account no longer
#[derive(Args)]
struct RemoveBinding {
    /// Its address
    email: String,

    #[command(flatten)]
    binding: BindingArgs,

    #[command(flatten)]
    host: ClientArgs,
}

impl ServiceAccounts {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Create(create) => create.run(),
            Verb::List(list) => list.run(),
            Verb::Describe(describe) => describe.run(),
            Verb::Update(update) => update.run(),
            Verb::Disable(Disable { email, host }) => switch(&host, &email, "disable"),
            Verb::Enable(Enable { email, host }) => switch(&host, &email, "enable"),
            Verb::Delete(delete) => delete.run(),
            Verb::GetIamPolicy(get) => get.run(),
            Verb::AddIamPolicyBinding(AddBinding {
                email,
                binding,
                host,
            }) => bind(&host, &email, &binding, Change::Add),
            Verb::RemoveIamPolicyBinding(RemoveBinding {
                email,
                binding,
                host,
            }) => bind(&host, &email, &binding, Change::Remove),
        }
    }
}

impl Create {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client_or_new()?;
        let mut account = json!({
            "accountId": self.name,
            "serviceAccount": { "displayName": self.display_name, "description": self.description },
        });
        if let Some(domain) = self.domain {
            account["domain"] = json!(domain);
        }
        let path = format!("{}/serviceAccounts", host.project("v1"));
        let account = host.post(&path, &account)?;
        stderr::line!("Created service account [{}].", self.name);
        print(&format!("email: {}\n", text(&account["email"])))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let path = format!("{}/serviceAccounts", host.project("v1"));
        let accounts = host.list(&path, "accounts", usize::MAX)?;
        let items = accounts.iter().map(|account| Item {
            value: value(account),
            row: ["displayName", "email"].map(|field| text(&account[field]).to_owned()),
        });
        self.listed
            .show(["DISPLAY NAME", "EMAIL"], items.collect())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Describe {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let account = host.get(&path(&host, &self.email))?;
        self.shown.show(&value(&account))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Update {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let texts = [
            ("displayName", self.display_name),
            ("description", self.description),
        ];
        let given = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)));
        let (mut names, mut account) = (Vec::new(), json!({}));
        for (name, text) in given {
            names.push(name);
            account[name] = json!(text);
        }
        let body = json!({ "serviceAccount": account, "updateMask": names.join(",") });
        host.patch(&path(&host, &self.email), &body)?;
        stderr::line!("Updated service account [{}].", self.email);
        Ok(ExitCode::SUCCESS)
    }
}

impl Delete {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let path = path(&host, &self.email);
        // Before asking, so that nobody confirms what cannot be done.
        host.get(&path)?;
        if !self.quiet {
            confirm(&format!(
                "Service account [{}] will be deleted.",
                self.email
            ))?;
        }
        let deleted = host.delete(&path)?;
        stderr::line!("deleted service account [{}]", self.email);
        for function in deleted["functions"].as_array().into_iter().flatten() {
            stderr::line!("It may no longer call [{}].", text(function));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl GetPolicy {
    fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let policy = policy::read(&host, &path(&host, &self.email))?;
        self.shown.show(&policy::shown(policy))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Disables or enables an account.
fn switch(host: &ClientArgs, email: &str, verb: &str) -> Result<ExitCode, Message> {
    let client = host.client()?;
    client.post(&format!("{}:{verb}", path(&client, email)), &json!({}))?;
    stderr::line!("{}d service account [{email}].", capitalized(verb));
    Ok(ExitCode::SUCCESS)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn bind(
    host: &ClientArgs,
    email: &str,
    binding: &BindingArgs,
    change: Change,
) -> Result<ExitCode, Message> {
    let client = host.client()?;
    let what = format!("serviceAccount [{email}]");
    binding.run(&client, &path(&client, email), &what, change)
}

fn path(host: &Client, email: &str) -> String {
    format!("{}/serviceAccounts/{}", host.project("v1"), encoded(email))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What is shown of an account: what the host knows, without what only Google's clients look at.
fn value(account: &Value) -> Value {
    let fields = [
        "email",
        "uniqueId",
        "displayName",
        "description",
        "disabled",
        "createTime",
    ];
    let fields = fields.into_iter().filter_map(|name| {
        let value = account.get(name)?;
        let is_told = !matches!(name, "description" | "disabled")
            || ![json!(""), json!(false)].contains(value);
        is_told.then(|| (name.to_owned(), value.clone()))
    });
    Value::Object(fields.collect())
}

fn name(text: &str) -> Result<String, String> {
    check_account_name(text).map(|()| text.to_owned())
}

fn domain(text: &str) -> Result<String, String> {
    check_account_domain(text).map(|()| text.to_owned())
}
