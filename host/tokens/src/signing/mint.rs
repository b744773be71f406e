//! Tokens that an issuer of one's own makes for its service accounts, and the documents by which others can check them.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::algorithm::Algorithm;
use crate::issuer::url::IssuerUrl;
use crate::signing::access_token::LONGEST_OUTSIDE;
use crate::signing::key::{SigningAlgorithm, SigningKey, SigningKeyError};
use crate::signing::public_jwk::PublicJwk;
use crate::token::base64url;
use crate::token::numeric_date::NumericDate;

/// The longest time that a minted token is good, which is also the usual one, as with `gcloud`.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How many digits the subject of a service account has, as Google's do.
const SUBJECT_DIGITS: u32 = 21;

/// Where the key set stands below the issuer's URL.
pub const KEYS_PATH: &str = "/.well-known/jwks.json";

/// Where the discovery document stands below the issuer's URL (OpenID Connect Discovery, section 4).
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// The subject of a service account: 21 digits, drawn at random when the account is created and kept with it, so that
/// an account that is created again by the same name is another one.
///
/// ```
/// use host_tokens::AccountSubject;
///
/// # let number = 7;
/// // `number` comes from a source of random numbers.
/// let subject = AccountSubject::from_random(number);
/// assert_eq!(subject.as_str().len(), 21);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountSubject(String);

/// What a token is to say.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct IdToken<'a> {
    subject: &'a str,
    audience: &'a str,
    email: Option<&'a str>,
    lifetime: Duration,
}

impl<'a> IdToken<'a> {
    /// A token that stands for `subject`, is for `audience`, is good for [`LONGEST_LIFETIME`] and has no address.
    pub fn new(subject: &'a str, audience: &'a str) -> Self {
        Self {
            subject,
            audience,
            email: None,
            lifetime: LONGEST_LIFETIME,
        }
    }

    /// Has it name the e-mail address of the account, as a verified one.
    #[must_use]
    pub fn with_email(mut self, address: &'a str) -> Self {
        self.email = Some(address);
        self
    }

    /// Sets how long it is good. Only whole seconds count.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }
}

/// Why no token is made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// Too long, or not even a second.
    #[error("a token cannot be good for {0:?}; expected 1 s to 1 h")]
    Lifetime(Duration),
    /// For nobody.
    #[error("a token needs an audience; give the URL of the function it is for")]
    Audience,
    /// A service account whose subject could be taken for somebody else's.
    #[error(
        "an access token of a service account has a subject of digits only; expected 21 of them"
    )]
    Subject,
    /// Somebody of the issuer's own, by whose token no outside principal is proved.
    #[error("only the token of an outside issuer can be exchanged; show an ID token of one")]
    NotOutside,
    /// Too much to carry from the outside principal's token.
    #[error(
        "what names the outside principal has {0} bytes, more than the {LONGEST_OUTSIDE} allowed; have its issuer make a \
         token with shorter iss, sub, email and jti"
    )]
    LongOutside(usize),
    /// The outside principal's token ends before the access token could begin.
    #[error("the token that is exchanged expires within a second; get a new one")]
    ExchangedExpires,
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
}

impl AccountSubject {
    /// The subject that a random number stands for: the number itself, folded into 21 digits without a leading zero.
    /// Draw all of its bits from a cryptographic source.
    pub fn from_random(number: u128) -> Self {
        let lowest = 10_u128.pow(SUBJECT_DIGITS - 1);
        Self((lowest + number % (9 * lowest)).to_string())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a token of `issuer`, signed with `key`. Its claims are those that Google's have, so that what works with one
/// works with the other.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use host_tokens::{IdToken, IssuerUrl, Jws, MintError, SigningAlgorithm, SigningKey, mint};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer: IssuerUrl = "https://id.example".parse()?;
/// let key = SigningKey::generate(SigningAlgorithm::Es256)?;
/// let now = SystemTime::now();
///
/// let wanted = IdToken::new("1234567890", "https://functions.example/hello")
///     .with_email("ada@functions.example")
///     .with_lifetime(Duration::from_secs(60));
/// let token = mint(&issuer, &key, &wanted, now)?;
/// assert_eq!(Jws::read(&token)?.unverified_issuer()?, issuer.as_str());
///
/// // A token is good for an hour at most.
/// let day = Duration::from_secs(24 * 60 * 60);
/// let refused = mint(&issuer, &key, &wanted.with_lifetime(day), now);
/// assert_eq!(refused, Err(MintError::Lifetime(day)));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If it would be good for longer than an hour or for nobody, or the key does not sign.
pub fn mint(
    issuer: &IssuerUrl,
    key: &SigningKey,
    token: &IdToken<'_>,
    now: SystemTime,
) -> Result<String, MintError> {
    let seconds = token.lifetime.as_secs();
    if seconds == 0 || token.lifetime > LONGEST_LIFETIME {
        return Err(MintError::Lifetime(token.lifetime));
    }
    if token.audience.is_empty() {
        return Err(MintError::Audience);
    }
    let issued = NumericDate::of(now).seconds();
    let mut claims = json!({
        "iss": issuer.as_str(),
        "aud": token.audience,
        "azp": token.subject,
        "sub": token.subject,
        "jti": base64url::encode(rand::random::<[u8; 16]>()),
        "iat": issued,
        "exp": issued.saturating_add_unsigned(seconds),
    });
    if let Some(address) = token.email {
        claims["email"] = address.into();
        claims["email_verified"] = true.into();
    }
    Ok(sign(key, "JWT", &claims)?)
}

/// A token of this type with these claims.
pub(super) fn sign(
    key: &SigningKey,
    kind: &str,
    claims: &Value,
) -> Result<String, SigningKeyError> {
    let header = json!({
        "alg": key.algorithm().algorithm().name(),
        "kid": key.public().id(),
        "typ": kind,
    });
    let mut token = base64url::encode(header.to_string());
    token.push('.');
    token.push_str(&base64url::encode(claims.to_string()));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&base64url::encode(signature));
    Ok(token)
}

/// The key set (RFC 7517, section 5) with all keys that are published.
pub fn jwks_document<'a>(keys: impl IntoIterator<Item = &'a PublicJwk>) -> Value {
    let keys: Vec<Value> = keys.into_iter().map(PublicJwk::to_json).collect();
    json!({ "keys": keys })
}

/// The discovery document (OpenID Connect Discovery, section 3). Nobody signs in with this issuer, so there is no
/// endpoint but that of the keys. The two lists that the specification also requires are those of an issuer of ID tokens.
///
/// ```
/// use host_tokens::{IssuerUrl, KEYS_PATH, SigningAlgorithm, discovery_document};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer: IssuerUrl = "https://id.example".parse()?;
/// let document = discovery_document(&issuer, &[SigningAlgorithm::Es256]);
/// // The key set is to be found there.
/// assert_eq!(document["jwks_uri"], format!("https://id.example{KEYS_PATH}"));
/// # Ok(())
/// # }
/// ```
pub fn discovery_document(issuer: &IssuerUrl, algorithms: &[SigningAlgorithm]) -> Value {
    let base = issuer.as_str().trim_end_matches('/');
    let names: Vec<&str> = algorithms
        .iter()
        .map(|own| Algorithm::name(own.algorithm()))
        .collect();
    json!({
        "issuer": issuer.as_str(),
        "jwks_uri": format!("{base}{KEYS_PATH}"),
        "id_token_signing_alg_values_supported": names,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "email"],
        "claims_supported": ["aud", "azp", "email", "email_verified", "exp", "iat", "iss", "jti", "sub"],
    })
}

#[cfg(test)]
mod tests;
