//! Headers of a function that answers below its name, kept from what else is on the same origin.
//!
//! Browsers know origins and not functions. Cookies are bound to the function's own path, and headers that speak for the
//! origin as a whole are removed. A function with a host name of its own may send them there.

use http::header::{ALT_SVC, SET_COOKIE, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderName, HeaderValue};

const OF_THE_ORIGIN: [HeaderName; 6] = [
    ALT_SVC,
    STRICT_TRANSPORT_SECURITY,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("service-worker-allowed"),
];

/// Leaves of the headers of an answer what concerns `path` and what is below it.
pub(in crate::serve) fn confine(headers: &mut HeaderMap, path: &HeaderValue) {
    let (mut reaches_far, mut sets_cookies) = (false, false);
    for name in headers.keys() {
        reaches_far |= OF_THE_ORIGIN.contains(name);
        sets_cookies |= *name == SET_COOKIE;
    }
    if reaches_far {
        for name in &OF_THE_ORIGIN {
            headers.remove(name);
        }
    }
    if sets_cookies && let http::header::Entry::Occupied(mut cookies) = headers.entry(SET_COOKIE) {
        for cookie in cookies.iter_mut() {
            if let Some(bound) = bind(cookie.as_bytes(), path.as_bytes()) {
                *cookie = bound;
            }
        }
    }
}

/// The cookie with its path below `path`, unless it is: `/` of a function is that. Without a path, browsers would take
/// the directory of the request's (RFC 6265, section 5.1.4), which may be the whole host.
fn bind(cookie: &[u8], path: &[u8]) -> Option<HeaderValue> {
    let mut parts = cookie.split(|byte| *byte == b';');
    let mut bound = parts.next()?.trim_ascii_end().to_vec();
    let mut asked: &[u8] = b"/";
    for part in parts {
        match path_of(part) {
            // The last one counts.
            Some(value) => asked = value,
            None => bound.extend([b";", part.trim_ascii_end()].concat()),
        }
    }
    let below = asked.strip_prefix(path);
    let is_below = below.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
    bound.extend_from_slice(b"; Path=");
    if is_below {
        bound.extend_from_slice(asked);
    } else {
        bound.extend_from_slice(path);
        if asked.starts_with(b"/") && asked != b"/" {
            bound.extend_from_slice(asked);
        }
    }
    HeaderValue::from_bytes(&bound).ok()
}

/// The value of a `Path` attribute.
fn path_of(part: &[u8]) -> Option<&[u8]> {
    let end = part.iter().position(|byte| *byte == b'=');
    let (name, value) = part.split_at(end.unwrap_or(part.len()));
    let is_path = name.trim_ascii().eq_ignore_ascii_case(b"path");
    is_path.then(|| value.strip_prefix(b"=").unwrap_or_default().trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: HeaderValue = HeaderValue::from_static("/f");

    #[test]
    fn a_cookie_stays_below_the_functions_path() {
        for (set, bound) in [
            ("a=1", "a=1; Path=/f"),
            ("a=1; Path=/", "a=1; Path=/f"),
            ("a=1; path=/; Secure", "a=1; Secure; Path=/f"),
            ("a=1;PATH = /x ;HttpOnly", "a=1;HttpOnly; Path=/f/x"),
            ("a=1; Path=/f", "a=1; Path=/f"),
            ("a=1; Path=/f/x", "a=1; Path=/f/x"),
            ("a=1; Path=/fx", "a=1; Path=/f/fx"),
            ("a=1; Path=/f/; Path=/", "a=1; Path=/f"),
            ("a=1; Path", "a=1; Path=/f"),
            ("a=1; Path=x", "a=1; Path=/f"),
            ("a=1; Path=\"/\"", "a=1; Path=/f"),
            ("a=b=c; Max-Age=1", "a=b=c; Max-Age=1; Path=/f"),
            ("__Host-a=1; Path=/; Secure", "__Host-a=1; Secure; Path=/f"),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_static(set));
            headers.append(SET_COOKIE, HeaderValue::from_static("b=2; Path=/f"));
            confine(&mut headers, &PATH);
            let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
            assert_eq!(cookies, [bound, "b=2; Path=/f"], "{set}");
        }
    }

    #[test]
    fn what_speaks_for_the_origin_is_removed_and_nothing_else() {
        let mut headers = HeaderMap::new();
        for name in OF_THE_ORIGIN {
            headers.append(name.clone(), HeaderValue::from_static("a"));
            headers.append(name, HeaderValue::from_static("b"));
        }
        headers.append("content-type", HeaderValue::from_static("text/html"));
        confine(&mut headers, &PATH);
        let left: Vec<_> = headers.keys().collect();
        assert_eq!(left, ["content-type"]);
    }
}
