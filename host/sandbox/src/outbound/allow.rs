//! One rule of what may be called.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::destination::{Destination, Scheme};
use super::host::{self, Host, HostError};

/// A scheme, host and port that a function may call: `https://api.example.com`, `http://127.0.0.1:9000`,
/// `https://*.example.com`, `https://api.example.com:*`.
///
/// The host is compared without regard to case or a trailing dot. `*.example.com` stands for every name below
/// example.com, at any depth, but not for example.com itself. Without a port the scheme's own is meant, and `:*` means
/// any. An address that is not public is allowed by a rule that has it as its host, and `localhost` may be a loopback
/// address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OutboundRule {
    scheme: Scheme,
    host: HostPattern,
    /// `None` is any port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum HostPattern {
    Exactly(Host),
    /// The names that end in a dot and this.
    Below(String),
}

/// Why a text is not a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// No scheme, or another one.
    #[error(
        "the scheme is missing or unknown; expected http:// or https://, as in https://api.example.com"
    )]
    Scheme,
    /// Something follows host and port.
    #[error("a rule ends after host and port; remove {0:?}")]
    Rest(String),
    /// Every host at once.
    #[error(
        "a rule cannot allow every host; name one, or the names below a domain as in *.example.com"
    )]
    EveryHost,
    /// A `*` that does not stand for the first labels of a name.
    #[error(
        "a `*` may stand only for the start of a name, before a domain of two labels or more, as in *.example.com"
    )]
    Wildcard,
    /// An address that no request can go to.
    #[error("{0} is not the address of one host, so nothing can be called there")]
    NotAHost(IpAddr),
    /// Its host or port is wrong.
    #[error(transparent)]
    Host(#[from] HostError),
}

impl OutboundRule {
    pub(crate) fn allows(&self, destination: &Destination) -> bool {
        let host = match (&self.host, &destination.host) {
            (HostPattern::Exactly(allowed), host) => allowed == host,
            (HostPattern::Below(domain), Host::Name(name)) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.ends_with('.')),
            (HostPattern::Below(_), Host::Address(_)) => false,
        };
        let port = self.port.is_none_or(|port| port == destination.port);
        host && port && self.scheme == destination.scheme
    }
}

impl FromStr for OutboundRule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (scheme, rest) = text.split_once("://").ok_or(RuleError::Scheme)?;
        let scheme = Scheme::parse(scheme).ok_or(RuleError::Scheme)?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if !matches!(rest, "" | "/") {
            return Err(RuleError::Rest(rest.to_owned()));
        }
        let (host, port) = host::split_authority(authority)?;
        Ok(Self {
            scheme,
            host: HostPattern::parse(host)?,
            port: match port {
                Some("*") => None,
                Some(port) => Some(host::parse_port(port)?),
                None => Some(scheme.default_port()),
            },
        })
    }
}

impl HostPattern {
    fn parse(text: &str) -> Result<Self, RuleError> {
        if matches!(text, "*" | "*.") {
            return Err(RuleError::EveryHost);
        }
        let Some(domain) = text.strip_prefix("*.") else {
            return Self::exactly(text);
        };
        match Host::parse(domain) {
            Ok(Host::Name(domain)) if domain.contains('.') => Ok(Self::Below(domain)),
            Ok(_) | Err(HostError::Character('*')) => Err(RuleError::Wildcard),
            Err(error) => Err(error.into()),
        }
    }

    fn exactly(text: &str) -> Result<Self, RuleError> {
        match Host::parse(text) {
            Ok(Host::Address(address)) if !is_one_host(address.to_canonical()) => {
                Err(RuleError::NotAHost(address))
            }
            Ok(host) => Ok(Self::Exactly(host)),
            Err(HostError::Character('*')) => Err(RuleError::Wildcard),
            Err(error) => Err(error.into()),
        }
    }
}

/// Connecting to the unspecified address reaches this machine on most systems, which the rule would not tell.
fn is_one_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || broadcast)
}

