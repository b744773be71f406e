//! The names that the control plane goes by.

use std::net::IpAddr;

use http::Request;

use crate::request_target::{self, BadTarget};

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

    /// Whether `request` names this listener: an address does, for no name was looked up on the way. Nor was one for a
    /// request of HTTP/1.0 that names nobody: no browser sends such.
    ///
    /// # Errors
    /// If it does not say clearly whom it names.
    pub(super) fn include_host_of<B>(&self, request: &Request<B>) -> Result<bool, BadTarget> {
        let authority = request_target::authority(request)?;
        Ok(authority.is_none_or(|authority| self.include(authority.host())))
    }

    fn include(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok() || host == "localhost" || self.given.contains(&host)
    }
}

#[cfg(test)]
mod tests {
    use http::{Version, header};

    use super::*;

    fn includes(version: Version, hosts: &[&str]) -> Result<bool, BadTarget> {
        let mut request = Request::get("/metrics").version(version);
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
            assert_eq!(includes(Version::HTTP_11, &[host]), Ok(true), "{host}");
        }
    }

    #[test]
    fn any_other_name_is_not() {
        for host in [
            "attacker.example",
            "localhost.attacker.example",
            "127.0.0.1.attacker.example",
        ] {
            for version in [Version::HTTP_10, Version::HTTP_11] {
                assert_eq!(includes(version, &[host]), Ok(false), "{host}");
            }
        }
        for hosts in [&["user@localhost"][..], &[""], &[], &["localhost"; 2]] {
            assert!(includes(Version::HTTP_11, hosts).is_err(), "{hosts:?}");
        }
    }

    #[test]
    fn only_http_1_0_may_name_nobody() {
        assert_eq!(includes(Version::HTTP_10, &[]), Ok(true));
        let twice = includes(Version::HTTP_10, &["localhost"; 2]);
        assert_eq!(twice, Err(BadTarget::TwoHosts));
    }
}
