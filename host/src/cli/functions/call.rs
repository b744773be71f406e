//! `host functions call`

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use clap::Args;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};

use super::super::Message;
use super::super::format::print;
use super::super::own_issuer::own_issuer;
use super::super::state::StateDirectory;
use super::super::yaml;
use super::{base_url, is_served, not_served};
use crate::authorities;
use crate::http_client;
use crate::identity::TokenRequest;
use crate::store::{FunctionName, FunctionRecord, Store};
use host_sandbox::outbound::tls_failure;

/// How long the token of a call is good.
const TOKEN_LIFETIME: Duration = Duration::from_secs(300);
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        // The host ends the execution by then; this is for a host that does not answer at all.
        let patience = record.settings.timeout + Duration::from_secs(10);
        let call =
            async { tokio::time::timeout(patience, self.call(&url, token.as_deref(), tls)).await };
        runtime
            .block_on(call)
            .map_err(|_| format!("no answer from {url} within {patience:?}"))?
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
        let mut invokers = record.settings.invokers.iter();
        let first = invokers.find_map(|member| member.strip_prefix("serviceAccount:"));
        let account = self.impersonate_service_account.as_deref().or(first);
        let account = account.ok_or_else(|| {
            format!(
                "no service account may call `{0}`; let one with `host functions add-iam-policy-binding {0} \
                 --member serviceAccount:EMAIL --role roles/cloudfunctions.invoker`",
                self.name
            )
        })?;
        let request = TokenRequest {
            account,
            audience: url,
            with_email: true,
            lifetime: TOKEN_LIFETIME,
        };
        let issuer = own_issuer(store, None)?;
        let token = issuer.token(store, request, SystemTime::now());
        token.map(Some).map_err(|error| error.to_string())
    }

    /// Whom it trusts to be the host.
    fn tls(&self) -> Result<rustls::ClientConfig, Message> {
        let others = self.ca_file.as_deref().map(authorities::read).transpose()?;
        let config =
            host_sandbox::outbound::authorities::client_config(&others.unwrap_or_default());
        config.map_err(|error| format!("the certificate authorities: {error}"))
    }

    async fn call(
        &self,
        url: &str,
        token: Option<&str>,
        tls: rustls::ClientConfig,
    ) -> Result<ExitCode, Message> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            format!("cannot call {url}: {}", tls_failure::all_causes(error))
        };
        let mut request = Request::post(url).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(Full::new(Bytes::from(self.data.clone())))
            .map_err(|error| failed(&error))?;
        let response = http_client::keeping_connections(tls)
            .request(request)
            .await
            .map_err(|error| failed(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await;
        let body = body.map_err(|error| failed(&*error))?.to_bytes();
        let text = String::from_utf8_lossy(&body);
        let id = head.headers.get("function-execution-id");
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or("unknown");
        if head.status.as_u16() >= 400 {
            print(&format!(
                "executionId: {id}\nerror: {}\n",
                quoted(text.trim_end())
            ))?;
            return Err(format!("the function answered with status {}", head.status));
        }
        print(&format!("executionId: {id}\nresult: {}\n", quoted(&text)))?;
        Ok(ExitCode::SUCCESS)
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
