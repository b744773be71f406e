//! One public key of an issuer, read from its JWK (RFC 7517) once and then ready to verify.

mod roca;

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::judge::refusal::Refusal;
use crate::shown::Shown;
use crate::token::base64url;
use crate::token::json::{JsonError, Object, kind};

/// A public key, parsed, for the algorithms that it may be used with.
pub struct VerifyingKey {
    id: Option<String>,
    /// The library binds a parsed key to an algorithm; an RSA key without `alg` has six.
    parsed: Vec<(Algorithm, ParsedPublicKey)>,
    /// The length of every signature that it can verify, in bytes.
    signature_length: usize,
}

/// Why a key of a set is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftOut {
    /// It is no object that can be relied upon.
    #[error("it cannot be relied upon: {0}")]
    Json(JsonError),
    /// A key of a type that no supported algorithm has.
    #[error("its type (kty) is {0}; expected RSA, EC or OKP")]
    KeyType(Shown),
    /// A symmetric key, which everybody could sign with.
    #[error("it is symmetric (kty oct); no issuer may publish such a key")]
    Symmetric,
    /// A private key, which everybody can read now.
    #[error("it has private parts ({0}); its issuer has to replace it")]
    Private(&'static str),
    /// A key that is not for signatures.
    #[error("it is not for signatures (use is {0})")]
    Use(Shown),
    /// A key that may not verify.
    #[error("its key_ops are {0}; expected verify among them")]
    Operations(Shown),
    /// A key for an algorithm that is not supported.
    #[error("its alg is {0}, which is not supported for signatures")]
    Algorithm(Shown),
    /// Its algorithm is not one of its type and curve.
    #[error("its alg is {alg}, which does not fit its type and curve")]
    Misfit {
        /// What `alg` says.
        alg: Algorithm,
    },
    /// A key on a curve that no supported algorithm has.
    #[error("its curve (crv) is {0}; expected P-256, P-384 or P-521 for EC, Ed25519 for OKP")]
    Curve(Shown),
    /// A member is missing or malformed.
    #[error("its {member} is {found}; expected {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        found: &'static str,
        /// What should stand there.
        expected: &'static str,
    },
    /// An RSA key of a size that is too weak, or that costs too much.
    #[error("it is an RSA key of {0} bits; expected {SMALLEST_RSA} to {LARGEST_RSA}")]
    RsaSize(usize),
    /// An RSA key with an exponent that makes it weak.
    #[error(
        "its exponent (e) is not an odd number from 3 to 2^33; expected 65537, as almost every key has"
    )]
    Exponent,
    /// An RSA key whose private half can be found.
    #[error(
        "its primes are those of a broken library (ROCA, CVE-2017-15361), so its private half can be found; its issuer has \
         to replace it"
    )]
    Roca,
    /// A certificate without an RSA key.
    #[error("it is no X.509 certificate of an RSA key, in PEM")]
    Certificate,
    /// Numbers that make no key, such as a point off its curve.
    #[error("its numbers make no key of its type")]
    NoKey,
}

/// NIST SP 800-131A: smaller keys are no longer allowed.
const SMALLEST_RSA: usize = 2048;
/// Larger ones take too long to verify with: anybody may send a token.
const LARGEST_RSA: usize = 8192;
/// The longest exponent that the library takes, in bytes: it has at most 33 bits.
const LONGEST_EXPONENT: usize = 5;

