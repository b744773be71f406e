//! `host functions call`

use std::path::PathBuf;
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;

use super::super::Message;
use super::super::format::print;
use super::super::state::StateDirectory;
use super::super::yaml;
use super::{base_url, is_served, not_served};
use crate::api::functions::{FunctionCall, GRACE, first_account, no_account, token};
use crate::authorities;
use crate::store::{FunctionName, FunctionRecord, Store};

/// The most of an answer that is shown, in bytes.
const LARGEST_ANSWER: usize = 32 << 20;

/// Call a function over HTTP
///
/// At the first --public-url of the host that serves, or where it listens if it has none.
/// Exits with 1 if the answer has a status of 400 or more.
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
    state: StateDirectory,
}

impl Call {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let record = store.function(&self.name)?;
        record.check()?;
        if !is_served(&store)? {
            return Err(not_served(&store).into());
        }
        let tls = self.tls()?;
        let url = format!("{}/{}", base_url(&store)?, self.name);
        let token = self.token(&store, &record, &url)?;
        let call = FunctionCall {
            url: &url,
            token: token.as_deref(),
            data: Bytes::from(self.data),
            // The host ends the execution by then; this is for a host that does not answer at all.
            patience: record.settings.timeout + GRACE,
            largest_answer: LARGEST_ANSWER,
        };
        let answer = call.make(tls).map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&answer.body);
        let id = answer.execution_id.as_deref().unwrap_or("unknown");
        if answer.is_error() {
            print(&format!(
                "executionId: {id}\nerror: {}\n",
                quoted(text.trim_end())
            ))?;
            return Err(format!(
                "the function answered with status {}",
                answer.status
            ));
        }
        print(&format!("executionId: {id}\nresult: {}\n", quoted(&text)))?;
        Ok(ExitCode::SUCCESS)
    }

    /// A token for the function, if it wants one.
    fn token(
        &self,
        store: &Store,
        record: &FunctionRecord,
        url: &str,
    ) -> Result<Option<String>, Message> {
        if record.settings.allow_unauthenticated && self.impersonate_service_account.is_none() {
            return Ok(None);
        }
        let account = self.impersonate_service_account.as_deref();
        let account = account.or(first_account(&record.settings));
        let account = account.ok_or_else(|| no_account(&self.name))?;
        let token = token(store, account, url);
        token.map(Some).map_err(|error| error.to_string())
    }

    /// Whom it trusts to be the host.
    fn tls(&self) -> Result<rustls::ClientConfig, Message> {
        let others = self.ca_file.as_deref().map(authorities::read).transpose()?;
        let config =
            host_sandbox::outbound::authorities::client_config(&others.unwrap_or_default());
        config.map_err(|error| format!("the certificate authorities: {error}"))
    }
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
