//! What is asked of the tokens of one issuer. It is configured; nothing of it comes from a token.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::claim_match::ClaimMatch;
use super::email::{self, EmailAddress};
use super::issuer_url::IssuerUrl;
use super::shown::Shown;

/// A trusted issuer and what its tokens must be like.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// Its name, which `iss` has to equal byte by byte.
    pub issuer: IssuerUrl,
    /// Other names that it goes by in `iss`, as Google's without scheme.
    pub aliases: Vec<String>,
    /// The algorithms that it may sign with.
    pub algorithms: Vec<Algorithm>,
    /// The audiences that its tokens may be for, beside those of the function that is called.
    pub audiences: Vec<String>,
    /// The clients that its tokens may have been issued to (`azp`); any, if there are none.
    pub authorized_parties: Vec<String>,
    /// By how much its clock may differ from ours.
    pub leeway: Duration,
    /// The longest time from issue to expiry.
    pub max_lifetime: Duration,
    /// The longest time since issue, if that is bounded; a token without `iat` is refused then.
    pub max_age: Option<Duration>,
    /// Whether its access tokens are accepted beside its ID tokens: those of RFC 9068 (`typ: at+jwt`), and those that have
    /// one of `access_token_claims`.
    pub access_tokens: bool,
    /// The claims that mark an access token of an issuer whose access tokens have no type of their own.
    pub access_token_claims: &'static [&'static str],
    /// What its claims must be, each of them.
    pub required: Vec<ClaimMatch>,
    /// Whose e-mail addresses it may vouch for.
    pub emails: EmailTrust,
    /// Set for the host's own issuer, and for no other.
    pub service_accounts: Option<Arc<ServiceAccounts>>,
}

/// By how much clocks may differ unless told otherwise.
pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);

/// The longest lifetime of a token unless told otherwise.
pub const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Whose e-mail addresses an issuer may vouch for. An address is used only if the token also says that it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailTrust {
    /// Everybody's: the issuer verifies each address that it puts into a token.
    All,
    /// Those of these domains.
    Domains(Vec<String>),
    /// Nobody's.
    None,
}

/// What was to be a domain of addresses and is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not a domain of e-mail addresses; expected one such as example.com, without @ and *"
)]
pub struct NotADomain(Shown);

/// The host's own service accounts: the subject of each, which is never given twice, and its address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceAccounts {
    addresses: HashMap<String, EmailAddress>,
    /// Of the addresses, in lower case.
    domains: BTreeSet<String>,
}

/// The domain of service accounts unless told otherwise.
pub const SERVICE_ACCOUNT_DOMAIN: &str = "host.internal";

impl IssuerConfig {
    /// An issuer of ID tokens with the bounds that are usual.
    pub fn new(issuer: IssuerUrl, algorithms: impl Into<Vec<Algorithm>>) -> Self {
        Self {
            issuer,
            aliases: Vec::new(),
            algorithms: algorithms.into(),
            audiences: Vec::new(),
            authorized_parties: Vec::new(),
            leeway: DEFAULT_LEEWAY,
            max_lifetime: DEFAULT_MAX_LIFETIME,
            max_age: None,
            access_tokens: false,
            access_token_claims: &[],
            required: Vec::new(),
            emails: EmailTrust::All,
            service_accounts: None,
        }
    }

    /// Whether `iss` is a name of this issuer.
    pub(super) fn goes_by(&self, iss: &str) -> bool {
        self.issuer.as_str() == iss || self.aliases.iter().any(|alias| alias == iss)
    }
}

impl EmailTrust {
    /// Whether the issuer may vouch for `address`. Domains are compared whole, letters without case.
    pub(super) fn covers(&self, address: &EmailAddress) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Domains(domains) => domains
                .iter()
                .any(|own| own.eq_ignore_ascii_case(address.domain())),
        }
    }

    /// These domains.
    ///
    /// # Errors
    /// If one of them is none.
    pub fn domains(domains: &[String]) -> Result<Self, NotADomain> {
        match domains.iter().find(|domain| !email::is_domain(domain)) {
            Some(other) => Err(NotADomain(Shown::text(other))),
            None => Ok(Self::Domains(domains.to_vec())),
        }
    }
}

impl ServiceAccounts {
    /// The address of the account with this subject.
    pub fn address(&self, subject: &str) -> Option<&EmailAddress> {
        self.addresses.get(subject)
    }

    /// Whether `address` is in a domain of theirs, the usual one included, whether or not there is such an account. Nobody
    /// but the host's own issuer may vouch for it.
    pub fn claim(&self, address: &EmailAddress) -> bool {
        let domain = address.domain();
        domain == SERVICE_ACCOUNT_DOMAIN || self.domains.contains(domain)
    }
}

/// From pairs of subject and address; one whose address is none is left out.
impl FromIterator<(String, String)> for ServiceAccounts {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(accounts: I) -> Self {
        let accounts = accounts.into_iter();
        let addresses: HashMap<String, EmailAddress> = accounts
            .filter_map(|(subject, address)| Some((subject, address.parse().ok()?)))
            .collect();
        let domains = addresses
            .values()
            .map(|address| address.domain().to_owned());
        Self {
            domains: domains.collect(),
            addresses,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_vouches_for_whole_domains_and_for_nothing_alike() {
        let trust = EmailTrust::Domains(vec!["example.com".into()]);
        let address = |text: &str| -> EmailAddress { text.parse().unwrap() };
        assert!(trust.covers(&address("a@example.com")));
        assert!(trust.covers(&address("a@EXAMPLE.com")));
        for other in [
            "a@sub.example.com",
            "a@example.com.evil",
            "a@notexample.com",
        ] {
            assert!(!trust.covers(&address(other)), "{other}");
        }
        assert!(!EmailTrust::None.covers(&address("a@example.com")));
    }

    #[test]
    fn what_is_no_domain_is_not_one_to_vouch_for() {
        assert!(EmailTrust::domains(&["Example.com".into(), "localhost".into()]).is_ok());
        for other in [
            "",
            "@example.com",
            "a@example.com",
            "*.example.com",
            "example..com",
        ] {
            assert!(EmailTrust::domains(&[other.into()]).is_err(), "{other}");
        }
    }

    #[test]
    fn the_domains_of_own_accounts_are_theirs_alone() {
        let accounts = [("1".to_owned(), "a@robots.example.com".to_owned())];
        let accounts: ServiceAccounts = accounts.into_iter().collect();
        for address in [
            "a@host.internal",
            "nobody@HOST.internal",
            "b@robots.example.com",
        ] {
            assert!(accounts.claim(&address.parse().unwrap()), "{address}");
        }
        for address in [
            "a@example.com",
            "a@sub.host.internal",
            "a@host.internal.example",
        ] {
            assert!(!accounts.claim(&address.parse().unwrap()), "{address}");
        }
        let robot = "b@robots.example.com".parse().unwrap();
        assert!(!ServiceAccounts::default().claim(&robot));
    }
}