/// The members of private keys (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1; RFC 8037, section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl VerifyingKey {
    pub(crate) fn read(jwk: &Object) -> Result<Self, LeftOut> {
        let key_type = text(jwk, "kty")?.ok_or(missing("kty", "RSA, EC or OKP"))?;
        if key_type == "oct" {
            return Err(LeftOut::Symmetric);
        }
        if let Some(member) = PRIVATE.into_iter().find(|name| jwk.contains_key(*name)) {
            return Err(LeftOut::Private(member));
        }
        check_purpose(jwk)?;
        let restricted = restriction(jwk)?;
        let (parsed, signature_length) = match key_type {
            "RSA" => rsa(jwk, restricted)?,
            "EC" => elliptic(jwk, restricted)?,
            "OKP" => edwards(jwk, restricted)?,
            other => return Err(LeftOut::KeyType(Shown::text(other))),
        };
        Ok(Self {
            id: text(jwk, "kid")?.map(str::to_owned),
            parsed,
            signature_length,
        })
    }

    /// Its name, `kid`.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What it may be used with.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.parsed.iter().map(|(algorithm, _)| *algorithm)
    }

    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let Some((_, key)) = self.parsed.iter().find(|(own, _)| *own == algorithm) else {
            return Err(self.misfit(algorithm));
        };
        // The one encoding of a signature has one length: RFC 8017, sections 8.1.2 and 8.2.2; RFC 7518, section 3.4.
        if signature.len() != self.signature_length {
            return Err(Refusal::SignatureLength {
                expected: self.signature_length,
                found: signature.len(),
            });
        }
        key.verify_sig(message, signature)
            .map_err(|_| Refusal::Signature)
    }

    pub(crate) fn misfit(&self, found: Algorithm) -> Refusal {
        let names: Vec<&str> = self.algorithms().map(Algorithm::name).collect();
        Refusal::KeyAlgorithm {
            kid: Shown::text(self.id().unwrap_or_default()),
            expected: names.join(", "),
            found,
        }
    }
}

/// `use` and `key_ops` (RFC 7517, sections 4.2 and 4.3).
fn check_purpose(jwk: &Object) -> Result<(), LeftOut> {
    match jwk.get("use") {
        None => {}
        Some(Value::String(text)) if text == "sig" => {}
        Some(other) => return Err(LeftOut::Use(Shown::value(other))),
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(list)) if list.iter().any(|operation| operation == "verify") => Ok(()),
        Some(other) => Err(LeftOut::Operations(Shown::value(other))),
    }
}

/// `alg` (RFC 7517, section 4.4), which some issuers leave out.
fn restriction(jwk: &Object) -> Result<Option<Algorithm>, LeftOut> {
    let Some(name) = text(jwk, "alg")? else {
        return Ok(None);
    };
    name.parse()
        .map(Some)
        .map_err(|_| LeftOut::Algorithm(Shown::text(name)))
}

type Parsed = (Vec<(Algorithm, ParsedPublicKey)>, usize);

