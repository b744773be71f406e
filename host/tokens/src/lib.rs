//! Judges OpenID Connect tokens: who calls, and whether they may.
//!
//! A token is read strictly, its issuer is chosen among those that are configured, and it is judged with the issuer's
//! keys, for the audiences of one function and at one time. What comes of it is a [`Verified`] caller, or a [`Refusal`]
//! with the exact reason. The judgement is pure: it has no clock, no network and no files.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use host_tokens::{
//!     Algorithm, IdToken, IssuerConfig, IssuerUrl, KeySet, Refusal, SigningAlgorithm, SigningKey,
//!     Verifier, jwks_document, mint,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // An issuer with a key of its own makes a token.
//! let issuer: IssuerUrl = "https://id.example".parse()?;
//! let key = SigningKey::generate(SigningAlgorithm::Es256)?;
//! let now = SystemTime::now();
//! let token = IdToken::new("1234567890", "https://functions.example/hello");
//! let token = mint(&issuer, &key, &token, now)?;
//!
//! // Who trusts that issuer has its key set, and says whom tokens may be for.
//! let keys = KeySet::read(jwks_document([key.public()]).to_string().as_bytes())?;
//! let config = IssuerConfig::new(issuer, [Algorithm::Es256]);
//! let verifier = Verifier::new(config, ["https://functions.example/hello".to_owned()]);
//!
//! let caller = verifier.verify(&token, &keys, now)?;
//! assert_eq!(caller.principal.to_string(), "principal:https://id.example#1234567890");
//!
//! // Two hours later the same token is refused.
//! let late = now + Duration::from_secs(2 * 60 * 60);
//! let refusal = verifier.verify(&token, &keys, late).unwrap_err();
//! assert!(matches!(refusal, Refusal::Expired { .. }));
//! assert_eq!(refusal.code(), "expired");
//! # Ok(())
//! # }
//! ```
//!
//! # Which type does what
//!
//! - [`IssuerConfig`] says what the tokens of one issuer must be like, [`Preset`] makes one for a provider that many use,
//!   and [`KeySet`] has the issuer's keys. A [`Verifier`] judges by these, and [`Verifier::explain`] tells check by check.
//! - [`Trust`] judges by several issuers and by what is revoked ([`Revocation`]).
//! - [`Invokers`] are the callers that are let in: [`Member`]s by name, and [`ClaimRule`]s.
//! - [`KeyRefresh`] decides when keys are fetched again. How they are fetched is the program's part.
//! - [`SteadyClock`] is a clock that is not set back.
//! - [`Trust::judge_control_plane`] tells who calls the control plane ([`ControlCaller`]), by an access token of the host's
//!   own ([`mint_access_token`]) or a token of an outside issuer.
//! - [`mint`] makes tokens with a [`SigningKey`], [`RotationPolicy`] says when the next key is due, and
//!   [`discovery_document`] and [`jwks_document`] are what such an issuer publishes.
//!
//! # What is refused
//!
//! Whatever could be read in two ways: JSON with a member given twice, base64 that is not canonical, a header with `crit`,
//! `b64`, `zip` or `enc`. Symmetric and unsigned tokens, tokens of a type that is not expected, without `exp` or `sub`, for
//! another audience, or of a lifetime beyond the bound. Of key sets: weak keys, private keys, symmetric keys, and keys
//! that are not for signatures.

#![forbid(unsafe_code)]

mod algorithm;
mod clock;
mod issuer;
mod judge;
mod keys;
mod policy;
mod revocation;
mod shown;
mod signing;
mod token;
mod trust;

pub use algorithm::{Algorithm, AlgorithmError};
pub use clock::{Moment, SteadyClock};
pub use issuer::claim_match::{ClaimMatch, ClaimMatchError};
pub use issuer::config::{
    DEFAULT_LEEWAY, DEFAULT_MAX_LIFETIME, EmailTrust, IssuerConfig, NotADomain,
    SERVICE_ACCOUNT_DOMAIN, ServiceAccounts,
};
pub use issuer::email::{EmailAddress, EmailAddressError};
pub use issuer::issuers::{AmbiguousIssuer, Issuers};
pub use issuer::presets::{Preset, PresetError, PresetSettings};
pub use issuer::url::{IssuerUrl, IssuerUrlError};
pub use judge::check::Step;
pub use judge::control_caller::ControlCaller;
pub use judge::refusal::Refusal;
pub use judge::verified::{Principal, Verified};
pub use judge::verifier::Verifier;
pub use keys::key::{LeftOut, VerifyingKey};
pub use keys::key_set::{KeySet, KeySetError, LONGEST_DOCUMENT, LeftOutKey};
pub use keys::refresh::{COOLDOWN, FETCH_TIME, Fetched, KeyRefresh, KeyRequest, Refreshed};
pub use policy::invokers::{ClaimRule, EmptyRule, Invoker, Invokers, NotInvoker};
pub use policy::member::{Member, MemberError};
pub use revocation::{ANY_ISSUER, Revocation, RevokedKind};
pub use shown::Shown;
pub use signing::access_token::{AccessToken, control_plane_audience, mint_access_token};
pub use signing::key::{
    Pkcs8, SigningAlgorithm, SigningAlgorithmError, SigningKey, SigningKeyError,
};
pub use signing::mint::{
    AccountSubject, DISCOVERY_PATH, IdToken, KEYS_PATH, LONGEST_LIFETIME, MintError,
    discovery_document, jwks_document, mint,
};
pub use signing::public_jwk::PublicJwk;
pub use signing::rotation::{Action, KeyTimes, Phase, RotationPolicy, current_key};
pub use token::claims::Claims;
pub use token::json::JsonError;
pub use token::jws::{Jws, LONGEST_TOKEN, Part};
pub use token::numeric_date::NumericDate;
pub use trust::{Rejected, Rejection, Trust, TrustedIssuer};

#[cfg(test)]
mod tests;
