//! Cookies that came in several fields.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// Makes one field of them. HTTP/2 lets a client send each cookie in a field of its own, of which no application is to
/// know (RFC 9113, section 8.2.3); proxies that speak HTTP/1.1 pass on what they got.
pub(in crate::serve) fn join(headers: &mut HeaderMap) {
    let mut values = headers.get_all(COOKIE).iter();
    let (Some(first), Some(second)) = (values.next(), values.next()) else {
        return;
    };
    let mut joined = first.as_bytes().to_vec();
    for value in [second].into_iter().chain(values) {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(value.as_bytes());
    }
    // Parts of headers make one.
    if let Ok(joined) = HeaderValue::from_maybe_shared(bytes::Bytes::from(joined)) {
        headers.insert(COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_joined_in_their_order() {
        for (fields, joined) in [
            (&[][..], None),
            (&["a=1"], Some("a=1")),
            (&["a=1", "b=2; c=3", "d=4"], Some("a=1; b=2; c=3; d=4")),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(COOKIE, HeaderValue::from_static(field));
            }
            join(&mut headers);
            let fields: Vec<_> = headers.get_all(COOKIE).iter().collect();
            let joined: Vec<_> = joined.into_iter().collect();
            assert_eq!(fields, joined);
        }
    }
}
