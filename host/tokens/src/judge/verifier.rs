//! The judge of tokens of one issuer for one function.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use crate::issuer::config::{IssuerConfig, ServiceAccounts};
use crate::issuer::email::EmailAddress;
use crate::judge::check::{self, Step};
use crate::judge::claim_checks::{self, ClaimCase};
use crate::judge::refusal::Refusal;
use crate::judge::signature_checks::SignedCase;
use crate::judge::standing::Standing;
use crate::judge::verified::{Principal, Verified};
use crate::keys::key_set::KeySet;
use crate::shown::Shown;
use crate::token::claims::Claims;
use crate::token::jws::Jws;
use crate::token::numeric_date::NumericDate;

/// Judges tokens of one issuer for one function. It holds no keys and no clock: both are given with each token.
///
/// ```
/// use host_tokens::{Algorithm, IssuerConfig, KeySet, Verifier};
///
/// # use std::time::SystemTime;
/// # use host_tokens::{IdToken, SigningAlgorithm, SigningKey, jwks_document, mint};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = SigningKey::generate(SigningAlgorithm::EdDsa)?;
/// # let keys = KeySet::read(jwks_document([key.public()]).to_string().as_bytes())?;
/// # let now = SystemTime::now();
/// # let issuer = "https://id.example".parse()?;
/// # let token = mint(&issuer, &key, &IdToken::new("ada", "https://other.example"), now)?;
/// let config = IssuerConfig::new(issuer, [Algorithm::EdDsa]);
/// let verifier = Verifier::new(config, ["https://functions.example/hello".to_owned()]);
///
/// // This token is for somebody else: one of the checks says so, and the others pass.
/// let steps = verifier.explain(&token, &keys, now);
/// let refused: Vec<_> = steps.iter().filter(|step| step.refusal.is_some()).collect();
/// assert_eq!(refused.len(), 1);
/// assert_eq!(refused[0].title, "audience (aud)");
/// assert_eq!(refused[0].found, "\"https://other.example\"");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    config: Arc<IssuerConfig>,
    audiences: Arc<[String]>,
    /// The host's own, whichever issuer this is.
    accounts: Arc<ServiceAccounts>,
}

impl Verifier {
    /// For tokens of this issuer that are for one of `audiences`, or of those that the issuer's settings name. Without
    /// any every token is refused.
    pub fn new(config: impl Into<Arc<IssuerConfig>>, audiences: impl Into<Arc<[String]>>) -> Self {
        Self {
            config: config.into(),
            audiences: audiences.into(),
            accounts: Arc::default(),
        }
    }

    /// Beside the host's own accounts, in whose domains no other issuer may vouch for an address.
    #[must_use]
    pub fn beside(mut self, accounts: Arc<ServiceAccounts>) -> Self {
        self.accounts = accounts;
        self
    }

    /// The issuer whose tokens it judges.
    pub fn issuer(&self) -> &IssuerConfig {
        &self.config
    }

    /// Judges a token as it came.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn verify(&self, token: &str, keys: &KeySet, now: SystemTime) -> Result<Verified, Refusal> {
        self.verify_read(Jws::read(token)?, keys, now)
    }

    /// Judges a token that was read already, to find out its issuer.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn verify_read(
        &self,
        token: Jws<'_>,
        keys: &KeySet,
        now: SystemTime,
    ) -> Result<Verified, Refusal> {
        check::judge(&SignedCase::CHECKS, &self.signed_case(&token, keys))?;
        check::judge(&ClaimCase::CHECKS, &self.claim_case(&token.claims, now))?;
        let header = &token.parts.header;
        let key = keys.find(header.key_id.as_deref(), header.algorithm)?;
        let key_id = key.id().map(str::to_owned);
        self.verified(token, key_id)
    }

    /// Judges anew whether a token with a good signature is for this function and this moment. The signature, the key
    /// and revocations are not looked at.
    ///
    /// # Errors
    /// The first reason to refuse it.
    pub fn verify_again(&self, verified: &Verified, now: SystemTime) -> Result<(), Refusal> {
        if verified.principal.issuer != self.config.issuer {
            return Err(Refusal::Issuer {
                expected: self.config.issuer.as_str().to_owned(),
                found: Shown::text(verified.principal.issuer.as_str()),
            });
        }
        check::judge(&ClaimCase::CHECKS, &self.claim_case(&verified.claims, now))
    }

    /// Runs every check that `verify` runs, in its order, and goes on after one that refuses. The token is refused if
    /// any step is; if its form cannot be read there is only that one step.
    pub fn explain(&self, token: &str, keys: &KeySet, now: SystemTime) -> Vec<Step> {
        let read = Jws::read(token);
        let form = Step {
            title: "form",
            expected: "a compact JWS with claims".into(),
            found: match &read {
                Ok(_) => "one".into(),
                Err(_) => format!("{} bytes", token.len()),
            },
            refusal: read.as_ref().err().cloned(),
        };
        let Ok(token) = read else {
            return vec![form];
        };
        let signed = self.signed_case(&token, keys);
        let claims = self.claim_case(&token.claims, now);
        let signature_steps = SignedCase::CHECKS
            .iter()
            .map(|check| check.explain(&signed));
        let claim_steps = ClaimCase::CHECKS.iter().map(|check| check.explain(&claims));
        std::iter::once(form)
            .chain(signature_steps)
            .chain(claim_steps)
            .collect()
    }

    fn signed_case<'a>(&'a self, token: &'a Jws<'a>, keys: &'a KeySet) -> SignedCase<'a> {
        SignedCase {
            config: &self.config,
            token,
            keys,
        }
    }

    fn claim_case<'a>(&'a self, claims: &'a Claims, now: SystemTime) -> ClaimCase<'a> {
        ClaimCase {
            config: &self.config,
            audiences: &self.audiences,
            claims,
            now: NumericDate::of(now),
        }
    }

    fn verified(&self, token: Jws<'_>, key_id: Option<String>) -> Result<Verified, Refusal> {
        let claims = token.claims;
        let subject = claim_checks::subject(&claims)?.to_owned();
        let accounts = self.config.service_accounts.as_ref();
        let service_account = accounts.and_then(|accounts| accounts.address(&subject));
        let service_account = service_account.cloned();
        Ok(Verified {
            email: service_account.clone().or_else(|| self.email(&claims)),
            service_account,
            expiry: claim_checks::expires(&claims)?,
            token_id: claims.get("jti").and_then(Value::as_str).map(str::to_owned),
            key_id,
            algorithm: token.parts.header.algorithm,
            standing: Standing::of(&self.config, &claims)?,
            principal: Principal {
                issuer: self.config.issuer.clone(),
                subject,
            },
            claims,
        })
    }

    /// The address, if it is verified in so many words: some issuers write `"true"`, which others take from their users.
    /// It is nobody else's to speak for the host's own accounts.
    fn email(&self, claims: &Claims) -> Option<EmailAddress> {
        let address: EmailAddress = claims.get("email")?.as_str()?.parse().ok()?;
        let is_verified = claims.get("email_verified") == Some(&Value::Bool(true));
        let is_trusted = self.config.emails.covers(&address) && !self.accounts.claim(&address);
        (is_verified && is_trusted).then_some(address)
    }
}
