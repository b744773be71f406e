//! From a request to its answer.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::sync::Semaphore;

use super::admission::Place;
use super::answer;
use super::authority;
use super::body::Body;
use super::drain::Pending;
use super::metrics::Reason;
use super::options::Access;
use super::record::Record;
use super::routes::{Route, RouteTable};
use crate::function::{ExecutionId, ResponseBody, Turnstile};
use crate::logs::{Entry, LogQueue, Severity};

/// What one worker needs to serve a request.
pub(super) struct Invoker {
    pub(super) routes: Arc<RouteTable>,
    /// The name of entries that are of no function.
    pub(super) no_function: Arc<str>,
    /// Executions of all functions at once.
    pub(super) places: Arc<Semaphore>,
    pub(super) turns: Arc<Turnstile>,
    pub(super) log: LogQueue,
    pub(super) pending: Arc<Pending>,
    pub(super) scheme: http::uri::Scheme,
}

impl Invoker {
    /// Answers `request`, whatever it is.
    pub(super) async fn invoke(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let json = answer::wants_json(request.headers());
        let id = ExecutionId::random();
        let refuse = |name, status, why: &dyn Display| self.refuse(name, status, id, json, why);
        if let Err(bad) = authority::check(&request) {
            return Ok(refuse(&self.no_function, StatusCode::BAD_REQUEST, &bad));
        }
        let Some(route) = self.routes.current().take(&mut request) else {
            let why = "no function has this path";
            return Ok(refuse(&self.no_function, StatusCode::NOT_FOUND, &why));
        };
        let place = match admit(&route, &request).await {
            Ok(place) => place,
            Err(turned_away) => {
                route.counters.refused(turned_away.reason);
                let status = turned_away.reason.status();
                return Ok(refuse(&route.name, status, &turned_away.why));
            }
        };
        Ok(self.execute(&route, request, id, json, place).await)
    }

    async fn execute(
        &self,
        route: &Route,
        request: Request<Incoming>,
        id: ExecutionId,
        json: bool,
        place: Place,
    ) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let record = Record::start(
            self.log.clone(),
            Arc::clone(&route.name),
            id,
            Arc::clone(&route.counters),
            (place, self.pending.guard()),
        );
        let execution = route.function.start(
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
        response
    }

    /// Answers without an execution, and says why in the log.
    fn refuse(
        &self,
        name: &Arc<str>,
        status: StatusCode,
        id: ExecutionId,
        json: bool,
        why: &dyn Display,
    ) -> Response<Body> {
        let text = format!(
            "Request refused with status code {}: {why}",
            status.as_u16()
        );
        let name = Arc::clone(name);
        self.log
            .push(vec![Entry::note(name, Some(id), Severity::Warning, text)]);
        answer::refuse(status, Some(id), json)
    }
}

/// Why a request gets no execution.
struct TurnedAway {
    reason: Reason,
    /// For the operator.
    why: String,
}

/// Lets `request` in, as soon as there is a place for it.
async fn admit<B>(route: &Route, request: &Request<B>) -> Result<Place, TurnedAway> {
    let turned_away = |reason, why| TurnedAway { reason, why };
    if route.access == Access::Private {
        let why = "the function is private and no issuer is trusted";
        return Err(turned_away(Reason::Unauthenticated, why.into()));
    }
    let limit = route.function.limits().request_body;
    if is_longer(request.headers(), limit) {
        let why = format!(
            "the request body is larger than {limit} bytes; raise the limit with --max-request-body"
        );
        return Err(turned_away(Reason::BodyTooLarge, why));
    }
    let place = route.admission.enter().await;
    place.map_err(|refused| turned_away(refused.reason(), refused.to_string()))
}

fn is_longer(headers: &HeaderMap, limit: u64) -> bool {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .is_some_and(|length| length > limit)
}

/// The head alone, as for HEAD; the guest goes on to its end.
fn without_body(response: Response<ResponseBody>) -> Response<Body> {
    response.map(|body| {
        body.detach();
        Body::whole(bytes::Bytes::new())
    })
}
