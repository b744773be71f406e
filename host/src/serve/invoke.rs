//! From a request to its answer.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::admission::Admission;
use super::answer;
use super::authority;
use super::body::Body;
use super::drain::Pending;
use super::options::Access;
use super::record::Record;
use crate::function::{ExecutionId, Function, ResponseBody, Turnstile};
use crate::logs::{Entry, LogQueue, Severity};

/// What one worker needs to serve a request.
pub(super) struct Invoker {
    pub(super) function: Function,
    pub(super) name: Arc<str>,
    pub(super) access: Access,
    pub(super) admission: Admission,
    pub(super) turns: Arc<Turnstile>,
    pub(super) log: LogQueue,
    pub(super) pending: Arc<Pending>,
    pub(super) scheme: http::uri::Scheme,
}

impl Invoker {
    /// Answers `request`, whatever it is.
    pub(super) async fn invoke(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let json = answer::wants_json(request.headers());
        let id = ExecutionId::random();
        if let Err(bad) = authority::check(&request) {
            return Ok(self.refuse(StatusCode::BAD_REQUEST, id, json, &bad));
        }
        if self.access == Access::Private {
            let why = "the function is private and no issuer is trusted";
            return Ok(self.refuse(StatusCode::UNAUTHORIZED, id, json, &why));
        }
        if self.is_too_large(request.headers()) {
            let why = format!(
                "the request body is larger than {} bytes; raise the limit with --max-request-body",
                self.function.limits().request_body
            );
            return Ok(self.refuse(StatusCode::PAYLOAD_TOO_LARGE, id, json, &why));
        }
        let place = match self.admission.enter().await {
            Ok(place) => place,
            Err(why) => return Ok(self.refuse(StatusCode::SERVICE_UNAVAILABLE, id, json, &why)),
        };
        let is_head = request.method() == Method::HEAD;
        let record = Record::start(
            self.log.clone(),
            Arc::clone(&self.name),
            id,
            (place, self.pending.guard()),
        );
        let execution = self.function.start(
            request,
            self.scheme.clone(),
            Some(Arc::clone(&self.turns)),
            Box::new(record),
        );
        let mut response = match execution.await {
            Ok(response) if is_head => without_body(response),
            Ok(response) => response.map(Body::guest),
            Err(failure) => answer::refuse(answer::status(&failure), Some(id), json),
        };
        answer::put_id(response.headers_mut(), id);
        Ok(response)
    }

    /// Answers without an execution, and says why in the log.
    fn refuse(
        &self,
        status: StatusCode,
        id: ExecutionId,
        json: bool,
        why: &dyn std::fmt::Display,
    ) -> Response<Body> {
        let text = format!(
            "Request refused with status code {}: {why}",
            status.as_u16()
        );
        let name = Arc::clone(&self.name);
        self.log
            .push(vec![Entry::note(name, Some(id), Severity::Warning, text)]);
        answer::refuse(status, Some(id), json)
    }

    fn is_too_large(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
            .is_some_and(|length| length > self.function.limits().request_body)
    }
}

/// The head alone, as for HEAD; the guest goes on to its end.
fn without_body(response: Response<ResponseBody>) -> Response<Body> {
    response.map(|body| {
        body.detach();
        Body::whole(bytes::Bytes::new())
    })
}
