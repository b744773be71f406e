//! Whom a request is for, in every form of its target (RFC 9112, section 3.2): checked once and strictly.

use host_sandbox::outbound::{self, HostError};
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, Version, header};

/// A host with an optional port, as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority {
    value: HeaderValue,
    host_length: usize,
    port: Option<u16>,
}

/// What is wrong with a request head that parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTarget {
    #[error("the request names no host: send a Host header")]
    NoHost,
    #[error("the request has more than one Host header")]
    TwoHosts,
    #[error("the request names a host that is none: {0}")]
    BadHost(#[from] HostError),
    #[error("the Host header names another host than the :authority of the request")]
    OtherHost,
    #[error("the target's scheme is neither http nor https")]
    Scheme,
    #[error("the target is neither a path nor a URL; `*` is for OPTIONS alone")]
    Form,
    #[error("CONNECT is not served here")]
    Connect,
}

/// The host that `request` is for. Only HTTP/1.0 may name none.
///
/// # Errors
/// If it does not say so clearly.
pub(crate) fn authority<B>(request: &Request<B>) -> Result<Option<Authority>, BadTarget> {
    if request.method() == Method::CONNECT {
        return Err(BadTarget::Connect);
    }
    let uri = request.uri();
    let is_asterisk = uri.path() == "*";
    if is_asterisk && request.method() != Method::OPTIONS {
        return Err(BadTarget::Form);
    }
    // Of a URL or a path without its slash, `http` keeps the query alone.
    if uri
        .path_and_query()
        .is_some_and(|target| target.as_str().starts_with('?'))
    {
        return Err(BadTarget::Form);
    }
    let field = host_field(request)?;
    let version = request.version();
    let Some(target) = uri.authority() else {
        let is_old = version < Version::HTTP_11;
        return match field {
            None if !is_old => Err(BadTarget::NoHost),
            field => Ok(field),
        };
    };
    let scheme = uri.scheme().ok_or(BadTarget::Form)?;
    if *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS {
        return Err(BadTarget::Scheme);
    }
    // Letters, digits and a few marks make a header.
    let value = HeaderValue::from_str(target.as_str()).map_err(|_| HostError::NotAscii)?;
    let target = Authority::new(value)?;
    match field {
        // Every request of HTTP/1.1 has one, which counts for nothing (RFC 9112, sections 3.2 and 3.2.2).
        None if version == Version::HTTP_11 => Err(BadTarget::NoHost),
        // In HTTP/2 it says the same or the request is malformed (RFC 9113, section 8.3.1).
        Some(field) if version >= Version::HTTP_2 && !field.is_same(&target, scheme) => {
            Err(BadTarget::OtherHost)
        }
        _ => Ok(Some(target)),
    }
}

/// The `Host` field, of which there may be one. An empty one names nobody.
fn host_field<B>(request: &Request<B>) -> Result<Option<Authority>, BadTarget> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() {
        return Err(BadTarget::TwoHosts);
    }
    let named = first.filter(|value| !value.is_empty());
    Ok(named
        .map(|value| Authority::new(value.clone()))
        .transpose()?)
}

impl Authority {
    /// Reads `host` or `host:port`. A port that is empty is the scheme's own (RFC 3986, section 3.2.3).
    ///
    /// # Errors
    /// If `value` is something else.
    pub(crate) fn new(value: HeaderValue) -> Result<Self, HostError> {
        let text = value.to_str().map_err(|_| HostError::NotAscii)?;
        let (host, port) = outbound::split_authority(text)?;
        outbound::check_host(host)?;
        let port = port.filter(|port| !port.is_empty());
        Ok(Self {
            port: port.map(outbound::parse_port).transpose()?,
            host_length: host.len(),
            value,
        })
    }

    /// The host as it was sent, an IPv6 address in its brackets.
    pub(crate) fn host(&self) -> &str {
        &self.as_str()[..self.host_length]
    }

    /// Host and port as they were sent.
    pub(crate) fn as_str(&self) -> &str {
        // It was text when it was read.
        self.value.to_str().unwrap_or_default()
    }

    /// Host and port as they were sent.
    pub(crate) fn value(&self) -> &HeaderValue {
        &self.value
    }

