//! All that a function may call, and what is said of a call that it may not make.

use std::net::IpAddr;

use http::Uri;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use wasmtime_wasi_http::Error;

use super::address;
use super::allow::{OutboundRule, RuleError};
use super::destination::{Destination, UriError};
use super::range::{AddressRange, RangeError};

/// Whom a function may call. The default is nobody.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OutboundPolicy {
    /// A request goes out only if one of these allows it.
    pub rules: Vec<OutboundRule>,
    /// Addresses that the host of a rule may have although they are not public.
    pub addresses: Vec<AddressRange>,
    /// Certificate authorities that are trusted beside the public ones.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// What cannot be allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllowError {
    /// A rule that is none.
    #[error("cannot allow outbound calls to {text:?}: {reason}")]
    Rule {
        /// The rule as it was given.
        text: String,
        /// What is wrong with it.
        reason: RuleError,
    },
    /// A range of addresses that is none.
    #[error("cannot allow outbound calls to {0}")]
    Range(#[from] RangeError),
    /// A file of certificates that has none, or a damaged one.
    #[error(
        "cannot read the certificate authorities: {0}; expected PEM with `BEGIN CERTIFICATE` blocks"
    )]
    Certificates(String),
}

impl OutboundPolicy {
    /// Adds a rule, such as `https://api.example.com`, or a range of addresses, such as `10.0.0.0/8`.
    ///
    /// ```
    /// use host_sandbox::OutboundPolicy;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut policy = OutboundPolicy::default();
    /// policy.allow("https://*.example.com")?;
    /// assert!(policy.allows(&"https://api.example.com/users".parse()?));
    /// assert!(!policy.allows(&"http://api.example.com/users".parse()?));
    ///
    /// // A name that is allowed may still not lead to a private address, unless that is allowed too.
    /// let address = "10.1.2.3".parse()?;
    /// assert!(!policy.allows_address("api.example.com", address));
    /// policy.allow("10.0.0.0/8")?;
    /// assert!(policy.allows_address("api.example.com", address));
    ///
    /// assert!(policy.allow("*").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If `text` is neither.
    pub fn allow(&mut self, text: &str) -> Result<(), AllowError> {
        // What starts like an address and has no scheme can only have been meant as a range.
        let host = text.split('/').next().unwrap_or(text);
        if host.parse::<IpAddr>().is_ok() {
            self.addresses.push(text.parse()?);
            return Ok(());
        }
        let rule = text.parse().map_err(|reason| AllowError::Rule {
            text: text.to_owned(),
            reason,
        })?;
        self.rules.push(rule);
        Ok(())
    }

    /// Trusts the certificate authorities in `pem` beside the public ones.
    ///
    /// # Errors
    /// If there is no certificate in it, or what is there cannot be read.
    pub fn trust(&mut self, pem: &[u8]) -> Result<(), AllowError> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| AllowError::Certificates(error.to_string()))?;
        if certificates.is_empty() {
            return Err(AllowError::Certificates("no certificate found".into()));
        }
        self.authorities.extend(certificates);
        Ok(())
    }

    /// Whether a rule allows a request to `uri`, by its scheme, host and port.
    pub fn allows(&self, uri: &Uri) -> bool {
        self.check(uri).is_ok()
    }

    /// Whether a connection may be made to `address`, which is what `name` resolved to.
    pub fn allows_address(&self, name: &str, address: IpAddr) -> bool {
        self.check_address(name, address).is_ok()
    }

    /// Whether a rule allows a request to `uri`; what its host resolves to is [checked](Self::check_address) later.
    pub(crate) fn check(&self, uri: &Uri) -> Result<Destination, Refusal> {
        let destination = Destination::of(uri).map_err(Refusal::Uri)?;
        // A host that is an address was named by the rule that allows it: only whole hosts match addresses.
        if self.rules.iter().any(|rule| rule.allows(&destination)) {
            Ok(destination)
        } else {
            Err(Refusal::NotAllowed(destination))
        }
    }

    /// Whether a connection may be made to `address`, which is what `name` resolved to.
    pub(crate) fn check_address(
        &self,
        name: &str,
        address: IpAddr,
    ) -> Result<(), ProhibitedAddress> {
        let Some(kind) = address::special(address) else {
            return Ok(());
        };
        let local = name == "localhost" && address.to_canonical().is_loopback();
        if local || self.addresses.iter().any(|range| range.contains(address)) {
            Ok(())
        } else {
            Err(ProhibitedAddress { address, kind })
        }
    }
}

/// An address that is not public, and was not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {kind}, and no allowed range has it")]
pub(crate) struct ProhibitedAddress {
    pub(crate) address: IpAddr,
    /// With its article.
    pub(crate) kind: &'static str,
}

/// Why a request did not go out. Its text is for the operator and has nothing of the request but where it was to go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("outbound call refused: {0}")]
    Uri(UriError),
    #[error("outbound call to {0} refused: not in the allow-list")]
    NotAllowed(Destination),
    #[error("outbound call to {0} refused: {1}")]
    Address(Destination, ProhibitedAddress),
    #[error(
        "outbound call to {0} refused: {1} calls of this execution are under way, the most allowed; read or drop their responses first"
    )]
    TooMany(Destination, usize),
}

