//! Whether a token comes from its issuer: the checks up to the signature, in order.

use crate::algorithm::Algorithm;
use crate::issuer::config::{IssuerConfig, TokenKinds};
use crate::judge::check::Check;
use crate::judge::refusal::Refusal;
use crate::keys::key::VerifyingKey;
use crate::keys::key_set::KeySet;
use crate::shown::Shown;
use crate::token::header;
use crate::token::jws::Jws;

/// A token, and what it is judged by.
pub(crate) struct SignedCase<'a> {
    pub(crate) config: &'a IssuerConfig,
    pub(crate) token: &'a Jws<'a>,
    pub(crate) keys: &'a KeySet,
}

impl SignedCase<'_> {
    /// What is only compared comes first, what costs time last.
    pub(crate) const CHECKS: [Check<Self>; 5] = [
        Check {
            title: "issuer (iss)",
            judge: issuer,
            expected: |case| format!("{:?}", case.config.issuer),
            found: |case| case.token.claims.shown("iss").to_string(),
        },
        Check {
            title: "algorithm (alg)",
            judge: algorithm,
            expected: |case| algorithms(case.config),
            found: |case| case.token.parts.header.algorithm.to_string(),
        },
        Check {
            title: "type (typ)",
            judge: token_type,
            expected: |case| expected_type(case.config).into(),
            found: |case| match &case.token.parts.header.kind {
                Some(kind) => Shown::text(kind).to_string(),
                None => "none".into(),
            },
        },
        Check {
            title: "key (kid)",
            judge: |case| key(case).map(|_| ()),
            expected: |case| format!("one of the issuer's {} keys", case.keys.keys().len()),
            found: |case| match &case.token.parts.header.key_id {
                Some(id) => Shown::text(id).to_string(),
                None => "none".into(),
            },
        },
        Check {
            title: "signature",
            judge: signature,
            expected: |_| "one of this key over this token".into(),
            found: |case| format!("{} bytes", case.token.parts.signature.len()),
        },
    ];
}

fn issuer(case: &SignedCase<'_>) -> Result<(), Refusal> {
    let iss = case.token.claims.issuer()?;
    if case.config.goes_by(iss) {
        return Ok(());
    }
    Err(Refusal::Issuer {
        expected: case.config.issuer.as_str().to_owned(),
        found: Shown::text(iss),
    })
}

fn algorithm(case: &SignedCase<'_>) -> Result<(), Refusal> {
    let found = case.token.parts.header.algorithm;
    if case.config.algorithms.contains(&found) {
        return Ok(());
    }
    Err(Refusal::AlgorithmNotAllowed {
        found,
        expected: algorithms(case.config),
    })
}

/// Types other than these are those of tokens for other ends, such as `logout+jwt` or `dpop+jwt` (RFC 8725, section
/// 3.11): what is not named here is refused. Where only access tokens are accepted, so is a token without a type (RFC 9068,
/// section 4).
fn token_type(case: &SignedCase<'_>) -> Result<(), Refusal> {
    let kind = case.token.parts.header.kind.as_deref();
    let media_type = kind.map(header::media_type);
    match (media_type.as_deref(), case.config.kinds) {
        (None | Some("jwt"), TokenKinds::Access) => Err(Refusal::IdToken),
        (None | Some("jwt"), _) => Ok(()),
        (Some("at+jwt"), TokenKinds::IdAndAccess | TokenKinds::Access) => Ok(()),
        (Some(_), _) => Err(Refusal::TokenType {
            found: Shown::text(kind.unwrap_or_default()),
            expected: expected_type(case.config),
        }),
    }
}

fn key<'a>(case: &SignedCase<'a>) -> Result<&'a VerifyingKey, Refusal> {
    let header = &case.token.parts.header;
    case.keys.find(header.key_id.as_deref(), header.algorithm)
}

fn signature(case: &SignedCase<'_>) -> Result<(), Refusal> {
    // The key is looked for again; that is a few comparisons, and each check stays whole by itself.
    let parts = &case.token.parts;
    key(case)?.verify(
        parts.header.algorithm,
        parts.signed.as_bytes(),
        &parts.signature,
    )
}

fn algorithms(config: &IssuerConfig) -> String {
    let names: Vec<&str> = config
        .algorithms
        .iter()
        .copied()
        .map(Algorithm::name)
        .collect();
    names.join(", ")
}

fn expected_type(config: &IssuerConfig) -> &'static str {
    match config.kinds {
        TokenKinds::Id => "JWT or none",
        TokenKinds::IdAndAccess => "JWT, at+jwt or none",
        TokenKinds::Access => "at+jwt",
    }
}
