//! What each path of the control plane answers.

use bytes::Bytes;
use host_tokens::{DISCOVERY_PATH, KEYS_PATH};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::{Body as _, Incoming};

use super::methods::{Answered, Source, is_method, refused};
use super::negotiation::Format;
use super::open::Standing;
use super::parts::Parts;
use super::{Answering, Names, Subject, text_format};
use crate::api::{Code, Status};

const TEXT: &str = "text/plain; charset=utf-8";

/// What is answered: a whole body, or one that comes in parts.
pub(super) type Answer = Response<Either<Full<Bytes>, Parts>>;

/// Answers a request, a method of the API or not.
pub(super) async fn respond(
    request: Request<Incoming>,
    answering: &Answering<impl Subject>,
    source: Source,
    standing: &Standing,
) -> Answered {
    let refusal = match source {
        // Nobody is led to a file by a name that they gave it.
        Source::Socket => None,
        Source::Listener { .. } => refuse_other_names(&request, &answering.names),
    };
    let is_call = is_method(request.uri().path()) && *request.method() != Method::OPTIONS;
    if refusal.is_none() && is_call {
        let refusal = match source {
            Source::Socket => None,
            Source::Listener { .. } => answering.listener_refusal.as_ref(),
        };
        return match (refusal, &answering.door) {
            (None, Ok(door)) => {
                let subject = &answering.subject;
                door.answer(request, source, subject, standing).await
            }
            (Some(why), _) | (None, Err(why)) => Answered {
                answer: refused(&Status::new(Code::FailedPrecondition, why.clone())),
                is_unread: !request.body().is_end_stream(),
            },
        };
    }
    Answered {
        answer: refusal.unwrap_or_else(|| answer(&request, &answering.subject)),
        // No body is read here.
        is_unread: !request.body().is_end_stream(),
    }
}

/// What is answered to a request that names another host.
fn refuse_other_names<B>(request: &Request<B>, names: &Names) -> Option<Answer> {
    match names.include_host_of(request) {
        Ok(true) => None,
        Ok(false) => {
            let why =
                "This host goes by addresses, localhost and the names given with --admin-host.\n";
            Some(text(StatusCode::MISDIRECTED_REQUEST, why))
        }
        Err(bad) => Some(whole(
            StatusCode::BAD_REQUEST,
            TEXT,
            format!("Refused: {bad}.\n"),
        )),
    }
}

fn answer<B>(request: &Request<B>, subject: &impl Subject) -> Answer {
    if *request.method() == Method::OPTIONS {
        return methods();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match (request.uri().path(), reads) {
        ("/healthz", true) => text(StatusCode::OK, "ok\n"),
        ("/readyz", true) => ready(subject),
        ("/metrics", true) => metrics(Format::of(request.headers()), subject),
        (DISCOVERY_PATH, true) => document(subject.discovery()),
        (KEYS_PATH, true) => document(subject.keys()),
        ("/healthz" | "/readyz" | "/metrics" | DISCOVERY_PATH | KEYS_PATH, false) => {
            let mut response = text(
                StatusCode::METHOD_NOT_ALLOWED,
                "Only GET and HEAD are served here.\n",
            );
            let methods = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(header::ALLOW, methods);
            response
        }
        _ => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
    }
}

/// What may be asked, wherever. A load balancer's plain check may be no more than this question.
fn methods() -> Answer {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let methods = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(header::ALLOW, methods);
    response
}

/// A document of the host's own issuer. Others may keep it for as long as a key is published before it signs, less a lot.
fn document(json: Option<String>) -> Answer {
    let Some(json) = json else {
        return text(
            StatusCode::NOT_FOUND,
            "This host has no issuer of its own.\n",
        );
    };
    let mut response = whole(StatusCode::OK, "application/json", json);
    let age = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, age);
    response
}

fn ready(subject: &impl Subject) -> Answer {
    let (status, mut lines) = match subject.problems() {
        none if none.is_empty() => (StatusCode::OK, vec!["ready".to_owned()]),
        problems => (StatusCode::SERVICE_UNAVAILABLE, problems),
    };
    lines.extend(subject.notes());
    whole(status, TEXT, lines.join("\n") + "\n")
}

fn metrics(format: Format, subject: &impl Subject) -> Answer {
    let metrics = match format {
        Format::OpenMetrics => subject.metrics(),
        Format::Text => text_format::convert(&subject.metrics()),
    };
    let mut response = whole(StatusCode::OK, format.content_type(), metrics);
    let vary = HeaderValue::from_static("accept");
    response.headers_mut().insert(header::VARY, vary);
    response
}

fn text(status: StatusCode, text: &'static str) -> Answer {
    whole(status, TEXT, text)
}

fn whole(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Either::Left(Full::new(body.into())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
