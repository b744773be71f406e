//! Whether a request says, clearly, whom it is for (RFC 9112, section 3.2).

use http::{HeaderMap, Method, Request, header, uri};

/// What is wrong with a request head that parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadHead {
    #[error("the request names no host: send a Host header")]
    NoAuthority,
    #[error("the request has more than one Host header")]
    TwoHosts,
    #[error("the Host header is not a host name with an optional port")]
    BadHost,
    #[error("CONNECT is not served here")]
    Connect,
}

/// Checks what a function and its sandbox rely on.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), BadHead> {
    if request.method() == Method::CONNECT {
        return Err(BadHead::Connect);
    }
    let host = host(request.headers())?;
    if request.uri().authority().is_some() {
        // An absolute URI stands above the Host header (RFC 9112, 3.2.2); so does :authority in HTTP/2.
        return Ok(());
    }
    match host {
        None | Some("") => Err(BadHead::NoAuthority),
        Some(host) if is_authority(host) => Ok(()),
        Some(_) => Err(BadHead::BadHost),
    }
}

fn host(headers: &HeaderMap) -> Result<Option<&str>, BadHead> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() {
        return Err(BadHead::TwoHosts);
    }
    first
        .map(|value| value.to_str().map_err(|_| BadHead::BadHost))
        .transpose()
}

fn is_authority(host: &str) -> bool {
    !host.contains('@') && host.parse::<uri::Authority>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_hosts(uri: &str, hosts: &[&str]) -> Result<(), BadHead> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        check(&request.body(()).unwrap())
    }

    #[test]
    fn a_host_header_or_an_absolute_uri_will_do() {
        assert_eq!(with_hosts("/", &["localhost:8080"]), Ok(()));
        assert_eq!(with_hosts("/", &["[::1]:8080"]), Ok(()));
        assert_eq!(with_hosts("http://localhost/", &[]), Ok(()));
    }

    #[test]
    fn none_two_or_a_broken_one_will_not() {
        assert_eq!(with_hosts("/", &[]), Err(BadHead::NoAuthority));
        assert_eq!(with_hosts("/", &[""]), Err(BadHead::NoAuthority));
        assert_eq!(with_hosts("/", &["a", "b"]), Err(BadHead::TwoHosts));
        assert_eq!(with_hosts("/", &["a b"]), Err(BadHead::BadHost));
        assert_eq!(with_hosts("/", &["user@host"]), Err(BadHead::BadHost));
        assert_eq!(with_hosts("/", &["a/b"]), Err(BadHead::BadHost));
    }
}
