//! The token that a request carries, and what of it reaches the function.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::caller::Caller;
use super::fields;

/// Decides alone when it is there, as with Google's front ends: `Authorization` is then the function's own affair.
pub(in crate::serve) const SERVERLESS_AUTHORIZATION: HeaderName =
    HeaderName::from_static("x-serverless-authorization");

const BEARER: &[u8] = b"Bearer ";

/// Credentials that no one can make sense of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request has {0} twice")]
pub(in crate::serve) struct Ambiguous(&'static str);

/// The bearer token of a request (RFC 6750, section 2.1), if it has one. A token in the query or in a form is none.
pub(in crate::serve) fn token(headers: &HeaderMap) -> Result<Option<&[u8]>, Ambiguous> {
    // A walk over the few fields that there are takes less than two looks into the map.
    let (mut serverless, mut authorization) = (Seen::default(), Seen::default());
    for (name, value) in headers {
        if *name == AUTHORIZATION {
            authorization.add(value);
        } else if *name == SERVERLESS_AUTHORIZATION {
            serverless.add(value);
        }
    }
    let (name, seen) = match serverless.first {
        Some(_) => ("X-Serverless-Authorization", serverless),
        None => ("Authorization", authorization),
    };
    if seen.is_twice {
        return Err(Ambiguous(name));
    }
    let Some(value) = seen.first else {
        return Ok(None);
    };
    // The token stays bytes: one that is remembered is never read again.
    let token = value.as_bytes().split_at_checked(BEARER.len());
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(BEARER));
    Ok(token.map(|(_, token)| token.trim_ascii()))
}

/// A field as far as it has been seen.
#[derive(Default)]
struct Seen<'a> {
    first: Option<&'a HeaderValue>,
    is_twice: bool,
}

impl<'a> Seen<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        self.is_twice = self.first.is_some();
        self.first.get_or_insert(value);
    }
}

/// Removes what only the host may say, and for a private function the token; says who called.
pub(in crate::serve) fn present(
    headers: &mut HeaderMap,
    caller: Option<&Caller>,
    is_by_proxy: bool,
) {
    // Most requests have none of them, and then nothing is allocated.
    let (mut reserved, mut is_serverless) = (Vec::new(), false);
    for name in headers.keys() {
        if fields::is_reserved(name.as_str(), is_by_proxy) {
            reserved.push(name.clone());
            is_serverless |= *name == SERVERLESS_AUTHORIZATION;
        }
    }
    for name in reserved {
        headers.remove(name);
    }
    let Some(caller) = caller else {
        return;
    };
    if !is_serverless {
        headers.remove(AUTHORIZATION);
    }
    caller.tell(headers);
}

/// Removes a token from what a function sees, if it is one that `lets_in` elsewhere: whoever gets to see it could
/// use it there. Other credentials are the function's own affair.
pub(in crate::serve) fn withhold(headers: &mut HeaderMap, lets_in: impl Fn(&str) -> bool) {
    let holds_one = |value: &HeaderValue| {
        let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let mut words = value.as_bytes().split(|byte| !is_of_token(byte));
        words.any(|word| str::from_utf8(word).is_ok_and(&lets_in))
    };
    if headers.get_all(AUTHORIZATION).iter().any(holds_one) {
        headers.remove(AUTHORIZATION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = fields.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn a_token_follows_the_scheme_in_any_case() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c"] {
            let headers = headers(&[("authorization", value)]);
            assert_eq!(token(&headers), Ok(Some(&b"a.b.c"[..])), "{value}");
        }
        for value in ["Basic YTpi", "Bearer", "a.b.c", ""] {
            let headers = headers(&[("authorization", value)]);
            assert_eq!(token(&headers), Ok(None), "{value}");
        }
        assert_eq!(token(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn two_tokens_are_ambiguous() {
        let twice = headers(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]);
        assert!(token(&twice).is_err());
    }

    #[test]
    fn the_serverless_field_alone_decides() {
        let both = [
            ("authorization", "Bearer other"),
            ("x-serverless-authorization", "Bearer a.b.c"),
        ];
        assert_eq!(token(&headers(&both)), Ok(Some(&b"a.b.c"[..])));
        let other = [
            ("authorization", "Bearer other"),
            ("x-serverless-authorization", "Basic a"),
        ];
        assert_eq!(token(&headers(&other)), Ok(None));
    }

    #[test]
    fn callers_cannot_say_who_they_are() {
        let mut forged = headers(&[
            ("x-host-caller-email", "root@host.internal"),
            ("x-host-caller-subject", "1"),
            ("x-host-caller-issuer", "https://a.example"),
            ("x_host_caller_email", "root@host.internal"),
            ("x-host_caller-subject", "1"),
            ("x_host-caller_issuer", "https://a.example"),
            ("x-host-caller-subjects", "no name of ours"),
            ("x_serverless_authorization", "Bearer for-the-host"),
            ("x-forwarded-for", "192.0.2.1"),
            ("authorization", "Bearer for-the-function"),
        ]);
        present(&mut forged, None, false);
        let mut left: Vec<_> = forged.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "x-host-caller-subjects"]);
    }

    #[test]
    fn an_open_function_gets_no_token_that_is_good_elsewhere() {
        let lets_in = |word: &str| word == "a.b.c";
        for (value, is_left) in [
            ("Bearer a.b.c", false),
            ("bearer  a.b.c ", false),
            ("a.b.c", false),
            ("DPoP a.b.c", false),
            ("Token token=\"a.b.c\"", false),
            ("Bearer a.b.d", true),
            ("Bearer a.b.c.d", true),
            ("Basic YTpi", true),
        ] {
            let mut headers = headers(&[("authorization", "Basic YTpi"), ("authorization", value)]);
            withhold(&mut headers, lets_in);
            assert_eq!(headers.contains_key(AUTHORIZATION), is_left, "{value}");
        }
    }
}
