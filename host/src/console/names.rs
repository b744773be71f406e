//! The names that the control plane goes by.

use std::net::IpAddr;

use http::uri::Authority;
use http::{Request, header};

/// Whom a request may name as its host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// In lower case, without port.
    given: Vec<String>,
}

impl Names {
    /// Addresses and `localhost`, and `given` beside them.
    pub(crate) fn new(given: &[String]) -> Self {
        let given = given.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { given }
    }

    /// Whether `request` names this listener: an address does, for no name was looked up on the way.
    pub(super) fn include_host_of<B>(&self, request: &Request<B>) -> bool {
        let authority = match request.uri().authority() {
            Some(authority) => Some(authority.clone()),
            None => host(request),
        };
        authority.is_some_and(|authority| self.include(authority.host()))
    }

    fn include(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok() || host == "localhost" || self.given.contains(&host)
    }
}

/// The one `Host` that there must be (RFC 9110, section 7.2).
fn host<B>(request: &Request<B>) -> Option<Authority> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?.parse().ok()?;
    hosts.next().is_none().then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(hosts: &[&str]) -> bool {
        let mut request = Request::get("/metrics");
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        Names::new(&["Metrics.Example".into()]).include_host_of(&request.body(()).unwrap())
    }

    #[test]
    fn addresses_localhost_and_given_names_are_its_own() {
        for host in [
            "127.0.0.1:8081",
            "10.0.0.7",
            "[::1]:8081",
            "localhost:8081",
            "LOCALHOST",
            "metrics.example:1",
        ] {
            assert!(includes(&[host]), "{host}");
        }
    }

    #[test]
    fn any_other_name_is_not() {
        for host in [
            "attacker.example",
            "localhost.attacker.example",
            "127.0.0.1.attacker.example",
            "user@attacker.example",
            "",
        ] {
            assert!(!includes(&[host]), "{host}");
        }
        assert!(!includes(&[]));
        assert!(!includes(&["localhost", "attacker.example"]));
    }
}
