//! What the head of a message says of its body.

use http::{HeaderMap, Response, StatusCode, header};

/// What `headers` say of the length of the body.
///
/// # Errors
/// If that is no number, or there is more than one.
pub(crate) fn content_length(headers: &HeaderMap) -> Result<Option<u64>, ()> {
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let (value, another) = (values.next(), values.next());
    match (value, another) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(()),
        (Some(value), None) => value
            .to_str()
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or(()),
    }
}

/// Answers why `response` cannot be sent, if so.
pub(crate) fn check<B>(response: &Response<B>) -> Result<(), String> {
    if response.status().as_u16() < 200 {
        return Err(format!(
            "status {} is not a final status; expected 200 to 999",
            response.status().as_u16()
        ));
    }
    match content_length(response.headers()) {
        Ok(_) => Ok(()),
        Err(()) => Err("its content-length is not a number".into()),
    }
}

/// Whether a response with this status has no body (RFC 9110, sections 15.3.5 and 15.4.5).
pub(crate) fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
