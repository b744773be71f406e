//! Why a token is refused.
//!
//! A caller only learns that it is refused. The text here is for the operator. It never has the token or its signature,
//! and shows claims shortened and without control characters. Until the signature is found good, what is shown was
//! written by whoever sent the token, not by the issuer.

use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::shown::Shown;
use crate::token::json::JsonError;
use crate::token::jws::{LONGEST_TOKEN, Part};
use crate::token::numeric_date::NumericDate;

/// Why a token is refused: one variant for each reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More bytes than a token may have. Nothing of it was read.
    #[error(
        "the token has {0} bytes, more than the {LONGEST_TOKEN} allowed; send a token with fewer claims"
    )]
    TooLong(usize),
    /// Not three parts.
    #[error(
        "the token has {0} parts and not three; send a signed JWT in its compact form, neither encrypted nor as JSON"
    )]
    Parts(usize),
    /// A part without a character.
    #[error("the token's {0} is empty; send it whole and signed")]
    EmptyPart(Part),
    /// A part that is no canonical base64url.
    #[error("the token's {0} is not base64url without padding; send it as the issuer made it")]
    Encoding(Part),
    /// Header or payload is no JSON object that can be relied upon.
    #[error("the token's {0} cannot be relied upon: {1}")]
    Json(Part, JsonError),
    /// A member of the header is missing or has the wrong type.
    #[error(
        "the header's {name} is {found}; expected what RFC 7515 says of it, which for most members is a text"
    )]
    HeaderMember {
        /// The member.
        name: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// `alg` is `none` or empty.
    #[error("the token says that it is not signed (alg {0}); only signed tokens are accepted")]
    Unsigned(Shown),
    /// `alg` is an HMAC, whose key would have to be secret.
    #[error(
        "the token's alg {0} is symmetric, and an issuer's public keys are no secret; expected a token signed with \
         RSA, EC or Ed25519"
    )]
    Symmetric(Shown),
    /// `alg` is not known.
    #[error(
        "the token's alg {0} is not supported; expected RS, PS or ES with 256, 384 or 512, EdDSA or Ed25519"
    )]
    UnknownAlgorithm(Shown),
    /// The header asks for something that is not understood and changes what is signed or how it is read.
    #[error("the token's header has {0}, which is not supported; have the issuer leave it out")]
    HeaderExtension(&'static str),
    /// A token within the token.
    #[error(
        "the token's content is another token (cty {0}), which is not supported; send the inner one"
    )]
    Nested(Shown),
    /// `kid` is longer than allowed, or has controls, or looks like a path or a query and names no key.
    #[error("the token's kid {0} is not a plausible name of a key; no key was looked for")]
    KeyId(Shown),
    /// `typ` is that of another kind of token.
    #[error("the token is of the type {found}; expected {expected}")]
    TokenType {
        /// What `typ` says.
        found: Shown,
        /// What may stand there.
        expected: &'static str,
    },

    /// No issuer is configured by this name. No connection was made.
    #[error(
        "the token's iss is {0}, which is not a trusted issuer; add it to the issuers, exactly as it stands there, if \
         it should be one"
    )]
    UnknownIssuer(Shown),
    /// The token is of another issuer.
    #[error("the token's iss is {found}; expected {expected:?}")]
    Issuer {
        /// The issuer that is configured.
        expected: String,
        /// What `iss` says.
        found: Shown,
    },
    /// The issuer may not sign with this algorithm.
    #[error("the token is signed with {found}; expected {expected}, the algorithms of this issuer")]
    AlgorithmNotAllowed {
        /// The algorithm of the token.
        found: Algorithm,
        /// Those of the issuer, with commas.
        expected: String,
    },

    /// The issuer has no key by this name; it may have published one since its keys were read.
    #[error(
        "the issuer has no key {0}; either the token is not its own, or the key is newer than the keys at hand"
    )]
    UnknownKey(Shown),
    /// The token names no key, and none of the issuer's is for the algorithm.
    #[error(
        "the token names no key, and the issuer has none for {0}; have the issuer put the kid into the token"
    )]
    NoKey(Algorithm),
    /// The token names no key, and several would do.
    #[error(
        "the token names no key, and {0} keys of the issuer could be meant; have the issuer put the kid into the token"
    )]
    SeveralKeys(usize),
    /// Several keys of the issuer have the name.
    #[error("the issuer has {count} keys by the name {kid}; have it give each its own kid")]
    AmbiguousKey {
        /// The name.
        kid: Shown,
        /// How many have it.
        count: usize,
    },
    /// The key is for another algorithm.
    #[error("the key {kid} is for {expected}, and the token is signed with {found}")]
    KeyAlgorithm {
        /// The name of the key.
        kid: Shown,
        /// What the key is for.
        expected: String,
        /// The algorithm of the token.
        found: Algorithm,
    },
    /// The signature cannot be one of this key.
    #[error(
        "the signature has {found} bytes; expected {expected}, as every signature of this key has"
    )]
    SignatureLength {
        /// In bytes.
        expected: usize,
        /// In bytes.
        found: usize,
    },
    /// The signature is not one of this key over this token.
    #[error(
        "the signature does not match the issuer's key: the token was changed or made by somebody else"
    )]
    Signature,

    /// A claim is missing.
    #[error("the claim {0} is missing; have the issuer put it into the token")]
    Missing(&'static str),
    /// A claim has the wrong type.
    #[error("the claim {claim} is {found}; expected {expected}")]
    Malformed {
        /// The claim.
        claim: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: Shown,
    },
    /// The token is for somebody else.
    #[error(
        "the token is for {found}; expected {expected}: get one for this audience, or add the other to the audiences"
    )]
    Audience {
        /// The audiences that are accepted.
        expected: String,
        /// The claim `aud`.
        found: Shown,
    },
    /// The token was given to a client that may not use it here.
    #[error("the token was issued to the client {found} (azp); expected {expected}")]
    AuthorizedParty {
        /// The clients that are accepted.
        expected: String,
        /// The claim `azp`.
        found: Shown,
    },
    /// An access token, where only ID tokens are accepted.
    #[error(
        "the token is an access token, since it has the claim {0}; show an ID token of this issuer in its place"
    )]
    AccessToken(&'static str),
    /// An ID token, or one without a type, where only access tokens are accepted.
    #[error(
        "the token is an ID token (typ JWT or none); expected an access token (typ at+jwt, RFC 9068)"
    )]
    IdToken,
    /// The token's time is over.
    #[error(
        "the token expired at {expiry}, and it is {now}; get a new one (clocks may differ by {leeway:?})"
    )]
    Expired {
        /// The claim `exp`.
        expiry: NumericDate,
        /// When it was judged.
        now: NumericDate,
        /// By how much clocks may differ.
        leeway: Duration,
    },
    /// The token's time has not come.
    #[error(
        "the token is not valid before {start}, and it is {now}; set the clocks right (they may differ by {leeway:?})"
    )]
    NotYetValid {
        /// The claim `nbf`.
        start: NumericDate,
        /// When it was judged.
        now: NumericDate,
        /// By how much clocks may differ.
        leeway: Duration,
    },
    /// The token comes from the future.
    #[error(
        "the token was issued at {issued}, and it is {now}; set the clocks right (they may differ by {leeway:?})"
    )]
    IssuedInFuture {
        /// The claim `iat`.
        issued: NumericDate,
        /// When it was judged.
        now: NumericDate,
        /// By how much clocks may differ.
        leeway: Duration,
    },
    /// The token ends before it starts.
    #[error(
        "the token expires at {expiry}, not after its {claim} at {start}; its issuer is at fault"
    )]
    EndsBeforeStart {
        /// The claim `exp`.
        expiry: NumericDate,
        /// `iat` or `nbf`.
        claim: &'static str,
        /// That claim.
        start: NumericDate,
    },
    /// The token lives too long.
    #[error(
        "the token lives from {start} to {expiry}, longer than the {longest:?} allowed; have the issuer shorten it, \
         or raise the maximal lifetime"
    )]
    Lifetime {
        /// When it was issued, or became valid, or was judged.
        start: NumericDate,
        /// The claim `exp`.
        expiry: NumericDate,
        /// The bound.
        longest: Duration,
    },
    /// The token is too old.
    #[error(
        "the token was issued at {issued}, longer ago than the {oldest:?} allowed; get a new one, or raise the \
         maximal age"
    )]
    Age {
        /// The claim `iat`.
        issued: NumericDate,
        /// The bound.
        oldest: Duration,
    },
    /// `sub` names nobody.
    #[error("the token's sub is empty; a token has to name whom it stands for")]
    EmptySubject,
    /// `sub` is longer than OpenID Connect allows.
    #[error("the token's sub has {0} bytes; expected at most 255")]
    LongSubject(usize),
    /// `sub` has a control character.
    #[error("the token's sub {0} has a control character; no principal has such a name")]
    SubjectCharacter(Shown),
    /// A claim that the issuer's settings ask for is missing or another.
    #[error(
        "the claim {claim} is {found}; expected {expected}, as the settings of this issuer ask"
    )]
    Claim {
        /// The claim, or the path to it.
        claim: String,
        /// What is accepted.
        expected: String,
        /// What stands there.
        found: Shown,
    },
    /// A token of the host's own issuer for an account that does not exist, or no longer.
    #[error(
        "the token is for the service account with the id {0}, which does not exist; create one, and get a token for it"
    )]
    UnknownAccount(Shown),
    /// A token of the host's own issuer whose e-mail address is not that of its account.
    #[error(
        "the token's email is {found}; expected {expected:?}, the address of the service account it is for"
    )]
    AccountAddress {
        /// The address of the account.
        expected: String,
        /// The claim `email`.
        found: Shown,
    },
}

