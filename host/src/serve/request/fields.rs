//! Fields of requests that only the host may send to a function, in the head and in trailers.
//!
//! Many a program takes `_` for `-` (RFC 3875, section 4.1.18, has one name for both), so they are one here as well.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::caller::OWN_FIELDS;

/// Tells who the client is, beside `X-Forwarded-*` and `Forwarded`. The host neither reads nor sends it.
const REAL_IP: &str = "x-real-ip";

/// Credentials that are for the host alone.
const FOR_THE_HOST: &str = "x-serverless-authorization";

/// What has no meaning, or a dangerous one, where it comes after the body: framing, routing, credentials, controls, and
/// what says how to read the body (RFC 9110, section 6.5.1); and what the host says in the head.
const HEAD_ONLY: [&str; 28] = [
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-cloudscheduler",
];

/// Whether a caller may not send the field `name`. A trusted proxy may say who its client is.
pub(in crate::serve) fn is_reserved(name: &str, is_by_proxy: bool) -> bool {
    // Most names are told by their first letter.
    if !name.starts_with(['f', 'x']) {
        return false;
    }
    let is = |own: &str| is_like(name, own);
    if is(FOR_THE_HOST) || is(REAL_IP) || OWN_FIELDS.iter().any(|own| is(own.as_str())) {
        return true;
    }
    // A proxy that sets or removes a field may know nothing of its other spellings.
    let is_believed = is_by_proxy && !name.contains('_');
    let is_of_client = starts_like(name, "x-forwarded-") || is("forwarded");
    is_of_client && !is_believed
}

/// Whether a field of trailers reaches no function.
fn is_kept_from_trailers(name: &str) -> bool {
    is_reserved(name, false) || HEAD_ONLY.iter().any(|own| is_like(name, own))
}

fn is_like(name: &str, own: &str) -> bool {
    name.len() == own.len() && starts_like(name, own)
}

/// Whether `name` begins with `own`, where either sign between words will do.
fn starts_like(name: &str, own: &str) -> bool {
    let as_own = |byte| if byte == b'_' { b'-' } else { byte };
    name.len() >= own.len()
        && name
            .bytes()
            .map(as_own)
            .zip(own.bytes())
            .all(|(a, b)| a == b)
}

/// The body of a request, with no field in its trailers that only a head may have.
pub(in crate::serve) struct CheckedTrailers<B>(pub(in crate::serve) B);

impl<B: Body<Data = Bytes> + Unpin> Body for CheckedTrailers<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other),
        };
        Poll::Ready(match frame.into_trailers() {
            Ok(trailers) => checked(trailers).map(|trailers| Ok(Frame::trailers(trailers))),
            Err(data) => Some(Ok(data)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// What is left of `trailers`, if anything is.
fn checked(mut trailers: HeaderMap) -> Option<HeaderMap> {
    let names = trailers.keys();
    let kept: Vec<_> = names
        .filter(|name| is_kept_from_trailers(name.as_str()))
        .cloned()
        .collect();
    for name in kept {
        trailers.remove(name);
    }
    (!trailers.is_empty()).then_some(trailers)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn callers_cannot_say_who_they_are_by_any_spelling() {
        for name in [
            "x-host-caller-email",
            "x_host_caller_email",
            "x-host_caller-subject",
            "x-host-caller-issuer",
            "x-serverless-authorization",
            "x_serverless-authorization",
        ] {
            assert!(is_reserved(name, false), "{name}");
            assert!(is_reserved(name, true), "{name}");
        }
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-anything"] {
            assert!(is_reserved(name, false), "{name}");
            assert!(!is_reserved(name, true), "{name}");
        }
        for name in [
            "x_forwarded_for",
            "x-forwarded_user",
            "x_real_ip",
            "x-real-ip",
        ] {
            assert!(is_reserved(name, true), "{name}");
        }
        for name in [
            "accept",
            "authorization",
            "forwarded-by",
            "x-forwarded",
            "x-host-caller-subjects",
            "x-real-ips",
        ] {
            assert!(!is_reserved(name, false), "{name}");
        }
    }

    #[test]
    fn trailers_bring_nothing_that_belongs_into_the_head() {
        let mut trailers = HeaderMap::new();
        for name in HEAD_ONLY.into_iter().chain([
            FOR_THE_HOST,
            REAL_IP,
            "forwarded",
            "x-host-caller-email",
            "x_host_caller_email",
            "x-forwarded-for",
            "content_length",
            "proxy_authorization",
        ]) {
            trailers.append(name, HeaderValue::from_static("forged"));
        }
        assert_eq!(checked(trailers.clone()), None);
        trailers.append("content-digest", HeaderValue::from_static("sha-256=:a:"));
        trailers.append("x-mine", HeaderValue::from_static("b"));
        let left = checked(trailers).unwrap();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
