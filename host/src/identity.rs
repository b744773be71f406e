//! Tokens: who calls, and whether they may.
//!
//! A token is read strictly ([`Jws`]), its issuer chosen among those that are configured ([`Issuers`]), and judged by a
//! [`Verifier`] with the issuer's keys ([`KeySet`]), for the audiences of one function and at one time. What comes out
//! is a [`Verified`] principal, which [`Invokers`] let in or not, or a [`Refusal`] with the exact reason. The host's own
//! issuer for its service accounts is here too: its keys ([`SigningKey`]), their rotation ([`RotationPolicy`]) and its
//! tokens ([`mint`]).
//!
//! The judgement is pure: it has no clock and does nothing but judge. Around it time does not go back ([`SteadyClock`]),
//! keys are fetched ([`KeySource`]) and kept fresh ([`KeyKeeper`]), and all that counts at one moment is a [`Trust`].
//! This room uses the store, and knows nothing of listeners, functions or the command line.

mod algorithm;
mod base64url;
mod certificates;
mod check;
mod claim_checks;
mod claim_match;
mod claims;
mod clock;
mod email;
mod fetch;
mod header;
mod invokers;
mod issuer;
mod issuer_url;
mod issuers;
mod json;
mod jws;
mod keeper;
mod kept_rule;
mod key;
mod key_set;
mod member;
mod numeric_date;
mod own_issuer;
mod own_keys;
mod presets;
mod principal;
mod public_jwk;
mod refusal;
mod rotation;
mod setting;
mod shown;
mod signature_checks;
mod signing_key;
mod standing;
mod trust;
mod verifier;

pub use algorithm::{Algorithm, AlgorithmError};
pub use check::Step;
pub use claim_match::{ClaimMatch, ClaimMatchError};
pub use claims::Claims;
pub use clock::{Moment, SteadyClock};
pub use email::{EmailAddress, EmailAddressError};
pub use fetch::{FetchError, KeyDocument, KeySource, KeyTls, parse as parse_keys_url};
pub use invokers::{ClaimRule, EmptyRule, Invoker, Invokers, NotInvoker};
pub use issuer::{
    DEFAULT_LEEWAY, DEFAULT_MAX_LIFETIME, EmailTrust, IssuerConfig, NotADomain,
    SERVICE_ACCOUNT_DOMAIN, ServiceAccounts,
};
pub use issuer_url::{IssuerUrl, IssuerUrlError};
pub use issuers::{AmbiguousIssuer, Issuers};
pub use json::JsonError;
pub use jws::{Jws, LONGEST_TOKEN, Part};
pub use keeper::{COOLDOWN, Fetched, KeyKeeper, KeyRequest, News};
pub use key::{LeftOut, VerifyingKey};
pub use key_set::{KeySet, KeySetError, LONGEST_DOCUMENT, LeftOutKey};
pub use member::{Member, MemberError};
pub use numeric_date::NumericDate;
pub use own_issuer::{
    AccountSubject, DISCOVERY_PATH, IdToken, KEYS_PATH, LONGEST_LIFETIME, MintError,
    discovery_document, jwks_document, mint,
};
pub use own_keys::{
    OWN, OwnIssuer, OwnIssuerError, TokenRequest, accounts_of, key_document, new_subject,
    own_key_set, own_revocations, readable_keys, records, revokes, signing_key, unrevoked_keys,
};
pub use presets::{Preset, PresetError, PresetSettings};
pub use principal::{Principal, Verified};
pub use public_jwk::PublicJwk;
pub use refusal::Refusal;
pub use rotation::{Action, KeyRecord, Phase, RotationPolicy, current_key};
pub use shown::Shown;
pub use signing_key::{
    Pkcs8, SigningAlgorithm, SigningAlgorithmError, SigningKey, SigningKeyError,
};
pub use trust::{OutsideIssuer, Rejected, Rejection, Trust, TrustedIssuer};
pub use verifier::Verifier;

#[cfg(test)]
mod tests;
