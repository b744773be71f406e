//! Calls of functions over HTTP, as any of their callers makes them.

use std::error::Error;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use rustls::ClientConfig;
use serde_json::json;

use super::address::base_url;
use super::settle::not_served;
use crate::api::fields::Fields;
use crate::api::{self, Api, Code, Reply, Status};
use crate::http_client;
use crate::identity::access::project_invokers;
use crate::identity::{OwnIssuer, OwnIssuerError, TokenRequest};
use crate::store::{FunctionName, FunctionSettings, PolicyOf, Store};
use host_sandbox::outbound::{authorities, tls_failure};

/// How much longer than the function may take a call waits: the host ends the execution by then.
pub(crate) const GRACE: Duration = Duration::from_secs(10);
/// How long the token of a call is good.
const TOKEN_LIFETIME: Duration = Duration::from_secs(300);
/// The largest answer of a function that is told to who asked for the call, in bytes.
const LARGEST_ANSWER: usize = 10 << 20;

/// A call of a function.
#[derive(Debug)]
pub(crate) struct FunctionCall<'a> {
    /// Where the function answers.
    pub(crate) url: &'a str,
    /// The ID token of who calls, if it wants one.
    pub(crate) token: Option<&'a str>,
    /// What is sent, as JSON.
    pub(crate) data: Bytes,
    /// How long the answer may take.
    pub(crate) patience: Duration,
    /// The largest answer, in bytes.
    pub(crate) largest_answer: usize,
}

/// What a function answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status of HTTP.
    pub(crate) status: StatusCode,
    /// The id of the execution, if the answer has one.
    pub(crate) execution_id: Option<String>,
    /// The body.
    pub(crate) body: Bytes,
}

impl Answer {
    /// Whether the status is one of an error.
    pub(crate) fn is_error(&self) -> bool {
        self.status.as_u16() >= 400
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No request could be made.
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    /// The answer took too long.
    #[error("no answer from {url} within {patience:?}")]
    Late {
        /// Where the function was called.
        url: String,
        /// How long it had.
        patience: Duration,
    },
    /// The host could not be reached, or the answer is larger than it may be.
    #[error("cannot call {url}: {reason}")]
    Failed {
        /// Where the function was called.
        url: String,
        /// Why.
        reason: String,
    },
}

impl FunctionCall<'_> {
    /// Makes the call, trusting whom `tls` does to be the host. Blocks until there is an answer.
    ///
    /// # Errors
    /// If there is no answer, or it is too large.
    pub(crate) fn make(self, tls: ClientConfig) -> Result<Answer, CallError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CallError::Start)?;
        let answer = runtime.block_on(async {
            let answer = tokio::time::timeout(self.patience, self.answer(tls)).await;
            answer.map_err(|_| CallError::Late {
                url: self.url.to_owned(),
                patience: self.patience,
            })
        })?;
        answer.map_err(|error| CallError::Failed {
            url: self.url.to_owned(),
            reason: tls_failure::all_causes(&*error),
        })
    }

    async fn answer(&self, tls: ClientConfig) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let mut request = Request::post(self.url).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(self.data.clone()))?;
        let client = http_client::keeping_connections(tls);
        let (head, body) = client.request(request).await?.into_parts();
        let body = Limited::new(body, self.largest_answer).collect().await?;
        let id = head.headers.get("function-execution-id");
        Ok(Answer {
            status: head.status,
            execution_id: id.and_then(|id| id.to_str().ok()).map(str::to_owned),
            body: body.to_bytes(),
        })
    }
}

/// Why `name` cannot be called, if no service account may.
pub(crate) fn no_account(name: &FunctionName) -> String {
    format!(
        "no service account may call `{name}`; let one with `host functions add-iam-policy-binding {name} \
         --member serviceAccount:EMAIL --role roles/cloudfunctions.invoker`"
    )
}

/// A token of the service account `account`, for the function at `url`.
///
/// # Errors
/// If there is no such account, or no token can be made.
fn token(store: &Store, account: &str, url: &str) -> Result<String, OwnIssuerError> {
    let request = TokenRequest {
        account,
        audience: url,
        with_email: true,
        lifetime: TOKEN_LIFETIME,
    };
    OwnIssuer::of(store, None)?.token(store, request, SystemTime::now())
}

