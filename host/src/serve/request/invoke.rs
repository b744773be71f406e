//! From a request to its answer.

use std::convert::Infallible;
use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::answer;
use super::authenticate::{Authenticator, LetIn, NotLetIn, TimeLimit};
use super::body::Body;
use super::caller::Caller;
use super::confined;
use super::context::RequestContext;
use super::cookies;
use super::credentials;
use super::fields::CheckedTrailers;
use super::forwarded;
use super::peer::{Client, Peer};
use super::record::{ExecutionInfo, Record};
use super::refusals::{Kind, REFUSED, Refusals};
use super::upload::Upload;
use crate::advice;
use crate::identity::access::Access;
use crate::logs::{Cause, Entry, LogQueue, Origin, Severity, Trigger};
use crate::request_target::{self, Authority, BadTarget};
use crate::scheduler::SCHEDULER;
use crate::serve::drain::Pending;
use crate::serve::functions::admission::Permit;
use crate::serve::functions::counters::Reason;
use crate::serve::functions::routes::{Route, Routes, Taken};
use crate::serve::published::Published;
use host_sandbox::Failure;
use host_sandbox::execution::RunQueue;
use host_sandbox::outbound::AddressRange;

/// What one worker needs to serve a request.
pub(in crate::serve) struct Invoker {
    pub(in crate::serve) routes: Arc<Published<Routes>>,
    /// The name of entries that are of no function.
    pub(in crate::serve) no_function: Arc<str>,
    /// Executions of all functions at once.
    pub(in crate::serve) permits: Arc<Semaphore>,
    pub(in crate::serve) authenticator: Authenticator,
    pub(in crate::serve) turns: Arc<RunQueue>,
    pub(in crate::serve) log: LogQueue,
    pub(in crate::serve) refusals: Arc<Refusals>,
    pub(in crate::serve) pending: Arc<Pending>,
    pub(in crate::serve) scheme: http::uri::Scheme,
    /// Proxies whose word is taken for who the client is.
    pub(in crate::serve) proxies: Arc<[AddressRange]>,
}

/// A request that may be executed.
struct Admitted<'a> {
    request: Request<Upload>,
    client: &'a Client,
    /// From whom it is, as the log says it.
    origin: Origin,
    permit: Permit,
    /// How much of its wall time the check of its caller took.
    waited: Duration,
}

/// How a request is answered that is not executed.
#[derive(Clone, Copy)]
struct Refusal {
    status: StatusCode,
    /// The word for why.
    word: &'static str,
}

impl Refusal {
    const BAD_REQUEST: Self = Self {
        status: StatusCode::BAD_REQUEST,
        word: "bad_request",
    };
    const NOT_FOUND: Self = Self {
        status: StatusCode::NOT_FOUND,
        word: "not_found",
    };
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            status: reason.status(),
            word: reason.word(),
        }
    }
}

impl Invoker {
    /// The two ends of `stream`.
    ///
    /// # Errors
    /// If the other end is gone.
    pub(in crate::serve) fn peer(&self, stream: &TcpStream) -> io::Result<Peer> {
        Peer::of(stream, self.scheme.clone(), &self.proxies)
    }

    /// Answers `request`, whatever it is.
    pub(in crate::serve) async fn invoke(
        self: Arc<Self>,
        peer: Arc<Peer>,
        request: Request<Upload>,
    ) -> Result<Response<Body>, Infallible> {
        let is_head = request.method() == Method::HEAD;
        let mut response = self.answer(&peer, request).await;
        if is_head {
            answer::keep_head(&mut response);
        }
        Ok(response)
    }

