//! `host projects`: the host's one project, and who may do what in it.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::Message;
use super::client::{Client, ClientArgs, project_path};
use super::listing::Shown;
use super::policy::{self, BindingArgs, Change};

/// Show the host's one project, and say who may do what in it
#[derive(Args)]
pub(super) struct Projects {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Describe(Describe),
    GetIamPolicy(GetPolicy),
    AddIamPolicyBinding(AddBinding),
    RemoveIamPolicyBinding(RemoveBinding),
}

/// Show the project: its name, location and addresses
#[derive(Args)]
struct Describe {
    /// The project's id [default: the host's]
    id: Option<String>,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

/// Show who may do what on everything
#[derive(Args)]
struct GetPolicy {
    /// The project's id [default: the host's]
    id: Option<String>,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    host: ClientArgs,
}

/// Give a member a role on everything
#[derive(Args)]
struct AddBinding {
    /// The project's id [default: the host's]
    id: Option<String>,

    #[command(flatten)]
    binding: BindingArgs,

    #[command(flatten)]
    host: ClientArgs,
}

/// Take a role on everything from a member
#[derive(Args)]
struct RemoveBinding {
    /// The project's id [default: the host's]
    id: Option<String>,

    #[command(flatten)]
    binding: BindingArgs,

    #[command(flatten)]
    host: ClientArgs,
}

impl Projects {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match self.verb {
            Verb::Describe(describe) => describe.run(),
            Verb::GetIamPolicy(get) => get.run(),
            Verb::AddIamPolicyBinding(AddBinding { id, binding, host }) => {
                change(id, &binding, &host, Change::Add)
            }
            Verb::RemoveIamPolicyBinding(RemoveBinding { id, binding, host }) => {
                change(id, &binding, &host, Change::Remove)
            }
        }
    }
}

impl Describe {
    fn run(self) -> Result<ExitCode, Message> {
        let client = self.host.client_or_new()?;
        // One that is not the host's is an error.
        client.get(&path(&client, self.id))?;
        self.shown.show(&client.get("/host/v1/host")?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl GetPolicy {
    fn run(self) -> Result<ExitCode, Message> {
        let client = self.host.client_or_new()?;
        let policy = policy::read(&client, &path(&client, self.id))?;
        self.shown.show(&policy::shown(policy))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn change(
    id: Option<String>,
    binding: &BindingArgs,
    host: &ClientArgs,
    change: Change,
) -> Result<ExitCode, Message> {
    let client = host.client_or_new()?;
    let named = id.as_ref().or(host.project.as_ref());
    let what = match named.map(String::as_str) {
        None | Some("-") => "the project".to_owned(),
        Some(id) => format!("project [{id}]"),
    };
    binding.run(&client, &path(&client, id), &what, change)
}

fn path(client: &Client, id: Option<String>) -> String {
    match id {
        Some(id) => project_path("v1", &id),
        None => client.project("v1"),
    }
}