    fn is_same(&self, other: &Self, scheme: &Scheme) -> bool {
        let default = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        let port = |authority: &Self| authority.port.unwrap_or(default);
        self.host().eq_ignore_ascii_case(other.host()) && port(self) == port(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(version: Version, target: &str, hosts: &[&str]) -> Result<Option<String>, BadTarget> {
        asked_with(Method::GET, version, target, hosts)
    }

    fn asked_with(
        method: Method,
        version: Version,
        target: &str,
        hosts: &[&str],
    ) -> Result<Option<String>, BadTarget> {
        let mut request = Request::builder()
            .method(method)
            .version(version)
            .uri(target);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let authority = authority(&request.body(()).unwrap())?;
        Ok(authority.map(|authority| authority.as_str().to_owned()))
    }

    fn named(host: &str) -> Result<Option<String>, BadTarget> {
        asked(Version::HTTP_11, "/", &[host])
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for host in [
            "localhost:8080",
            "Example.COM",
            "example.com.",
            "a_b.example:65535",
            "example.com:",
            "192.0.2.1:80",
            "[::1]:8080",
            "[2001:DB8::1]",
        ] {
            assert_eq!(named(host), Ok(Some(host.into())), "{host}");
        }
        for host in [
            "a b",
            "user@host",
            "user:password@host:80",
            "a/b",
            "a?b",
            "a#b",
            "a%62",
            "a,b",
            "a;b",
            "a\\b",
            "a\tb",
            "b\u{fc}cher.example",
            "a..b",
            ".a",
            ".",
            ":80",
            "a:0",
            "a:65536",
            "a:+80",
            "a:80:80",
            "a:http",
            "::1",
            "[::1",
            "[::1]80",
            "[fe80::1%25eth0]",
            "[v1.a]",
            "0x7f.1",
            "1.2.3",
        ] {
            assert!(
                matches!(named(host), Err(BadTarget::BadHost(_))),
                "{host}: {:?}",
                named(host)
            );
        }
    }

    #[test]
    fn http_1_1_names_one_host_and_http_1_0_may_name_none() {
        for hosts in [&[][..], &[""]] {
            assert_eq!(asked(Version::HTTP_11, "/", hosts), Err(BadTarget::NoHost));
            assert_eq!(
                asked(Version::HTTP_11, "http://a/", hosts),
                Err(BadTarget::NoHost)
            );
            assert_eq!(asked(Version::HTTP_10, "/", hosts), Ok(None));
            assert_eq!(
                asked(Version::HTTP_10, "http://a/", hosts),
                Ok(Some("a".into()))
            );
        }
        for version in [Version::HTTP_10, Version::HTTP_11, Version::HTTP_2] {
            for target in ["/", "http://a/"] {
                let twice = asked(version, target, &["a", "a"]);
                assert_eq!(twice, Err(BadTarget::TwoHosts));
                let bad = asked(version, target, &["a@b"]);
                assert!(matches!(bad, Err(BadTarget::BadHost(_))), "{bad:?}");
            }
        }
    }

    #[test]
    fn a_url_stands_above_the_host_field_and_in_http_2_they_agree() {
        let url = "http://A.example:80/x";
        let told = Ok(Some("A.example:80".into()));
        assert_eq!(asked(Version::HTTP_11, url, &["b.example"]), told);
        for host in ["a.example", "A.EXAMPLE:80", "a.example:"] {
            assert_eq!(asked(Version::HTTP_2, url, &[host]), told, "{host}");
        }
        assert_eq!(asked(Version::HTTP_2, url, &[]), told);
        for host in ["b.example", "a.example:81", "a.example.:80"] {
            let other = asked(Version::HTTP_2, url, &[host]);
            assert_eq!(other, Err(BadTarget::OtherHost), "{host}");
        }
        assert_eq!(asked(Version::HTTP_2, "/", &["a"]), Ok(Some("a".into())));
        assert_eq!(asked(Version::HTTP_2, "/", &[]), Err(BadTarget::NoHost));
    }

    #[test]
    fn a_url_is_as_strict_as_a_host_field() {
        for url in ["http://user@a/", "http://a:65536/", "http://a..b/"] {
            let bad = asked(Version::HTTP_11, url, &["a"]);
            assert!(matches!(bad, Err(BadTarget::BadHost(_))), "{url}: {bad:?}");
        }
        let other = asked(Version::HTTP_11, "ftp://a/", &["a"]);
        assert_eq!(other, Err(BadTarget::Scheme));
    }

    #[test]
    fn the_other_forms_are_for_their_methods_alone() {
        let form = Err(BadTarget::Form);
        assert_eq!(asked(Version::HTTP_11, "a.example:80", &["a"]), form);
        assert_eq!(asked(Version::HTTP_11, "*", &["a"]), form);
        assert_eq!(asked(Version::HTTP_11, "http://a?b", &["a"]), form);
        let options = asked_with(Method::OPTIONS, Version::HTTP_11, "*", &["a"]);
        assert_eq!(options, Ok(Some("a".into())));
        let connect = asked_with(Method::CONNECT, Version::HTTP_11, "a:443", &["a:443"]);
        assert_eq!(connect, Err(BadTarget::Connect));
    }
}