impl Refusal {
    /// The reason in a word, as it is counted. It does not change between versions.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too_long",
            Self::Parts(_) => "parts",
            Self::EmptyPart(_) => "empty_part",
            Self::Encoding(_) => "encoding",
            Self::Json(..) => "json",
            Self::HeaderMember { .. } => "header_member",
            Self::Unsigned(_) => "unsigned",
            Self::Symmetric(_) => "symmetric",
            Self::UnknownAlgorithm(_) => "unknown_algorithm",
            Self::HeaderExtension(_) => "header_extension",
            Self::Nested(_) => "nested",
            Self::KeyId(_) => "key_id",
            Self::TokenType { .. } => "token_type",
            Self::UnknownIssuer(_) => "unknown_issuer",
            Self::Issuer { .. } => "issuer",
            Self::AlgorithmNotAllowed { .. } => "algorithm_not_allowed",
            Self::UnknownKey(_) => "unknown_key",
            Self::NoKey(_) => "no_key",
            Self::SeveralKeys(_) => "several_keys",
            Self::AmbiguousKey { .. } => "ambiguous_key",
            Self::KeyAlgorithm { .. } => "key_algorithm",
            Self::SignatureLength { .. } => "signature_length",
            Self::Signature => "signature",
            Self::Missing(_) => "missing_claim",
            Self::Malformed { .. } => "malformed_claim",
            Self::Audience { .. } => "audience",
            Self::AuthorizedParty { .. } => "authorized_party",
            Self::AccessToken(_) => "access_token",
            Self::IdToken => "id_token",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::EndsBeforeStart { .. } => "ends_before_start",
            Self::Lifetime { .. } => "lifetime",
            Self::Age { .. } => "age",
            Self::EmptySubject => "empty_subject",
            Self::LongSubject(_) => "long_subject",
            Self::SubjectCharacter(_) => "subject_character",
            Self::Claim { .. } => "claim",
            Self::UnknownAccount(_) => "unknown_account",
            Self::AccountAddress { .. } => "account_address",
        }
    }

    /// Whether newer keys of the issuer, or newer accounts of the host's own, could make the token good: the one reason
    /// to fetch them.
    pub fn wants_newer_keys(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey(_) | Self::NoKey(_) | Self::UnknownAccount(_)
        )
    }
}