impl fmt::Display for OutboundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        match &self.host {
            HostPattern::Exactly(host) => write!(f, "{host}")?,
            HostPattern::Below(domain) => write!(f, "*.{domain}")?,
        }
        match self.port {
            None => f.write_str(":*"),
            Some(port) if port == self.scheme.default_port() => Ok(()),
            Some(port) => write!(f, ":{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, uri: &str) -> bool {
        let rule: OutboundRule = rule.parse().unwrap();
        rule.allows(&Destination::of(&uri.parse().unwrap()).unwrap())
    }

    #[test]
    fn a_rule_reads_back_as_its_shortest_form() {
        for (text, shortest) in [
            ("https://api.example.com", "https://api.example.com"),
            ("HTTPS://API.Example.com.:443/", "https://api.example.com"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("http://[0:0::1]:80", "http://[::1]"),
            ("https://*.Example.com", "https://*.example.com"),
            ("https://api.example.com:*", "https://api.example.com:*"),
            ("http://*.a.b.example.com:*", "http://*.a.b.example.com:*"),
            ("http://api.example.com:443", "http://api.example.com:443"),
        ] {
            let rule: OutboundRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), shortest);
            assert_eq!(shortest.parse(), Ok(rule));
        }
    }

    #[test]
    fn what_is_not_a_rule_is_refused_for_its_own_reason() {
        for (text, error) in [
            ("", RuleError::Scheme),
            ("api.example.com", RuleError::Scheme),
            ("//api.example.com", RuleError::Scheme),
            ("ftp://api.example.com", RuleError::Scheme),
            ("*://api.example.com", RuleError::Scheme),
            (" https://api.example.com", RuleError::Scheme),
            ("https://api.example.com/v1", RuleError::Rest("/v1".into())),
            ("https://api.example.com//", RuleError::Rest("//".into())),
            ("https://api.example.com?q", RuleError::Rest("?q".into())),
            ("https://api.example.com#f", RuleError::Rest("#f".into())),
            (
                "https://api.example.com\\@evil",
                RuleError::Rest("\\@evil".into()),
            ),
            ("https://*", RuleError::EveryHost),
            ("https://*:*", RuleError::EveryHost),
            ("https://*.", RuleError::EveryHost),
            ("https://*.com", RuleError::Wildcard),
            ("https://*.com.", RuleError::Wildcard),
            ("https://*.localhost", RuleError::Wildcard),
            ("https://api.*.com", RuleError::Wildcard),
            ("https://*.*.example.com", RuleError::Wildcard),
            ("https://*example.com", RuleError::Wildcard),
            ("https://*.127.0.0.1", RuleError::Wildcard),
            ("https://*.0.1", HostError::Number.into()),
            ("http://0.0.0.0", RuleError::NotAHost([0, 0, 0, 0].into())),
            (
                "http://224.0.0.1",
                RuleError::NotAHost([224, 0, 0, 1].into()),
            ),
            (
                "http://255.255.255.255",
                RuleError::NotAHost([255; 4].into()),
            ),
            ("http://[::]", RuleError::NotAHost([0; 16].into())),
            ("https://", HostError::Empty.into()),
            ("https://:443", HostError::Empty.into()),
            ("https://bücher.example", HostError::NotAscii.into()),
            ("https://user@example.com", HostError::UserInfo.into()),
            ("https://example.com:", HostError::Port.into()),
            ("https://example.com:0", HostError::Port.into()),
            ("https://example.com:65536", HostError::Port.into()),
            ("https://example.com:443 ", HostError::Port.into()),
            ("http://2130706433", HostError::Number.into()),
            ("http://::1", HostError::Ipv6.into()),
        ] {
            assert_eq!(text.parse::<OutboundRule>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_rule_allows_its_own_scheme_host_and_port_only() {
        let rule = "https://api.example.com";
        for uri in [
            "https://api.example.com",
            "https://API.EXAMPLE.COM:443/path?query",
            "https://api.example.com./",
        ] {
            assert!(allows(rule, uri), "{uri}");
        }
        for uri in [
            "http://api.example.com",
            "http://api.example.com:443",
            "https://api.example.com:8443",
            "https://example.com",
            "https://v2.api.example.com",
            "https://api.example.com.evil.example",
            "https://evilapi.example.com",
        ] {
            assert!(!allows(rule, uri), "{uri}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_the_names_below_a_domain_and_not_for_the_domain() {
        let rule = "https://*.example.com";
        assert!(allows(rule, "https://a.example.com"));
        assert!(allows(rule, "https://a.b.EXAMPLE.com."));
        for uri in [
            "https://example.com",
            "https://evilexample.com",
            "https://a.example.com.evil.example",
            "https://a.example.com:8443",
            "http://a.example.com",
        ] {
            assert!(!allows(rule, uri), "{uri}");
        }
    }

    #[test]
    fn a_star_for_the_port_means_any_port() {
        assert!(allows(
            "https://api.example.com:*",
            "https://api.example.com"
        ));
        assert!(allows(
            "https://api.example.com:*",
            "https://api.example.com:1"
        ));
        assert!(!allows(
            "https://api.example.com:*",
            "http://api.example.com:443"
        ));
    }

    #[test]
    fn an_address_is_compared_as_an_address() {
        assert!(allows("http://[::1]", "http://[0:0:0:0:0:0:0:1]"));
        assert!(allows("http://127.0.0.1", "http://127.0.0.1."));
        assert!(!allows("http://127.0.0.1", "http://[::ffff:127.0.0.1]"));
        assert!(!allows("http://127.0.0.1", "http://localhost"));
        assert!(!allows("http://localhost", "http://127.0.0.1"));
    }
}
