//! What each path of the control plane answers.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;

use super::{Names, Subject};
use crate::identity::{DISCOVERY_PATH, KEYS_PATH};

const TEXT: &str = "text/plain; charset=utf-8";
/// <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>, section "Text format".
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Answer = Response<Full<Bytes>>;

pub(super) fn answer<B>(request: &Request<B>, names: &Names, subject: &impl Subject) -> Answer {
    if !names.include_host_of(request) {
        let why = "This host goes by addresses, localhost and the names given with --admin-host.\n";
        return text(StatusCode::MISDIRECTED_REQUEST, why);
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match (request.uri().path(), reads) {
        ("/healthz", true) => text(StatusCode::OK, "ok\n"),
        ("/readyz", true) => ready(subject),
        ("/metrics", true) => whole(StatusCode::OK, OPEN_METRICS, subject.metrics()),
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

fn text(status: StatusCode, text: &'static str) -> Answer {
    whole(status, TEXT, text)
}

fn whole(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
