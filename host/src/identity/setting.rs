//! Which setting has to change for a token to be accepted that is refused.
//!
//! `host.toml` has the settings of an issuer below `[issuers.NAME]` and those of a function below `[functions.NAME]`.

use super::refusal::Refusal;
use super::shown::Shown;
use super::trust::Rejection;

/// Where no setting helps.
const MADE_ANEW: &str = "none: the token has to be made anew, by its issuer";
const ISSUERS_KEYS: &str =
    "none: the issuer has to publish other keys, and says which here: `host auth doctor ISSUER`";

impl Refusal {
    /// The setting to change if such a token should be accepted; where there is none, what has to change instead.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::TooLong(_)
            | Self::Parts(_)
            | Self::EmptyPart(_)
            | Self::Encoding(_)
            | Self::Json(..)
            | Self::HeaderMember { .. }
            | Self::Unsigned(_)
            | Self::Symmetric(_)
            | Self::UnknownAlgorithm(_)
            | Self::HeaderExtension(_)
            | Self::Nested(_)
            | Self::KeyId(_)
            | Self::SignatureLength { .. }
            | Self::Signature
            | Self::Missing(_)
            | Self::Malformed { .. }
            | Self::EndsBeforeStart { .. }
            | Self::EmptySubject
            | Self::LongSubject(_)
            | Self::SubjectCharacter(_) => MADE_ANEW,
            Self::AccessToken(_) => "`access-tokens = true` of the issuer",
            Self::TokenType { found, .. } if is_access_token(found) => {
                "`access-tokens = true` of the issuer"
            }
            Self::TokenType { .. } => "none: show an ID token of this issuer in its place",
            Self::UnknownIssuer(_) | Self::Issuer { .. } => {
                "`--issuer` of `host serve`, or `url` below `[issuers.NAME]`"
            }
            Self::AlgorithmNotAllowed { .. } => "`algorithms` of the issuer",
            Self::UnknownKey(_) => {
                "`keys-url` of the issuer, if its keys are elsewhere: `host auth doctor ISSUER`"
            }
            Self::NoKey(_) | Self::SeveralKeys(_) | Self::AmbiguousKey { .. } => ISSUERS_KEYS,
            Self::KeyAlgorithm { .. } => ISSUERS_KEYS,
            Self::Audience { .. } => {
                "`audiences` of the function or of the issuer, `--audience`, or `--public-url` of `host serve`"
            }
            Self::AuthorizedParty { .. } => "`authorized-parties` of the issuer",
            Self::Expired { .. } | Self::NotYetValid { .. } | Self::IssuedInFuture { .. } => {
                "`leeway` of the issuer, if its clock is the one that is off"
            }
            Self::Lifetime { .. } => "`max-lifetime` of the issuer",
            Self::Age { .. } => "`max-age` of the issuer",
            Self::Claim { .. } => "`require` of the issuer, or what its `provider` asks for",
            Self::UnknownAccount(_) => "the account: `host iam service-accounts create`",
            Self::AccountAddress { .. } => "none: get a token of the account as it is now",
        }
    }
}

impl Rejection {
    /// The setting to change if such a token should be accepted; where there is none, what has to change instead.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.setting(),
            Self::Revoked { .. } => {
                "none: what is revoked stays so; have another token made, by another key or for another subject"
            }
            Self::Unreadable(_) => "none: restore a backup of the store",
            Self::NoKeys(_) => "`keys-url`, `ca-file` or `bearer-file` of the issuer",
        }
    }
}

fn is_access_token(kind: &Shown) -> bool {
    let kind = kind.to_string().to_ascii_lowercase();
    kind.trim_matches('"').ends_with("at+jwt")
}
