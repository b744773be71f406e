//! The token that a request carries, and what of it reaches the function.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::identity::Verified;

/// Decides alone when it is there, as with Google's front ends: `Authorization` is then the function's own affair.
const SERVERLESS_AUTHORIZATION: HeaderName = HeaderName::from_static("x-serverless-authorization");
const CALLER_ISSUER: HeaderName = HeaderName::from_static("x-host-caller-issuer");
const CALLER_SUBJECT: HeaderName = HeaderName::from_static("x-host-caller-subject");
const CALLER_EMAIL: HeaderName = HeaderName::from_static("x-host-caller-email");

/// Credentials that no one can make sense of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request has {0} twice")]
pub(super) struct Ambiguous(&'static str);

/// The bearer token of a request (RFC 6750, section 2.1), if it has one. A token in the query or in a form is none.
pub(super) fn token(headers: &HeaderMap) -> Result<Option<&str>, Ambiguous> {
    let (name, field) = if headers.contains_key(SERVERLESS_AUTHORIZATION) {
        ("X-Serverless-Authorization", SERVERLESS_AUTHORIZATION)
    } else {
        ("Authorization", AUTHORIZATION)
    };
    let mut values = headers.get_all(field).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Ambiguous(name));
    }
    let text = value.to_str().unwrap_or_default();
    let Some((scheme, token)) = text.split_once(' ') else {
        return Ok(None);
    };
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    Ok(is_bearer.then(|| token.trim_matches(' ')))
}

/// Removes what only the host may say, and for a private function the token; says who called.
pub(super) fn present(headers: &mut HeaderMap, caller: Option<&Verified>) {
    let claimed = headers.keys().filter(|name| is_ours(name));
    for name in claimed.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
    let is_serverless = headers.remove(SERVERLESS_AUTHORIZATION).is_some();
    let Some(caller) = caller else {
        return;
    };
    if !is_serverless {
        headers.remove(AUTHORIZATION);
    }
    let mut tell = |name, text: &str| {
        if let Some(value) = plain(text) {
            headers.insert(name, value);
        }
    };
    tell(CALLER_ISSUER, caller.principal.issuer.as_str());
    tell(CALLER_SUBJECT, &caller.principal.subject);
    if let Some(email) = &caller.email {
        tell(CALLER_EMAIL, email);
    }
}

/// A text that everybody reads alike. Others are left out, not shortened or encoded: half a name is another name. A field
/// would hold more than ASCII, in bytes of which each reader makes something else (RFC 9110, section 5.5).
fn plain(text: &str) -> Option<HeaderValue> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_plain.then(|| HeaderValue::from_str(text).ok()).flatten()
}

/// Whether only the host may send this field. Many a program takes `_` for `-` (RFC 3875, section 4.1.18, has one name
/// for both), so it is one here as well.
fn is_ours(name: &HeaderName) -> bool {
    let as_sent = |byte| if byte == b'_' { b'-' } else { byte };
    [CALLER_ISSUER, CALLER_SUBJECT, CALLER_EMAIL]
        .iter()
        .any(|own| {
            let bytes = name.as_str().bytes().map(as_sent);
            bytes.eq(own.as_str().bytes())
        })
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
            assert_eq!(token(&headers), Ok(Some("a.b.c")), "{value}");
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
        assert_eq!(token(&headers(&both)), Ok(Some("a.b.c")));
        let other = [
            ("authorization", "Bearer other"),
            ("x-serverless-authorization", "Basic a"),
        ];
        assert_eq!(token(&headers(&other)), Ok(None));
    }

    #[test]
    fn only_names_of_printable_ascii_are_told() {
        for text in ["ada", "repo:org/app:ref:refs/heads/main", "a b", "~!"] {
            assert_eq!(plain(text).unwrap(), text);
        }
        for text in ["ad\u{e4}", "\u{430}da", "a\tb", "a\nb", "a\u{7f}", "\u{80}"] {
            assert_eq!(plain(text), None, "{text:?}");
        }
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
            ("authorization", "Bearer for-the-function"),
        ]);
        present(&mut forged, None);
        let mut left: Vec<_> = forged.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["authorization", "x-host-caller-subjects"]);
    }
}