fn rsa(jwk: &Object, restricted: Option<Algorithm>) -> Result<Parsed, LeftOut> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    let bits = n.len() * 8 - n[0].leading_zeros() as usize;
    if !(SMALLEST_RSA..=LARGEST_RSA).contains(&bits) {
        return Err(LeftOut::RsaSize(bits));
    }
    if e.len() > LONGEST_EXPONENT || is_even(&e) || e == [1] {
        return Err(LeftOut::Exponent);
    }
    if is_even(&n) {
        return Err(LeftOut::NoKey);
    }
    if roca::is_weak(&n) {
        return Err(LeftOut::Roca);
    }
    let length = n.len();
    let components = RsaPublicKeyComponents { n, e };
    let parsed = Algorithm::RSA
        .into_iter()
        .filter(|algorithm| restricted.is_none_or(|only| only == *algorithm))
        .filter_map(|algorithm| Some((algorithm, rsa_parameters(algorithm)?)))
        .map(|(algorithm, parameters)| {
            let key = components.to_parsed_public_key(parameters);
            key.map(|key| (algorithm, key)).map_err(|_| LeftOut::NoKey)
        })
        .collect::<Result<Vec<_>, _>>()?;
    match restricted {
        Some(alg) if parsed.is_empty() => Err(LeftOut::Misfit { alg }),
        _ => Ok((parsed, length)),
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn elliptic(jwk: &Object, restricted: Option<Algorithm>) -> Result<Parsed, LeftOut> {
    let curve = text(jwk, "crv")?.ok_or(missing("crv", "P-256, P-384 or P-521"))?;
    let (algorithm, length, verification): (_, _, &'static dyn VerificationAlgorithm) = match curve
    {
        "P-256" => (Algorithm::Es256, 32, &ECDSA_P256_SHA256_FIXED),
        "P-384" => (Algorithm::Es384, 48, &ECDSA_P384_SHA384_FIXED),
        "P-521" => (Algorithm::Es512, 66, &ECDSA_P521_SHA512_FIXED),
        other => return Err(LeftOut::Curve(Shown::text(other))),
    };
    // An uncompressed point (SEC 1, section 2.3.3). That it lies on the curve is checked when it is parsed.
    let mut point = vec![4];
    point.extend(coordinate(jwk, "x", length)?);
    point.extend(coordinate(jwk, "y", length)?);
    single(algorithm, verification, &point, length * 2, restricted)
}

fn edwards(jwk: &Object, restricted: Option<Algorithm>) -> Result<Parsed, LeftOut> {
    let curve = text(jwk, "crv")?.ok_or(missing("crv", "Ed25519"))?;
    if curve != "Ed25519" {
        return Err(LeftOut::Curve(Shown::text(curve)));
    }
    let point = coordinate(jwk, "x", 32)?;
    single(Algorithm::EdDsa, &ED25519, &point, 64, restricted)
}

fn single(
    algorithm: Algorithm,
    verification: &'static dyn VerificationAlgorithm,
    point: &[u8],
    signature_length: usize,
    restricted: Option<Algorithm>,
) -> Result<Parsed, LeftOut> {
    if let Some(alg) = restricted.filter(|only| *only != algorithm) {
        return Err(LeftOut::Misfit { alg });
    }
    let key = ParsedPublicKey::new(verification, point).map_err(|_| LeftOut::NoKey)?;
    Ok((vec![(algorithm, key)], signature_length))
}

/// A positive number in as few bytes as it needs (RFC 7518, section 2, Base64urlUInt).
fn number(jwk: &Object, member: &'static str) -> Result<Vec<u8>, LeftOut> {
    let expected = "a number in base64url without leading zeros";
    let bytes = member_bytes(jwk, member, expected)?;
    match bytes.first() {
        None | Some(0) => Err(LeftOut::Member {
            member,
            found: "empty or starts with a zero",
            expected,
        }),
        Some(_) => Ok(bytes),
    }
}

/// A coordinate in the full length of its field (RFC 7518, section 6.2.1.2; RFC 8037, section 2).
fn coordinate(jwk: &Object, member: &'static str, length: usize) -> Result<Vec<u8>, LeftOut> {
    let expected = "a coordinate in base64url, in the full length of its curve";
    let bytes = member_bytes(jwk, member, expected)?;
    if bytes.len() != length {
        return Err(LeftOut::Member {
            member,
            found: "of another length",
            expected,
        });
    }
    Ok(bytes)
}

fn member_bytes(
    jwk: &Object,
    member: &'static str,
    expected: &'static str,
) -> Result<Vec<u8>, LeftOut> {
    let text = text(jwk, member)?.ok_or(missing(member, expected))?;
    base64url::decode(text).ok_or(LeftOut::Member {
        member,
        found: "not base64url without padding",
        expected,
    })
}

fn is_even(number: &[u8]) -> bool {
    number.last().is_none_or(|byte| byte % 2 == 0)
}

fn text<'a>(jwk: &'a Object, member: &'static str) -> Result<Option<&'a str>, LeftOut> {
    match jwk.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(LeftOut::Member {
            member,
            found: kind(other),
            expected: "a text",
        }),
    }
}

fn missing(member: &'static str, expected: &'static str) -> LeftOut {
    LeftOut::Member {
        member,
        found: "missing",
        expected,
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<Algorithm> = self.algorithms().collect();
        f.debug_struct("VerifyingKey")
            .field("id", &self.id)
            .field("algorithms", &algorithms)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
