//! Access tokens for the control plane (RFC 9068), made by an issuer of one's own.
//!
//! They differ from ID tokens by their type, `at+jwt`: no function takes one, and the control plane takes no ID token of
//! the same issuer, whatever their audiences are.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::issuer::url::IssuerUrl;
use crate::judge::verified::Verified;
use crate::signing::key::SigningKey;
use crate::signing::mint::{LONGEST_LIFETIME, MintError, sign};
use crate::token::base64url;
use crate::token::numeric_date::NumericDate;

/// The subject of the owner of the host. A service account has digits, so none has this one.
pub(crate) const OWNER_SUBJECT: &str = "owner";

/// The subject of outside principals, who are named in [`OUTSIDE_CLAIM`]: their own subject could be that of an account.
pub(crate) const OUTSIDE_SUBJECT: &str = "outside";

/// The claim that names an outside principal. It has `iss`, `sub`, `email` if that is verified and, for revocations, the
/// `jti` and `kid` of the token that was exchanged.
pub(crate) const OUTSIDE_CLAIM: &str = "outside";

/// The most bytes of JSON that name an outside principal.
pub(crate) const LONGEST_OUTSIDE: usize = 4096;

/// The audience of access tokens: the control plane of `issuer`. A URL with a fragment is no address of a function.
///
/// ```
/// let issuer = "https://id.example".parse()?;
/// let audience = host_tokens::control_plane_audience(&issuer);
/// assert_eq!(audience, "https://id.example#control-plane");
/// # Ok::<(), host_tokens::IssuerUrlError>(())
/// ```
pub fn control_plane_audience(issuer: &IssuerUrl) -> String {
    format!("{issuer}#control-plane")
}

/// What an access token is to say.
#[derive(Clone, Copy, Debug)]
pub struct AccessToken<'a> {
    holder: Holder<'a>,
    lifetime: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Holder<'a> {
    Owner,
    ServiceAccount { subject: &'a str, email: &'a str },
    Outside(&'a Verified),
}

impl<'a> AccessToken<'a> {
    /// One that stands for the owner of the host and is good for [`LONGEST_LIFETIME`].
    pub fn of_owner() -> Self {
        Self::of(Holder::Owner)
    }

    /// One that stands for a service account and is good for [`LONGEST_LIFETIME`].
    pub fn of_service_account(subject: &'a str, email: &'a str) -> Self {
        Self::of(Holder::ServiceAccount { subject, email })
    }

    /// One that stands for an outside principal whose token was found good (RFC 8693), until that token expires and for
    /// [`LONGEST_LIFETIME`] at most.
    pub fn of_outside(caller: &'a Verified) -> Self {
        Self::of(Holder::Outside(caller))
    }

    fn of(holder: Holder<'a>) -> Self {
        Self {
            holder,
            lifetime: LONGEST_LIFETIME,
        }
    }

    /// Sets how long it is good. Only whole seconds count.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How long it is good if it is made `now`, in whole seconds.
    ///
    /// # Errors
    /// If that is longer than an hour, or not even a second.
    pub fn lifetime(&self, now: SystemTime) -> Result<Duration, MintError> {
        let seconds = self.lifetime.as_secs();
        if seconds == 0 || self.lifetime > LONGEST_LIFETIME {
            return Err(MintError::Lifetime(self.lifetime));
        }
        let Holder::Outside(caller) = self.holder else {
            return Ok(Duration::from_secs(seconds));
        };
        let left = caller.expiry.seconds() - NumericDate::of(now).seconds();
        match u64::try_from(left) {
            Ok(left @ 1..) => Ok(Duration::from_secs(seconds.min(left))),
            _ => Err(MintError::ExchangedExpires),
        }
    }
}

/// Makes an access token of `issuer` for its own control plane, signed with `key` (RFC 9068, section 2).
///
/// ```
/// use std::sync::Arc;
/// use std::time::SystemTime;
///
/// use host_tokens::{
///     AccessToken, Algorithm, ControlCaller, IssuerConfig, IssuerUrl, KeySet, ServiceAccounts,
///     SigningAlgorithm, SigningKey, Trust, TrustedIssuer, jwks_document, mint_access_token,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer: IssuerUrl = "https://id.example".parse()?;
/// let key = SigningKey::generate(SigningAlgorithm::EdDsa)?;
/// let now = SystemTime::now();
/// let token = mint_access_token(&issuer, &key, &AccessToken::of_owner(), now)?;
///
/// let keys = KeySet::read(jwks_document([key.public()]).to_string().as_bytes())?;
/// let config = IssuerConfig::new(issuer, [Algorithm::EdDsa])
///     .with_service_accounts(ServiceAccounts::default());
/// let own = TrustedIssuer::new(config).with_keys(Some(Arc::new(keys)));
/// let trust = Trust::new(1, vec![own], [])?;
///
/// // For tokens of outside issuers.
/// let audiences: Arc<[String]> = ["https://control.example".to_owned()].into();
/// let caller = trust.judge_control_plane(&token, &audiences, now).unwrap();
/// assert_eq!(caller, ControlCaller::Owner);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If it would be good for longer than an hour, whom it is to stand for cannot be told from somebody else, or the key does
/// not sign.
pub fn mint_access_token(
    issuer: &IssuerUrl,
    key: &SigningKey,
    token: &AccessToken<'_>,
    now: SystemTime,
) -> Result<String, MintError> {
    let lifetime = token.lifetime(now)?;
    let issued = NumericDate::of(now).seconds();
    let subject = match token.holder {
        Holder::Owner => OWNER_SUBJECT,
        Holder::ServiceAccount { subject, .. } => subject,
        Holder::Outside(_) => OUTSIDE_SUBJECT,
    };
    let mut claims = json!({
        "iss": issuer.as_str(),
        "aud": control_plane_audience(issuer),
        "sub": subject,
        "client_id": subject,
        "jti": base64url::encode(rand::random::<[u8; 16]>()),
        "iat": issued,
        "exp": issued.saturating_add_unsigned(lifetime.as_secs()),
    });
    match token.holder {
        Holder::Owner => {}
        Holder::ServiceAccount { subject, email } => {
            if subject.is_empty() || !subject.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(MintError::Subject);
            }
            claims["email"] = email.into();
        }
        Holder::Outside(caller) => claims[OUTSIDE_CLAIM] = outside(issuer, caller)?,
    }
    Ok(sign(key, "at+jwt", &claims)?)
}

/// What names an outside principal.
fn outside(issuer: &IssuerUrl, caller: &Verified) -> Result<Value, MintError> {
    let principal = &caller.principal;
    if principal.issuer == *issuer || caller.service_account.is_some() {
        return Err(MintError::NotOutside);
    }
    let mut named = json!({"iss": principal.issuer.as_str(), "sub": principal.subject});
    let email = caller.email.as_deref();
    let parts = [
        ("email", email),
        ("jti", caller.token_id.as_deref()),
        ("kid", caller.key_id.as_deref()),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            named[name] = part.into();
        }
    }
    let length = named.to_string().len();
    if length > LONGEST_OUTSIDE {
        return Err(MintError::LongOutside(length));
    }
    Ok(named)
}

#[cfg(test)]
mod tests;
