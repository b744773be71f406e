//! `host functions call`

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::super::Message;
use super::super::format::print;
use super::super::state::State;
use super::base_url;
use crate::store::FunctionName;

/// The most of an answer that is shown, in bytes.
const LARGEST_ANSWER: usize = 32 << 20;

/// Call a function over HTTP
///
/// Exits with 1 if the answer has a status of 400 or more.
#[derive(Args)]
pub(super) struct Call {
    /// The function
    name: FunctionName,

    /// What is sent to it, as JSON
    #[arg(long, value_name = "JSON", default_value = "{}")]
    data: String,

    #[command(flatten)]
    state: State,
}

impl Call {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let store = self.state.store()?;
        let record = store
            .function(&self.name)
            .map_err(|error| error.to_string())?;
        if !store.is_served() {
            return Err("no host serves this store; start one with `host serve`".into());
        }
        let url = format!("{}/{}", base_url(&store)?, self.name);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        // The host ends the execution by then; this is for a host that does not answer at all.
        let patience = Duration::from_millis(record.settings.timeout) + Duration::from_secs(10);
        let call = async { tokio::time::timeout(patience, self.call(&url)).await };
        runtime
            .block_on(call)
            .map_err(|_| format!("no answer from {url} within {patience:?}"))?
    }

    async fn call(&self, url: &str) -> Result<ExitCode, Message> {
        let failed = |error: &dyn std::error::Error| {
            let cause = error
                .source()
                .map_or_else(String::new, |cause| format!(": {cause}"));
            format!("cannot call {url}: {error}{cause}")
        };
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(self.data.clone())))
            .map_err(|error| failed(&error))?;
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| failed(&error))?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(tls);
        let response = client
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
    serde_yaml_ng::to_string(text).map_or_else(
        |_| format!("{text:?}"),
        |yaml| match yaml.trim_end() {
            block if block.contains('\n') => format!("{text:?}"),
            plain => plain.to_owned(),
        },
    )
}
