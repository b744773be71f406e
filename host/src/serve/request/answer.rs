//! What the host itself answers, when a function does not.
//!
//! The caller learns a status and one generic line; the reason goes to the log. So nothing that a function, a token or a
//! setting holds can leak through an error.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::json;

use super::body::Body;
use crate::execution_id::ExecutionId;
use host_sandbox::Failure;

/// Carries the execution's id to the caller, as Cloud Functions does.
pub(in crate::serve) const EXECUTION_ID: HeaderName =
    HeaderName::from_static("function-execution-id");

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How long a client that was turned away should wait, at the least.
const RETRY: Duration = Duration::from_secs(1);

/// The status of a failed execution. See the table of statuses in the documentation.
pub(in crate::serve) fn status(failure: &Failure) -> StatusCode {
    match failure {
        Failure::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
        Failure::InvalidResponse(_) | Failure::ResponseTooLarge(_) => StatusCode::BAD_GATEWAY,
        Failure::RequestTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::RequestTooSlow(_) => StatusCode::REQUEST_TIMEOUT,
        Failure::RequestBroken => StatusCode::BAD_REQUEST,
        Failure::Start(_) | Failure::StartMemory(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Whether a caller that sent `headers` would rather read JSON.
pub(in crate::serve) fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let media = range.split(';').next().unwrap_or_default().trim();
            media.eq_ignore_ascii_case("application/json")
        })
}

/// An answer with `status` and its one line.
pub(in crate::serve) fn refuse(
    status: StatusCode,
    id: Option<ExecutionId>,
    json: bool,
) -> Response<Body> {
    let line = line(status);
    let (text, kind) = if json {
        let id = id.as_ref().map(ExecutionId::as_str);
        (json!({"error": line, "execution_id": id}).to_string(), JSON)
    } else {
        (format!("{line}\n"), TEXT)
    };
    let mut response = Response::new(Body::whole(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from(RETRY.as_secs()));
    }
    if let Some(id) = id {
        put_id(headers, id);
    }
    response
}

/// Leaves the head alone, as HEAD asks for: with the length of the body that GET would have had.
pub(in crate::serve) fn keep_head(response: &mut Response<Body>) {
    if let Some(length) = response.body_mut().leave_away() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
}

/// Sets the header that names the execution.
pub(in crate::serve) fn put_id(headers: &mut HeaderMap, id: ExecutionId) {
    // Twelve letters and digits are always a valid header value.
    if let Ok(value) = HeaderValue::from_bytes(id.as_bytes()) {
        headers.insert(EXECUTION_ID, value);
    }
}

fn line(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request is not valid.",
        StatusCode::UNAUTHORIZED => "This function needs a valid token.",
        StatusCode::FORBIDDEN => "You may not call this function.",
        StatusCode::NOT_FOUND => "There is nothing here.",
        StatusCode::REQUEST_TIMEOUT => "The request came too slowly.",
        StatusCode::PAYLOAD_TOO_LARGE => "The request body is too large.",
        StatusCode::BAD_GATEWAY => "The function did not give a valid answer.",
        StatusCode::SERVICE_UNAVAILABLE => "The function is busy. Try again later.",
        StatusCode::GATEWAY_TIMEOUT => "The function took too long.",
        _ => "The function failed.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_ask_for_it() {
        let accepts = |value: &'static str| {
            wants_json(&HeaderMap::from_iter([(
                ACCEPT,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(accepts("text/html, application/json;q=0.9"));
        assert!(!accepts("*/*"));
        assert!(!accepts("application/jsonx"));
    }

    #[test]
    fn who_is_turned_away_learns_when_to_come_back() {
        let response = refuse(StatusCode::SERVICE_UNAVAILABLE, None, false);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }
}
