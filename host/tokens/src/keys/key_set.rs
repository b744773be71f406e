//! The keys of an issuer, as its JWKS document has them (RFC 7517, section 5), or its document of certificates.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::algorithm::Algorithm;
use crate::judge::refusal::Refusal;
use crate::keys::certificates::{self, NamedCertificate};
use crate::keys::key::{LeftOut, VerifyingKey};
use crate::shown::Shown;
use crate::token::header;
use crate::token::json;

/// The keys of one issuer that tokens may be signed with, and what was left out. It does not change; a newer document
/// makes a new one.
///
/// ```
/// use host_tokens::{KeySet, LeftOut};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = KeySet::read(br#"{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}"#)?;
/// assert!(keys.keys().is_empty());
/// assert_eq!(keys.left_out()[0].reason, LeftOut::Symmetric);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
    left_out: Vec<LeftOutKey>,
}

/// A key of the document that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOutKey {
    /// Its position in the document, counted from 0.
    pub position: usize,
    /// Its name, `kid`, if that could be read.
    pub kid: Option<Shown>,
    /// Why it is not used.
    pub reason: LeftOut,
}

/// Why a document is no key set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// More bytes than are read.
    #[error("the key set has {0} bytes; expected at most {LONGEST_DOCUMENT}")]
    TooLong(usize),
    /// Not what RFC 7517 describes.
    #[error(
        "the key set is not a JSON object with a list `keys` (line {line}, column {column}); check the address of the \
         keys"
    )]
    NotAKeySet {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// More keys than are read.
    #[error("the key set has {0} keys; expected at most {MOST_KEYS}")]
    TooMany(usize),
}

/// The longest document that is read, in bytes.
pub const LONGEST_DOCUMENT: usize = 256 * 1024;

/// The most keys in one document. The issuers known have 2 to 10.
const MOST_KEYS: usize = 128;

/// The most values in one key, its certificates counted.
const KEY_VALUES: usize = 50;

#[derive(Deserialize)]
struct Document<'a> {
    /// Each is read for itself, so that a malformed one does not spoil the others.
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl KeySet {
    /// Reads a JWKS document, or one of certificates by name as Google has them. Keys of unknown types and curves,
    /// malformed, weak, symmetric and private ones, and those that are not for signatures are left out. A set without any
    /// key is no error: its issuer has withdrawn what it had.
    ///
    /// # Errors
    /// If the document is too large, is no key set, or has too many keys.
    pub fn read(document: &[u8]) -> Result<Self, KeySetError> {
        if document.len() > LONGEST_DOCUMENT {
            return Err(KeySetError::TooLong(document.len()));
        }
        if let Some(certificates) = certificates::read(document) {
            return Self::of_certificates(certificates);
        }
        let parsed: Document =
            serde_json::from_slice(document).map_err(|error| KeySetError::NotAKeySet {
                line: error.line(),
                column: error.column(),
            })?;
        if parsed.keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany(parsed.keys.len()));
        }
        let mut set = Self {
            keys: Vec::new(),
            left_out: Vec::new(),
        };
        for (position, key) in parsed.keys.into_iter().enumerate() {
            set.add(position, key);
        }
        Ok(set)
    }

    fn of_certificates(certificates: Vec<NamedCertificate>) -> Result<Self, KeySetError> {
        if certificates.len() > MOST_KEYS {
            return Err(KeySetError::TooMany(certificates.len()));
        }
        let mut set = Self {
            keys: Vec::new(),
            left_out: Vec::new(),
        };
        for (position, certificate) in certificates.iter().enumerate() {
            let jwk = certificate.jwk().ok_or(LeftOut::Certificate);
            let read = jwk.and_then(|jwk| VerifyingKey::read(&jwk));
            set.put(position, Some(Shown::text(&certificate.name)), read);
        }
        Ok(set)
    }

    fn add(&mut self, position: usize, key: &RawValue) {
        let object = json::read_object(key.get().as_bytes(), KEY_VALUES);
        let kid = object.as_ref().ok().and_then(|object| object.get("kid"));
        let kid = kid.map(Shown::value);
        let read = object
            .as_ref()
            .map_err(|error| LeftOut::Json(error.clone()));
        self.put(position, kid, read.and_then(VerifyingKey::read));
    }

    fn put(&mut self, position: usize, kid: Option<Shown>, read: Result<VerifyingKey, LeftOut>) {
        match read {
            Ok(key) => self.keys.push(key),
            Err(reason) => self.left_out.push(LeftOutKey {
                position,
                kid,
                reason,
            }),
        }
    }

    /// The keys that are used.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The keys that are not.
    pub fn left_out(&self) -> &[LeftOutKey] {
        &self.left_out
    }

    /// The one key that a token with this header may be signed with.
    pub(crate) fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&VerifyingKey, Refusal> {
        match id {
            Some(id) => self.find_named(id, algorithm),
            None => self.find_unnamed(algorithm),
        }
    }

    fn find_named(&self, id: &str, algorithm: Algorithm) -> Result<&VerifyingKey, Refusal> {
        let mut named = self.keys.iter().filter(|key| key.id() == Some(id));
        match (named.next(), named.count()) {
            (Some(key), 0) if key.algorithms().any(|own| own == algorithm) => Ok(key),
            (Some(key), 0) => Err(key.misfit(algorithm)),
            (Some(_), others) => Err(Refusal::AmbiguousKey {
                kid: Shown::text(id),
                count: others + 1,
            }),
            // A name that no issuer would give is not worth a fetch.
            (None, _) if header::is_plausible_key_id(id) => {
                Err(Refusal::UnknownKey(Shown::text(id)))
            }
            (None, _) => Err(Refusal::KeyId(Shown::text(id))),
        }
    }

    fn find_unnamed(&self, algorithm: Algorithm) -> Result<&VerifyingKey, Refusal> {
        let fits = |key: &&VerifyingKey| key.algorithms().any(|own| own == algorithm);
        let mut fitting = self.keys.iter().filter(fits);
        match (fitting.next(), fitting.count()) {
            (Some(key), 0) => Ok(key),
            (Some(_), others) => Err(Refusal::SeveralKeys(others + 1)),
            (None, _) => Err(Refusal::NoKey(algorithm)),
        }
    }

    /// Why no token can be checked with it, if none can.
    pub fn problem(&self) -> Option<String> {
        self.keys.is_empty().then(|| {
            let reasons = self.reasons();
            format!("the key set has no key that a token may be signed with; left out: {reasons}")
        })
    }

    fn reasons(&self) -> String {
        let reasons: Vec<String> = self
            .left_out
            .iter()
            .take(3)
            .map(|key| format!("key {}, because {}", key.position + 1, key.reason))
            .collect();
        if reasons.is_empty() {
            "nothing, since it is empty".into()
        } else {
            reasons.join("; ")
        }
    }
}

#[cfg(test)]
mod tests;
