//! `host functions call`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use serde_json::{Value, json};

use super::super::Message;
use super::super::client::{Client, ClientArgs, encoded};
use super::super::format::print;
use super::super::yaml;
use super::{Invokers, not_served, project_policy, text};
use crate::api::functions::{FunctionCall, GRACE, no_account};
use crate::authorities;
use crate::store::{FunctionName, StoreError};

/// The most of an answer that is shown, in bytes.
const LARGEST_ANSWER: usize = 32 << 20;
/// How long the token of a call is good.
const TOKEN_LIFETIME: &str = "300s";

/// Call a function over HTTP
///
/// At the first --public-url of the host that serves, or where it listens if it has none. With --endpoint and no
/// account, the host calls it. Exits with 1 if the answer has a status of 400 or more.
#[derive(Args)]
pub(super) struct Call {
    /// The function
    name: FunctionName,

    /// What is sent to it, as JSON
    #[arg(long, value_name = "JSON", default_value = "{}")]
    data: String,

    /// The service account to call as [default: the first that may call the function]
    #[arg(long, value_name = "EMAIL")]
    impersonate_service_account: Option<String>,

    /// Trust these certificate authorities (PEM) as well, where the host speaks TLS
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    #[command(flatten)]
    host: ClientArgs,
}

impl Call {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let host = self.host.client()?;
        let is_elsewhere = self.host.endpoint().is_some();
        match is_elsewhere && self.impersonate_service_account.is_none() && self.ca_file.is_none() {
            true => self.by_method(&host),
            false => self.by_request(&host),
        }
    }

    /// Has the host call the function: from here it may not be reached.
    fn by_method(&self, host: &Client) -> Result<ExitCode, Message> {
        let path = format!("{}/functions/{}:call", host.location("v1"), self.name);
        let answer = host.post(&path, &json!({ "data": self.data }))?;
        let id = Some(text(&answer["executionId"]));
        match answer.get("error") {
            None => tell(id, "result", text(&answer["result"])),
            Some(error) => {
                tell(id, "error", text(error).trim_end())?;
                Err("the function answered with an error".into())
            }
        }
    }

    /// Calls the function where it answers.
    fn by_request(&self, host: &Client) -> Result<ExitCode, Message> {
        let path = format!("{}/functions/{}", host.location("v2"), self.name);
        let function = host.get(&path)?;
        if let Some(damage) = function["host"]["damage"].as_str() {
            return Err(damaged(&self.name, damage));
        }
        if let Some(reason) = not_served(&function) {
            return Err(reason.to_owned());
        }
        let url = text(&function["url"]);
        let token = self.token(host, &function, url)?;
        let timeout = function["serviceConfig"]["timeoutSeconds"].as_u64();
        let call = FunctionCall {
            url,
            token: token.as_deref(),
            data: Bytes::from(self.data.clone()),
            // The host ends the execution by then; this is for a host that does not answer at all.
            patience: Duration::from_secs(timeout.unwrap_or_default()) + GRACE,
            largest_answer: LARGEST_ANSWER,
        };
        let answer = call.make(self.tls()?).map_err(|error| error.to_string())?;
        let (id, body) = (
            answer.execution_id.as_deref(),
            String::from_utf8_lossy(&answer.body),
        );
        if answer.is_error() {
            tell(id, "error", body.trim_end())?;
            return Err(format!(
                "the function answered with status {}",
                answer.status
            ));
        }
        tell(id, "result", &body)
    }

    /// A token for the function, if it wants one: of the account that is named, or the first that gives one.
    fn token(&self, host: &Client, function: &Value, url: &str) -> Result<Option<String>, Message> {
        if let Some(account) = &self.impersonate_service_account {
            return Ok(Some(token_of(host, account, url)?));
        }
        let of_project = project_policy(host)?;
        let invokers = Invokers::of(&function["host"]).with_project(&of_project);
        if invokers.is_anyone {
            return Ok(None);
        }
        let mut failure = None;
        for account in invokers.accounts() {
            match token_of(host, account, url) {
                Ok(token) => return Ok(Some(token)),
                Err(message) => failure = failure.or(Some(message)),
            }
        }
        Err(failure.unwrap_or_else(|| no_account(&self.name)))
    }

    /// Whom it trusts to be the host.
    fn tls(&self) -> Result<rustls::ClientConfig, Message> {
        let others = self.ca_file.as_deref().map(authorities::read).transpose()?;
        let config =
            host_sandbox::outbound::authorities::client_config(&others.unwrap_or_default());
        config.map_err(|error| format!("the certificate authorities: {error}"))
    }
}

/// A token of the service account `account`, for the function at `url`.
fn token_of(host: &Client, account: &str, url: &str) -> Result<String, Message> {
    let path = format!(
        "{}/serviceAccounts/{}:generateIdToken",
        host.project("v1"),
        encoded(account)
    );
    let wanted = json!({ "audience": url, "includeEmail": true, "lifetime": TOKEN_LIFETIME });
    let answer = host.post(&path, &wanted)?;
    let token = answer["token"].as_str();
    Ok(token.ok_or("the host answered without a token")?.to_owned())
}

/// Prints what came of the execution.
fn tell(id: Option<&str>, what: &str, answer: &str) -> Result<ExitCode, Message> {
    let id = id.filter(|id| !id.is_empty()).unwrap_or("unknown");
    print(&format!("executionId: {id}\n{what}: {}\n", quoted(answer)))?;
    Ok(ExitCode::SUCCESS)
}

/// Why a function with a damaged record cannot be called.
fn damaged(name: &FunctionName, damage: &str) -> Message {
    let (name, damage) = (name.clone(), damage.to_owned());
    StoreError::DamagedFunction { name, damage }.to_string()
}

/// Text as YAML shows it: plain if that is read back the same, else quoted. Nothing of it steers the terminal.
fn quoted(text: &str) -> String {
    yaml::text(&text).map_or_else(
        |_| format!("{text:?}"),
        |yaml| match yaml.trim_end() {
            block if block.contains('\n') => format!("{text:?}"),
            plain => plain.to_owned(),
        },
    )
}