impl Refusal {
    /// What [`OutboundPolicy::allow`] has to be told for the call to go out, if that is what it lacks.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::NotAllowed(destination) => Some(destination.rule()),
            Self::Address(_, prohibited) => Some(prohibited.address.to_string()),
            Self::Uri(_) | Self::TooMany(..) => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Uri(_) => Self::HttpRequestUriInvalid,
            Refusal::NotAllowed(_) => Self::HttpRequestDenied,
            Refusal::Address(..) => Self::DestinationIpProhibited,
            Refusal::TooMany(..) => Self::ConnectionLimitReached,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allowed: &[&str]) -> OutboundPolicy {
        let mut policy = OutboundPolicy::default();
        for text in allowed {
            policy.allow(text).unwrap();
        }
        policy
    }

    fn refusal(policy: &OutboundPolicy, uri: &str) -> Refusal {
        policy.check(&uri.parse().unwrap()).unwrap_err()
    }

    #[test]
    fn by_default_nobody_may_be_called() {
        let nobody = OutboundPolicy::default();
        for uri in [
            "https://example.com",
            "http://localhost",
            "http://127.0.0.1",
            "http://[::1]",
        ] {
            let refusal = refusal(&nobody, uri);
            assert!(matches!(refusal, Refusal::NotAllowed(_)), "{refusal}");
            assert!(matches!(refusal.into(), Error::HttpRequestDenied));
        }
    }

    #[test]
    fn a_request_goes_out_if_any_rule_allows_it() {
        let policy = policy(&["https://a.example", "http://127.0.0.1:9000"]);
        let allowed = |uri: &str| policy.check(&uri.parse().unwrap()).is_ok();
        assert!(allowed("https://a.example/path"));
        assert!(allowed("http://127.0.0.1:9000/"));
        assert!(!allowed("http://127.0.0.1:9001/"));
        assert!(!allowed("http://127.1:9000/"));
    }

    #[test]
    fn a_range_alone_allows_no_request() {
        let policy = policy(&["10.0.0.0/8"]);
        let refusal = refusal(&policy, "http://10.0.0.1");
        assert!(matches!(refusal, Refusal::NotAllowed(_)), "{refusal}");
    }

    #[test]
    fn credentials_before_the_host_are_refused_whatever_the_rules_say() {
        let policy = policy(&["http://allowed", "http://evil"]);
        let refusal = refusal(&policy, "http://allowed@evil");
        assert!(matches!(refusal, Refusal::Uri(_)), "{refusal}");
        assert!(matches!(refusal.into(), Error::HttpRequestUriInvalid));
    }

    #[test]
    fn a_name_may_have_public_addresses_and_those_of_the_ranges() {
        let policy = policy(&["10.0.0.0/8"]);
        let allowed = |address: &str| {
            policy
                .check_address("internal.example", address.parse().unwrap())
                .is_ok()
        };
        assert!(allowed("1.1.1.1"));
        assert!(allowed("10.1.2.3"));
        assert!(allowed("::ffff:10.1.2.3"));
        assert!(!allowed("192.168.0.1"));
        assert!(!allowed("127.0.0.1"));
        assert!(!allowed("2002:a01:203::"));
    }

    #[test]
    fn only_localhost_itself_may_be_a_loopback_address() {
        let policy = policy(&[
            "http://localhost",
            "http://*.local.host",
            "http://127.0.0.1",
        ]);
        let allowed =
            |name, address: &str| policy.check_address(name, address.parse().unwrap()).is_ok();
        assert!(allowed("localhost", "127.0.0.1"));
        assert!(allowed("localhost", "127.8.9.10"));
        assert!(allowed("localhost", "::1"));
        assert!(!allowed("localhost", "10.0.0.1"));
        assert!(!allowed("app.local.host", "127.0.0.1"));
    }

    #[test]
    fn a_refusal_says_where_the_call_was_to_go_and_nothing_else() {
        let nobody = OutboundPolicy::default();
        assert_eq!(
            refusal(&nobody, "http://10.0.0.1/secret?token=secret").to_string(),
            "outbound call to http://10.0.0.1:80 refused: not in the allow-list"
        );
        assert_eq!(
            refusal(&nobody, "http://user:secret@a.example/").to_string(),
            "outbound call refused: a user name or password stands before the host; \
             send credentials in a header"
        );
        let destination = Destination::of(&"https://a.example:8443/".parse().unwrap()).unwrap();
        let prohibited = nobody.check_address("a.example", [10, 0, 0, 1].into());
        assert_eq!(
            Refusal::Address(destination, prohibited.unwrap_err()).to_string(),
            "outbound call to https://a.example:8443 refused: 10.0.0.1 is a private address, \
             and no allowed range has it"
        );
    }

    #[test]
    fn the_remedy_of_a_refusal_is_what_allows_the_call() {
        for uri in [
            "http://10.0.0.1/",
            "https://a.example:8443/x",
            "http://[::1]:3000/",
        ] {
            let mut policy = OutboundPolicy::default();
            let remedy = refusal(&policy, uri).remedy().unwrap();
            policy.allow(&remedy).unwrap();
            assert!(policy.check(&uri.parse().unwrap()).is_ok(), "{remedy}");
        }
    }

    #[test]
    fn what_is_allowed_is_read_as_a_range_if_it_starts_with_an_address_and_else_as_a_rule() {
        let policy = policy(&["10.0.0.0/8", "fd00::/8", "::1", "https://a.example"]);
        assert_eq!(policy.addresses.len(), 3);
        assert_eq!(policy.rules.len(), 1);

        let error = OutboundPolicy::default().allow("a.example").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot allow outbound calls to \"a.example\": the scheme")
        );
        let error = OutboundPolicy::default().allow("10.0.0.1/8").unwrap_err();
        assert!(error.to_string().contains("write 10.0.0.0/8"), "{error}");
    }

    #[test]
    fn trust_without_a_certificate_is_an_error() {
        let mut policy = OutboundPolicy::default();
        for pem in [
            "",
            "no PEM",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            let error = policy.trust(pem.as_bytes()).unwrap_err();
            assert!(matches!(error, AllowError::Certificates(_)), "{error}");
        }
        assert!(policy.authorities.is_empty());
    }
}