/// `projects.locations.functions.call`.
pub(super) fn call(api: &Api, request: &api::Request<'_>) -> Result<Reply, Status> {
    let name = super::name(request)?;
    let record = super::found(api, &name)?;
    record.check()?;
    let document = request.json()?;
    let data = Fields::of(&document).text("data")?.unwrap_or_default();
    if !api.store().serves_functions()? {
        let message = not_served(api.store());
        return Err(Status::new(Code::FailedPrecondition, message));
    }
    let url = format!("{}/{name}", base_url(api.store())?);
    let mut settings = record.settings;
    settings.invokers.extend(project_invokers(api.store())?);
    let token = match settings.lets_anyone_in() {
        true => None,
        false => Some(token_of_invoker(api, request, &name, &settings, &url)?),
    };
    let tls = authorities::client_config(&[]).map_err(|error| {
        let message = format!("the certificate authorities: {error}");
        Status::new(Code::Internal, message)
    })?;
    let call = FunctionCall {
        url: &url,
        token: token.as_deref(),
        data: data.into(),
        patience: settings.timeout + GRACE,
        largest_answer: LARGEST_ANSWER,
    };
    let answer = {
        let _call = api.calls().begin()?;
        call.make(tls)?
    };
    let text = String::from_utf8_lossy(&answer.body);
    let outcome = match answer.is_error() {
        true => "error",
        false => "result",
    };
    let id = answer.execution_id.as_deref().unwrap_or_default();
    Ok(json!({ "executionId": id, outcome: text }).into())
}

/// A token of the first account that may call the function and whose tokens who asks may have.
///
/// # Errors
/// Why it is none of the first account, if there is no such account.
fn token_of_invoker(
    api: &Api,
    request: &api::Request<'_>,
    name: &FunctionName,
    settings: &FunctionSettings,
    url: &str,
) -> Result<String, Status> {
    let invokers = settings.invokers.iter();
    let mut failure = None;
    for account in invokers.filter_map(|member| member.strip_prefix("serviceAccount:")) {
        match token_for_caller(api, request, account, url) {
            Ok(token) => return Ok(token),
            Err(status) => failure = failure.or(Some(status)),
        }
    }
    Err(failure.unwrap_or_else(|| Status::new(Code::FailedPrecondition, no_account(name))))
}

/// A token of `account`. Who asks for the call gets the function's answer to that account, and so has to be somebody who may
/// have its tokens.
fn token_for_caller(
    api: &Api,
    request: &api::Request<'_>,
    account: &str,
    url: &str,
) -> Result<String, Status> {
    api.require(
        &request.caller.principal,
        "iam.serviceAccounts.getOpenIdToken",
        &PolicyOf::ServiceAccount(account.to_owned()),
    )?;
    token(api.store(), account, url).map_err(|error| match error {
        OwnIssuerError::Store(error) => error.into(),
        error => Status::new(Code::FailedPrecondition, error.to_string()),
    })
}

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        let code = match &error {
            CallError::Start(_) => Code::Internal,
            CallError::Late { .. } => Code::DeadlineExceeded,
            CallError::Failed { .. } => Code::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::function_server;
    use super::*;

    fn call(answer: &'static str, largest_answer: usize) -> Result<Answer, CallError> {
        let url = function_server(answer);
        let call = FunctionCall {
            url: &format!("{url}/f"),
            token: Some("t"),
            data: Bytes::from_static(b"{}"),
            patience: Duration::from_millis(500),
            largest_answer,
        };
        call.make(authorities::client_config(&[]).unwrap())
    }

    #[test]
    fn an_answer_is_told_with_its_execution() {
        let answer = "HTTP/1.1 200 OK\r\nFunction-Execution-Id: x1\r\nContent-Length: 2\r\n\r\nhi";
        let answer = call(answer, 2).unwrap();
        assert_eq!(answer.body, "hi");
        assert_eq!(answer.execution_id.as_deref(), Some("x1"));
        assert!(!answer.is_error());
    }

    #[test]
    fn answers_that_are_too_large_or_too_late_are_none() {
        let large = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        let refused = call(large, 1).unwrap_err();
        assert!(matches!(refused, CallError::Failed { .. }), "{refused}");
        let unfinished = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi";
        let late = call(unfinished, 10).unwrap_err();
        assert!(matches!(late, CallError::Late { .. }), "{late}");
    }
}
