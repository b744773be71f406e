//! Private functions, callers with tokens of an outside issuer, and how its keys are fetched.

use crate::{Host, HostBuilder, Issuer, Reply, wait_until};

/// What tokens for the function of [`Host::serve_private`] are for.
pub const AUDIENCE: &str = "the-function";

/// What one without a token is told (RFC 6750, section 3).
pub const NO_TOKEN: Option<&str> = Some("Bearer realm=\"host\"");
/// What one with a token is told that is no good (RFC 6750, section 3.1).
pub const BAD_TOKEN: Option<&str> = Some("Bearer error=\"invalid_token\"");

/// Expects that a request was refused with this status and this challenge.
#[track_caller]
pub fn assert_refused(reply: &Reply, status: u16, challenge: Option<&str>) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("www-authenticate"), challenge, "{reply:?}");
}

impl Host {
    /// `host serve` with a private component that echoes, which `ada` of each of these issuers may call with a token for
    /// [`AUDIENCE`].
    #[track_caller]
    pub fn serve_private(issuers: &[&Issuer]) -> HostBuilder {
        let mut builder = Self::serve("echoes")
            .args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"])
            .arg(format!("--audience={AUDIENCE}"));
        for issuer in issuers {
            builder = builder
                .arg(format!("--issuer={}", issuer.url()))
                .arg(format!("--invoker={}", issuer.principal("ada")));
        }
        builder
    }

    /// A private function that `ada` of `issuer` may call, and whose keys the host has.
    #[track_caller]
    pub fn private(issuer: &Issuer) -> Self {
        let host = Self::serve_private(&[issuer]).start();
        host.wait_for_keys_of(issuer);
        host
    }

    /// GET with a bearer token.
    #[track_caller]
    pub fn get_with(&self, path: &str, token: &str) -> Reply {
        self.request(&format!("GET {path}\nAuthorization: Bearer {token}"), "")
    }

    /// How often it has fetched the keys of `issuer`, with what came of it: `success` or `failure`.
    #[track_caller]
    pub fn fetches(&self, issuer: &Issuer, result: &str) -> usize {
        let metrics = self.control_plane("/metrics");
        let name = format!(
            "host_issuer_fetches_total{{issuer=\"{}\",result=\"{result}\"}} ",
            issuer.url()
        );
        let mut lines = metrics.text().lines();
        let count = lines.find_map(|line| line.strip_prefix(&name)?.parse().ok());
        count.unwrap_or_default()
    }

    /// Waits until it has the keys of `issuer`.
    #[track_caller]
    pub fn wait_for_keys_of(&self, issuer: &Issuer) {
        wait_until("the host has the issuer's keys", || {
            self.fetches(issuer, "success") > 0
        });
    }
}
