//! `host functions deploy`

mod settings;
mod source;

use std::path::PathBuf;
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};

use super::super::Message;
use super::super::client::{Client, ClientArgs, Trying};
use super::super::compiler::CompilerArgs;
use super::super::format::print;
use super::super::trial::Trial;
use super::{Invokers, not_served, operation, project_policy, text};
use crate::api::{Code, Status};
use crate::input;
use crate::stderr;
use crate::store::FunctionName;
use settings::SettingArgs;

/// How often it is begun anew where somebody else was faster, or the host has ended meanwhile.
const TRIES: usize = 5;

/// The only runtime that there is.
const WASI: &str = "wasi";

/// Deploy a function, or change one
///
/// The component is checked and compiled first; if it cannot be served, nothing changes. A serving host takes the change
/// up at once, and no request fails. Settings that are not named stay as they are.
#[derive(Args)]
pub(super) struct Deploy {
    /// The function
    name: FunctionName,

    /// Its component: a .wasm file, a folder that has one, or `-` for standard input; may be left out where only settings
    /// change
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,

    /// What the source is written in: wasi, which is a component
    #[arg(long, value_name = "RUNTIME", value_parser = runtime)]
    runtime: Option<String>,

    /// A name that is kept with the function for clients of Google; a component has one entry point
    #[arg(long, value_name = "NAME", requires = "runtime")]
    entry_point: Option<String>,

    /// Let HTTP requests trigger it; there is no other trigger
    #[arg(long)]
    trigger_http: bool,

    #[command(flatten)]
    settings: SettingArgs,

    #[command(flatten)]
    compiler: CompilerArgs,

    #[command(flatten)]
    host: ClientArgs,
}

/// A component, and what it goes by in messages.
struct Component {
    name: String,
    wasm: Bytes,
}

impl Deploy {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let changes = self.changes()?;
        let component = self.component()?;
        let (host, function) = self.deployed(&changes, component.as_ref())?;
        self.tell(&host, &function)?;
        print(&format!("url: {}\n", text(&function["url"])))?;
        Ok(ExitCode::SUCCESS)
    }

    /// What the flags change.
    fn changes(&self) -> Result<Value, Message> {
        let mut changes = self.settings.changes(self.is_here())?;
        let notes = [
            ("runtime", &self.runtime),
            ("entryPoint", &self.entry_point),
        ];
        for (name, note) in notes {
            changes.extend(note.as_ref().map(|note| (name.to_owned(), json!(note))));
        }
        Ok(Value::Object(changes))
    }

    /// What is to be deployed, if it is not only settings that change.
    fn component(&self) -> Result<Option<Component>, Message> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let path = source::component(source)?;
        let name = input::name(&path);
        stderr::line!("Checking and compiling {name} …");
        let wasm = Trial::new(None, self.compiler.compiler())?.read(&path, "--source")?;
        Ok(Some(Component { name, wasm }))
    }

    fn is_here(&self) -> bool {
        self.host.endpoint().is_none()
    }

    /// Deploys it. Answers the host, and the function as its API shows it.
    fn deployed(
        &self,
        changes: &Value,
        component: Option<&Component>,
    ) -> Result<(Client, Value), Message> {
        let mut tries = TRIES;
        loop {
            let host = self.connect(component)?;
            tries -= 1;
            match self.deploy(&host, changes, component) {
                // The process that served has ended: another one serves by now, or this one does what it was asked.
                Err(status) if status.code == Code::Unavailable && self.is_here() && tries > 0 => {}
                // Somebody else was the first to create it, so it is to be changed.
                Ok(Err(status)) if status.code == Code::AlreadyExists && tries > 0 => {}
                deployed => {
                    let function = deployed?;
                    let function = function.map_err(|status| self.failure(status, component))?;
                    return Ok((host, function));
                }
            }
        }
    }

    fn connect(&self, component: Option<&Component>) -> Result<Client, Message> {
        let trying = Trying {
            compiler: self.compiler.compiler(),
            name: component.map(|component| component.name.clone()),
        };
        // What has a component can begin a store; what only changes settings needs one.
        let host = match component {
            Some(_) => self.host.client_or_new_with(trying)?,
            None => self
                .host
                .client_with(trying)
                .map_err(|error| match self.is_here() {
                    true => format!(
                        "there is no function `{}` yet; name its component with --source ({error})",
                        self.name
                    ),
                    false => error,
                })?,
        };
        if !self.compiler.is_empty() && !host.is_this_process() {
            return Err(
                "the host that serves compiles the component, within the bounds that it was started with; leave out \
                 --compile-memory and --compile-timeout, or give them to `host serve`"
                    .into(),
            );
        }
        Ok(host)
    }

    fn deploy(
        &self,
        host: &Client,
        changes: &Value,
        component: Option<&Component>,
    ) -> Result<operation::Outcome, Status> {
        let path = format!("{}/functions/{}", host.location("host/v1"), self.name);
        let mut deployment = json!({ "changes": changes });
        if let Some(component) = component {
            self.warn_of_damage(host, &path)?;
            let uploads = format!("{}/functions:generateUploadUrl", host.location("v2"));
            let url = host.post(&uploads, &json!({}))?;
            let url = text(&url["uploadUrl"]);
            host.upload(url, component.wasm.clone())?;
            deployment["upload"] = json!(url.rsplit('/').next());
        }
        operation::run(host, || host.post(&format!("{path}:deploy"), &deployment))
    }

    fn warn_of_damage(&self, host: &Client, path: &str) -> Result<(), Status> {
        let before = match host.get(path) {
            Err(status) if status.code == Code::NotFound => return Ok(()),
            before => before?,
        };
        if before["state"] == "DAMAGED" {
            stderr::line!(
                "warning: the settings that [{}] had cannot be read ({}), and are the defaults from now on, but for \
                 what this command says",
                self.name,
                text(&before["stateMessage"]).escape_debug()
            );
        }
        Ok(())
    }

    /// Why the operation failed. If the host cannot serve the component, it is named.
    fn failure(&self, status: Status, component: Option<&Component>) -> Message {
        match (status.code, component) {
            (Code::InvalidArgument, Some(component)) => {
                format!("{}: {}", component.name, status.message)
            }
            (Code::InvalidArgument, None) => {
                format!("the function `{}`: {}", self.name, status.message)
            }
            _ => status.message,
        }
    }

    /// Says what was done, and what is still to be done.
    fn tell(&self, host: &Client, function: &Value) -> Result<(), Message> {
        let revision = text(&function["serviceConfig"]["revision"]);
        let number = revision.rsplit('-').next().unwrap_or_default();
        stderr::line!(
            "Deployed revision {} of [{}].",
            number.trim_start_matches('0'),
            self.name
        );
        let path = format!("{}/functions/{}", host.location("host/v1"), self.name);
        let (described, of_project) = (host.get(&path)?, project_policy(host)?);
        if Invokers::of(&described).with_project(&of_project) == Invokers::default() {
            stderr::line!(
                "warning: nobody may call [{0}] yet; let a service account with `host functions \
                 add-iam-policy-binding {0} --member serviceAccount:EMAIL --role roles/cloudfunctions.invoker`",
                self.name
            );
        }
        if let Some(reason) = not_served(function) {
            stderr::line!("note: {reason}");
        }
        Ok(())
    }
}

fn runtime(text: &str) -> Result<String, String> {
    match text {
        WASI => Ok(text.to_owned()),
        _ => Err(format!(
            "a function is not built from source yet; expected {WASI}, which is a component: build one, as `host new` shows"
        )),
    }
}
