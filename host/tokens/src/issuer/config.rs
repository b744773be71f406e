//! What is asked of the tokens of one issuer. It is configured; nothing of it comes from a token.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::issuer::claim_match::ClaimMatch;
use crate::issuer::email::{self, EmailAddress};
use crate::issuer::url::IssuerUrl;
use crate::shown::Shown;

/// A trusted issuer and what its tokens must be like.
///
/// ```
/// use std::time::Duration;
///
/// use host_tokens::{Algorithm, ClaimMatch, IssuerConfig};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = IssuerConfig::new("https://id.example".parse()?, [Algorithm::Es256])
///     .with_audiences(["https://functions.example/hello"])
///     .with_max_lifetime(Duration::from_secs(60 * 60))
///     .with_required(ClaimMatch::new("groups", ["developers"])?);
/// assert_eq!(config.issuer().as_str(), "https://id.example");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuerConfig {
    /// Its name, which `iss` has to equal byte by byte.
    pub(crate) issuer: IssuerUrl,
    /// Other names that it goes by in `iss`, as Google's without scheme.
    pub(crate) aliases: Vec<String>,
    /// The algorithms that it may sign with.
    pub(crate) algorithms: Vec<Algorithm>,
    /// The audiences that its tokens may be for, beside those of the function that is called.
    pub(crate) audiences: Vec<String>,
    /// The clients that its tokens may have been issued to (`azp`); any, if there are none.
    pub(crate) authorized_parties: Vec<String>,
    /// By how much its clock may differ from ours.
    pub(crate) leeway: Duration,
    /// The longest time from issue to expiry.
    pub(crate) max_lifetime: Duration,
    /// The longest time since issue, if that is bounded; a token without `iat` is refused then.
    pub(crate) max_age: Option<Duration>,
    /// Which of its tokens are accepted.
    pub(crate) kinds: TokenKinds,
    /// The claims that mark an access token of an issuer whose access tokens have no type of their own.
    pub(crate) access_token_claims: &'static [&'static str],
    /// What its claims must be, each of them.
    pub(crate) required: Vec<ClaimMatch>,
    /// Whose e-mail addresses it may vouch for.
    pub(crate) emails: EmailTrust,
    /// Set for the host's own issuer, and for no other.
    pub(crate) service_accounts: Option<Arc<ServiceAccounts>>,
}

/// Which tokens of an issuer are accepted. Its access tokens are those of RFC 9068 (`typ: at+jwt`), and those that have
/// one of its `access_token_claims`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKinds {
    /// ID tokens.
    Id,
    /// ID tokens and access tokens.
    IdAndAccess,
    /// Access tokens of RFC 9068, section 4: their type says so, or they are refused.
    Access,
}

/// By how much clocks may differ, unless it is configured.
pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);

/// The longest lifetime of a token, unless it is configured.
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

/// A text that is not a domain of e-mail addresses.
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

/// The domain of service accounts, unless another is named.
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
            kinds: TokenKinds::Id,
            access_token_claims: &[],
            required: Vec::new(),
            emails: EmailTrust::All,
            service_accounts: None,
        }
    }

    /// Its name, which `iss` has to equal byte by byte.
    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// Other names that it goes by in `iss`.
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// The algorithms that it may sign with.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The audiences that its tokens may be for, beside those that a [`Verifier`](crate::Verifier) is given.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// By how much its clock may differ from ours.
    pub fn leeway(&self) -> Duration {
        self.leeway
    }

    /// Lets it sign with these algorithms and no others.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: impl Into<Vec<Algorithm>>) -> Self {
        self.algorithms = algorithms.into();
        self
    }

    /// Adds audiences that its tokens may be for, beside those that a [`Verifier`](crate::Verifier) is given.
    #[must_use]
    pub fn with_audiences<T: Into<String>>(
        mut self,
        audiences: impl IntoIterator<Item = T>,
    ) -> Self {
        self.audiences.extend(audiences.into_iter().map(Into::into));
        self
    }

    /// Adds clients that its tokens may have been issued to (`azp`). As long as there are none, any client may.
    #[must_use]
    pub fn with_authorized_parties<T: Into<String>>(
        mut self,
        parties: impl IntoIterator<Item = T>,
    ) -> Self {
        let parties = parties.into_iter().map(Into::into);
        self.authorized_parties.extend(parties);
        self
    }

    /// Sets by how much its clock may differ from ours, in place of [`DEFAULT_LEEWAY`].
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the longest time from issue to expiry, in place of [`DEFAULT_MAX_LIFETIME`].
    #[must_use]
    pub fn with_max_lifetime(mut self, longest: Duration) -> Self {
        self.max_lifetime = longest;
        self
    }

    /// Sets the longest time since issue. A token without `iat` is refused then.
    #[must_use]
    pub fn with_max_age(mut self, oldest: Duration) -> Self {
        self.max_age = Some(oldest);
        self
    }

    /// Accepts its access tokens beside its ID tokens, or does not.
    #[must_use]
    pub fn with_access_tokens(mut self, are_accepted: bool) -> Self {
        self.kinds = if are_accepted {
            TokenKinds::IdAndAccess
        } else {
            TokenKinds::Id
        };
        self
    }

    /// Asks for one more thing of its claims.
    #[must_use]
    pub fn with_required(mut self, claim: ClaimMatch) -> Self {
        self.required.push(claim);
        self
    }

    /// Sets whose e-mail addresses it may vouch for.
    #[must_use]
    pub fn with_emails(mut self, emails: EmailTrust) -> Self {
        self.emails = emails;
        self
    }

    /// Makes it the issuer of these service accounts: its tokens are for them and for nobody else.
    #[must_use]
    pub fn with_service_accounts(mut self, accounts: impl Into<Arc<ServiceAccounts>>) -> Self {
        self.service_accounts = Some(accounts.into());
        self
    }

    /// Whether `iss` is a name of this issuer.
    pub(crate) fn goes_by(&self, iss: &str) -> bool {
        self.issuer.as_str() == iss || self.aliases.iter().any(|alias| alias == iss)
    }
}

impl EmailTrust {
    /// Whether the issuer may vouch for `address`. Domains are compared whole, letters without case.
    pub(crate) fn covers(&self, address: &EmailAddress) -> bool {
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
    /// If one of them is not a domain.
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