    async fn answer(&self, peer: &Peer, mut request: Request<Upload>) -> Response<Body> {
        let mut context = RequestContext::new(request.headers_mut(), peer.address());
        let asked = match asked(&mut request, peer) {
            Ok(asked) => asked,
            Err(bad) => {
                return self.refuse(&self.no_function, Refusal::BAD_REQUEST, &context, &bad);
            }
        };
        let client = peer.client(request.headers(), &asked, &self.proxies);
        context.client = client.address;
        let refuse = |name, refusal, why: &dyn Display| self.refuse(name, refusal, &context, why);
        let taken = self.routes.current().take(&mut request, &asked);
        let Some(Taken {
            route,
            is_below_name,
        }) = taken
        else {
            let why = "no function has this path";
            return refuse(&self.no_function, Refusal::NOT_FOUND, &why);
        };
        let turn_away = |NotLetIn { reason, why }: NotLetIn| {
            route.counters.refused(reason);
            let mut response = refuse(&route.name, reason.into(), &why);
            if let Some(challenge) = reason.challenge() {
                let challenge = HeaderValue::from_static(challenge);
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            response
        };
        let let_in = match self.let_in(&route, request.headers()).await {
            Ok(let_in) => let_in,
            Err(refused) => return turn_away(refused),
        };
        let permit = match admit(&route, &request).await {
            Ok(permit) => permit,
            Err(refused) => return turn_away(refused),
        };
        let let_in = match permit.has_waited() {
            false => let_in,
            // Whoever was let in before the wait may be no longer.
            true => match self.let_in_again(&route, request.headers(), let_in).await {
                Some(Ok(let_in)) => let_in,
                Some(Err(refused)) => return turn_away(refused),
                None => {
                    let why = "the function was deleted while the request waited for an instance";
                    return refuse(&route.name, Refusal::NOT_FOUND, &why);
                }
            },
        };
        let LetIn { caller, waited } = let_in;
        let prefix = client.prefix(is_below_name.then_some(&route.path));
        self.present(
            request.headers_mut(),
            caller.as_deref(),
            peer,
            &client,
            prefix.as_ref(),
        );
        // Of an open function neither is kept: nobody has been judged, and each entry would be longer.
        let origin = Origin {
            client: caller.is_some().then_some(client.address),
            caller: caller.map(|caller| Arc::clone(&caller.name)),
        };
        let admitted = Admitted {
            request,
            client: &client,
            origin,
            permit,
            waited,
        };
        let mut response = self.execute(&route, &context, admitted).await;
        if let (true, Some(path)) = (is_below_name, &prefix) {
            confined::confine(response.headers_mut(), path);
        }
        response
    }

    /// Who calls, if that has to be known. What it may wait for is part of the wall time.
    async fn let_in(&self, route: &Route, headers: &HeaderMap) -> Result<LetIn, NotLetIn> {
        let Access::Private(policy) = &route.access else {
            return Ok(LetIn::default());
        };
        let token = credentials::token(headers)
            .map_err(|ambiguous| NotLetIn::new(Reason::BadCredentials, ambiguous))?;
        // A right may be given or taken away in the meantime.
        let access = || {
            let routes = self.routes.current();
            let successor = routes.successor(route);
            successor.map_or_else(Access::nobody, |route| route.access.clone())
        };
        let limit = TimeLimit {
            begun: Instant::now(),
            patience: route.function.limits().wall_time,
        };
        self.authenticator
            .authenticate(token, policy, limit, access)
            .await
    }

    /// As [`Self::let_in`], of what has taken the place of `route` since `before`; nothing if it was deleted.
    async fn let_in_again(
        &self,
        route: &Route,
        headers: &HeaderMap,
        before: LetIn,
    ) -> Option<Result<LetIn, NotLetIn>> {
        let present = self.routes.current().successor(route).cloned()?;
        let again = self.let_in(&present, headers).await;
        Some(again.map(|again| LetIn {
            waited: before.waited + again.waited,
            ..again
        }))
    }

    /// Leaves of a head what its function may see, and adds what the host says of the caller and its client.
    fn present(
        &self,
        headers: &mut HeaderMap,
        caller: Option<&Caller>,
        peer: &Peer,
        client: &Client,
        prefix: Option<&HeaderValue>,
    ) {
        // Beside the field that was judged, a private function sees the other one as well.
        if caller.is_none() || headers.contains_key(credentials::SERVERLESS_AUTHORIZATION) {
            credentials::withhold(headers, |word| self.authenticator.is_token(word));
        }
        credentials::present(headers, caller, client.is_by_proxy);
        cookies::join(headers);
        forwarded::tell(headers, client, prefix, peer.forwarded(client));
    }

    async fn execute(
        &self,
        route: &Route,
        context: &RequestContext,
        admitted: Admitted<'_>,
    ) -> Response<Body> {
        let Admitted {
            request,
            client,
            origin,
            permit,
            waited,
        } = admitted;
        let info = ExecutionInfo {
            id: context.id,
            trace: context.trace,
            cause: Cause {
                parent_span: context.parent_span,
                trigger: trigger(request.headers()),
                is_newly_compiled: route.function.is_newly_compiled(),
            },
            origin,
        };
        let record = Record::start(
            self.log.clone(),
            Arc::clone(&route.name),
            info,
            Arc::clone(&route.counters),
            permit,
            self.pending.guard(),
        );
        let execution = route
            .function
            .execution()
            .scheme(client.scheme.clone())
            .run_queue(Arc::clone(&self.turns))
            .waited(waited)
            .observer(record)
            .start(request.map(CheckedTrailers));
        let mut response = match execution.await {
            Ok(response) => response.map(Body::guest),
            Err(failure) => {
                let status = answer::status(&failure);
                answer::refuse(status, Some(context.id), context.wants_json)
            }
        };
        answer::put_id(response.headers_mut(), context.id);
        response
    }

    /// Answers without an execution. The log says why, or how many there were.
    fn refuse(
        &self,
        name: &Arc<str>,
        Refusal { status, word }: Refusal,
        context: &RequestContext,
        why: &dyn Display,
    ) -> Response<Body> {
        let entry = || {
            let text = format!("{REFUSED} with status code {}: {why}", status.as_u16());
            let entry = Entry::note(Arc::clone(name), Some(context.id), Severity::Warning, text);
            let origin = Origin {
                caller: None,
                client: Some(context.client),
            };
            entry.in_trace(context.trace).from_origin(origin)
        };
        let function = Arc::clone(name);
        self.refusals.note(Kind { function, word }, entry);
        answer::refuse(status, Some(context.id), context.wants_json)
    }
}

/// Whom `request` asks. One of HTTP/1.0 that does not say so asks the address that it came to.
fn asked<B>(request: &mut Request<B>, peer: &Peer) -> Result<Authority, BadTarget> {
    if let Some(asked) = request_target::authority(request)? {
        return Ok(asked);
    }
    let own = peer.own_authority().ok_or(BadTarget::NoHost)?;
    let headers = request.headers_mut();
    headers.insert(header::HOST, own.value().clone());
    Ok(own)
}

/// What the request says that made it. It decides nothing.
fn trigger(headers: &HeaderMap) -> Trigger {
    match headers.contains_key(SCHEDULER) {
        true => Trigger::Timer,
        false => Trigger::Http,
    }
}

/// Lets `request` in, as soon as there is a permit for it.
async fn admit<B>(route: &Route, request: &Request<B>) -> Result<Permit, NotLetIn> {
    let limit = route.function.limits().request_body;
    if is_longer(request.headers(), limit) {
        let why = advice::failure(&Failure::RequestTooLarge(limit));
        return Err(NotLetIn::new(Reason::BodyTooLarge, why));
    }
    let permit = route.admission.enter().await;
    permit.map_err(|refused| NotLetIn::new(refused.reason(), refused))
}

fn is_longer(headers: &HeaderMap, limit: u64) -> bool {
    headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
        .is_some_and(|length| length > limit)
}
