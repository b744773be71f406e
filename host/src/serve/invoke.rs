//! From a request to its answer.

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::sync::Semaphore;

use super::access::Access;
use super::admission::Place;
use super::answer;
use super::authenticate::{Authenticator, LetIn, NotLetIn};
use super::authority;
use super::body::Body;
use super::credentials;
use super::drain::Pending;
use super::metrics::Reason;
use super::published::Published;
use super::record::Record;
use super::routes::{Route, Routes};
use super::trace;
use super::upload::Upload;
use crate::function::{ExecutionId, Turnstile};
use crate::logs::{Cause, Entry, LogQueue, Severity, Trace, Trigger};
use crate::scheduler::SCHEDULER;

/// What the log entry of a request begins with that got no execution.
pub(crate) const REFUSED: &str = "Request refused";

/// What one worker needs to serve a request.
pub(super) struct Invoker {
    pub(super) routes: Arc<Published<Routes>>,
    /// The name of entries that are of no function.
    pub(super) no_function: Arc<str>,
    /// Executions of all functions at once.
    pub(super) places: Arc<Semaphore>,
    pub(super) authenticator: Authenticator,
    pub(super) turns: Arc<Turnstile>,
    pub(super) log: LogQueue,
    pub(super) pending: Arc<Pending>,
    pub(super) scheme: http::uri::Scheme,
}

impl Invoker {
    /// Answers `request`, whatever it is.
    pub(super) async fn invoke(
        self: Arc<Self>,
        request: Request<Upload>,
    ) -> Result<Response<Body>, Infallible> {
        let is_head = request.method() == Method::HEAD;
        let mut response = self.answer(request).await;
        if is_head {
            answer::keep_head(&mut response);
        }
        Ok(response)
    }

    async fn answer(&self, mut request: Request<Upload>) -> Response<Body> {
        let json = answer::wants_json(request.headers());
        let id = ExecutionId::random();
        let (trace, parent_span) = trace::enter(request.headers_mut());
        let refuse =
            |name, status, why: &dyn Display| self.refuse(name, status, (id, trace), json, why);
        if let Err(bad) = authority::check(&request) {
            return refuse(&self.no_function, StatusCode::BAD_REQUEST, &bad);
        }
        let Some(route) = self.routes.current().take(&mut request) else {
            let why = "no function has this path";
            return refuse(&self.no_function, StatusCode::NOT_FOUND, &why);
        };
        let LetIn { caller, waited } = match self.let_in(&route, request.headers()).await {
            Ok(let_in) => let_in,
            Err(NotLetIn { reason, why }) => {
                route.counters.refused(reason);
                let mut response = refuse(&route.name, reason.status(), &why);
                if let Some(challenge) = reason.challenge() {
                    let challenge = HeaderValue::from_static(challenge);
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
                return response;
            }
        };
        credentials::present(request.headers_mut(), caller.as_deref());
        let place = match admit(&route, &request).await {
            Ok(place) => place,
            Err(NotLetIn { reason, why }) => {
                route.counters.refused(reason);
                return refuse(&route.name, reason.status(), &why);
            }
        };
        let cause = Cause {
            parent_span,
            trigger: trigger(request.headers()),
            is_newly_compiled: route.function.is_newly_compiled(),
        };
        self.execute(&route, request, (id, trace, cause), json, (place, waited))
            .await
    }

    /// Who calls, if that has to be known. What it may wait for is part of the wall time.
    async fn let_in(&self, route: &Route, headers: &HeaderMap) -> Result<LetIn, NotLetIn> {
        let Access::Private(policy) = &route.access else {
            return Ok(LetIn::default());
        };
        let token = credentials::token(headers)
            .map_err(|ambiguous| NotLetIn::new(Reason::BadCredentials, ambiguous))?;
        let patience = route.function.limits().wall_time;
        // A right may be given or taken away in the meantime.
        let access = || {
            let routes = self.routes.current();
            let successor = routes.successor(route);
            successor.map_or_else(Access::nobody, |route| route.access.clone())
        };
        self.authenticator
            .authenticate(token, policy, (Instant::now(), patience), access)
            .await
    }

    async fn execute(
        &self,
        route: &Route,
        request: Request<Upload>,
        (id, trace, cause): (ExecutionId, Trace, Cause),
        json: bool,
        (place, waited): (Place, Duration),
    ) -> Response<Body> {
        let record = Record::start(
            self.log.clone(),
            Arc::clone(&route.name),
            (id, trace, cause),
            Arc::clone(&route.counters),
            (place, self.pending.guard()),
        );
        let execution = route.function.start(
            request,
            self.scheme.clone(),
            Some(Arc::clone(&self.turns)),
            waited,
            Box::new(record),
        );
        let mut response = match execution.await {
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
        (id, trace): (ExecutionId, Trace),
        json: bool,
        why: &dyn Display,
    ) -> Response<Body> {
        let text = format!("{REFUSED} with status code {}: {why}", status.as_u16());
        let name = Arc::clone(name);
        let entry = Entry::note(name, Some(id), Severity::Warning, text);
        self.log.push(vec![entry.in_trace(trace)]);
        answer::refuse(status, Some(id), json)
    }
}

/// What the request says that made it. It decides nothing.
fn trigger(headers: &HeaderMap) -> Trigger {
    match headers.contains_key(SCHEDULER) {
        true => Trigger::Timer,
        false => Trigger::Http,
    }
}

/// Lets `request` in, as soon as there is a place for it.
async fn admit<B>(route: &Route, request: &Request<B>) -> Result<Place, NotLetIn> {
    let limit = route.function.limits().request_body;
    if is_longer(request.headers(), limit) {
        let why = format!(
            "the request body is larger than {limit} bytes; raise the limit with --max-request-body"
        );
        return Err(NotLetIn::new(Reason::BodyTooLarge, why));
    }
    let place = route.admission.enter().await;
    place.map_err(|refused| NotLetIn::new(refused.reason(), refused))
}

fn is_longer(headers: &HeaderMap, limit: u64) -> bool {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .is_some_and(|length| length > limit)
}
