//! Where a request goes: scheme, host and port.

use std::fmt;

use http::Uri;
use http::uri::PathAndQuery;

use super::host::{self, Host, HostError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// Reads a scheme, whose letters may be of either case (RFC 3986, section 3.1).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(crate) fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Where a request goes. Two URLs of one origin (RFC 6454) have equal destinations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// Why a URL leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UriError {
    #[error("the scheme is not http or https")]
    Scheme,
    #[error(transparent)]
    Host(#[from] HostError),
}

impl Destination {
    pub(crate) fn of(uri: &Uri) -> Result<Self, UriError> {
        let scheme = uri
            .scheme_str()
            .and_then(Scheme::parse)
            .ok_or(UriError::Scheme)?;
        let authority = uri.authority().ok_or(HostError::Empty)?;
        let (host, port) = host::split_authority(authority.as_str())?;
        Ok(Self {
            scheme,
            host: Host::parse(host)?,
            port: match port {
                Some(port) => host::parse_port(port)?,
                None => scheme.default_port(),
            },
        })
    }

    /// Host and port, the port only where it is not the scheme's own.
    fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The shortest rule that allows this destination.
    pub(crate) fn rule(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority())
    }

    /// The URL of a resource there, spelt in one way only, so that pool, TLS and `Host` see what was checked.
    pub(crate) fn uri(&self, path: Option<&PathAndQuery>) -> Result<Uri, http::Error> {
        Uri::builder()
            .scheme(self.scheme.as_str())
            .authority(self.authority())
            .path_and_query(path.map_or("/", PathAndQuery::as_str))
            .build()
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        write!(f, "{}://{host}:{port}", scheme.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(uri: &str) -> Result<String, UriError> {
        Destination::of(&uri.parse().unwrap()).map(|destination| destination.to_string())
    }

    #[test]
    fn a_destination_is_the_same_however_it_is_spelt() {
        for (uri, expected) in [
            ("http://example.com", "http://example.com:80"),
            ("http://EXAMPLE.com.:80/path?q", "http://example.com:80"),
            ("https://example.com/", "https://example.com:443"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("http://[::1]/", "http://[::1]:80"),
            ("http://[0::1]:3000/", "http://[::1]:3000"),
            ("http://127.0.0.1.:9000", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(destination(uri).as_deref(), Ok(expected), "{uri}");
        }
    }

    #[test]
    fn a_url_that_could_be_read_in_two_ways_leads_nowhere() {
        for (uri, error) in [
            ("/path", UriError::Scheme),
            ("ftp://example.com/", UriError::Scheme),
            ("http://allowed@evil.example/", HostError::UserInfo.into()),
            (
                "http://allowed:80@evil.example/",
                HostError::UserInfo.into(),
            ),
            ("http://example.com:99999/", HostError::Port.into()),
            ("http://example.com:/", HostError::Port.into()),
            ("http://2130706433/", HostError::Number.into()),
            ("http://0x7f.1/", HostError::Number.into()),
        ] {
            assert_eq!(destination(uri), Err(error), "{uri}");
        }
    }

    #[test]
    fn the_url_that_is_requested_has_the_checked_host_and_the_path_as_it_was() {
        let uri: Uri = "HTTP://Example.COM.:80/A%20b?C=d".parse().unwrap();
        let destination = Destination::of(&uri).unwrap();
        let uri = destination.uri(uri.path_and_query()).unwrap();
        assert_eq!(uri, "http://example.com/A%20b?C=d");
        assert_eq!(destination.uri(None).unwrap(), "http://example.com/");
    }
}
