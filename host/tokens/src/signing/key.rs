//! A private key of an issuer of one's own.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::signing::public_jwk::PublicJwk;

/// An algorithm to sign tokens with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// RS256 with a key of 2048 bits: the one that every verifier knows (OpenID Connect Core, section 15.1).
    #[default]
    Rs256,
    /// ES256.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
}

/// A key that signs tokens, with its public half.
///
/// ```
/// use host_tokens::{SigningAlgorithm, SigningKey, SigningKeyError};
///
/// # fn main() -> Result<(), SigningKeyError> {
/// let key = SigningKey::generate(SigningAlgorithm::EdDsa)?;
///
/// // Store it where only its owner can read it. It is the same key when it is read again.
/// let stored = key.to_pkcs8()?;
/// let again = SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, stored.as_bytes())?;
/// assert_eq!(again.public(), key.public());
///
/// // A key is read only for the algorithm that it was made for.
/// let wrong = SigningKey::from_pkcs8(SigningAlgorithm::Es256, stored.as_bytes());
/// assert_eq!(wrong.err(), Some(SigningKeyError::Read(SigningAlgorithm::Es256)));
/// # Ok(())
/// # }
/// ```
pub struct SigningKey {
    pair: Pair,
    public: PublicJwk,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A private key in PKCS#8, to be stored where only its owner can read it. It is not shown, and wiped when dropped.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// The library made none.
    #[error("no {0} key could be made; the system's source of randomness may be missing")]
    Generate(SigningAlgorithm),
    /// The bytes are no such key.
    #[error("the stored key is no {0} key in PKCS#8; remove it, and a new one will be made")]
    Read(SigningAlgorithm),
    /// The library did not sign.
    #[error("a token could not be signed with the {0} key")]
    Sign(SigningAlgorithm),
}

impl SigningAlgorithm {
    /// As a token names it.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::Rs256,
            Self::Es256 => Algorithm::Es256,
            Self::EdDsa => Algorithm::EdDsa,
        }
    }
}

impl SigningKey {
    /// Makes a key.
    ///
    /// # Errors
    /// If the library cannot.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, SigningKeyError> {
        let failed = |_| SigningKeyError::Generate(algorithm);
        let pair = match algorithm {
            SigningAlgorithm::Rs256 => {
                Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?)
            }
            SigningAlgorithm::Es256 => Pair::Ecdsa(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?,
            ),
            SigningAlgorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
        };
        Ok(Self::new(pair))
    }

    /// Reads a key that was stored.
    ///
    /// # Errors
    /// If the bytes are no key for this algorithm.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, bytes: &[u8]) -> Result<Self, SigningKeyError> {
        let failed = |_| SigningKeyError::Read(algorithm);
        let pair = match algorithm {
            SigningAlgorithm::Rs256 => Pair::Rsa(RsaKeyPair::from_pkcs8(bytes).map_err(failed)?),
            SigningAlgorithm::Es256 => Pair::Ecdsa(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes)
                    .map_err(failed)?,
            ),
            SigningAlgorithm::EdDsa => {
                Pair::Ed25519(Ed25519KeyPair::from_pkcs8(bytes).map_err(failed)?)
            }
        };
        Ok(Self::new(pair))
    }

    /// The key, to be stored.
    ///
    /// # Errors
    /// If the library cannot write it.
    pub fn to_pkcs8(&self) -> Result<Pkcs8, SigningKeyError> {
        let failed = |_| SigningKeyError::Generate(self.algorithm());
        let bytes = match &self.pair {
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
        };
        Ok(Pkcs8(bytes.into()))
    }

    fn new(pair: Pair) -> Self {
        let public = match &pair {
            Pair::Rsa(pair) => PublicJwk::rsa(pair),
            Pair::Ecdsa(pair) => PublicJwk::p256(pair),
            Pair::Ed25519(pair) => PublicJwk::ed25519(pair),
        };
        Self { pair, public }
    }

    /// What it signs with.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.public.algorithm()
    }

    /// Its public half.
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let failed = |_| SigningKeyError::Sign(self.algorithm());
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(failed)?;
                Ok(signature)
            }
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl Pkcs8 {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8(…)")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.public.id())
            .field("algorithm", &self.public.algorithm())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.algorithm().name())
    }
}

impl FromStr for SigningAlgorithm {
    type Err = SigningAlgorithmError;

    fn from_str(text: &str) -> Result<Self, SigningAlgorithmError> {
        [Self::Rs256, Self::Es256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.algorithm().name() == text)
            .ok_or_else(|| SigningAlgorithmError(text.to_owned()))
    }
}

/// A text that does not name an algorithm to sign with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host's own issuer does not sign with {0:?}; expected RS256, ES256 or EdDSA")]
pub struct SigningAlgorithmError(String);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::keys::key_set::KeySet;
    use crate::token::base64url;

    const ALL: [SigningAlgorithm; 3] = [
        SigningAlgorithm::Rs256,
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
    ];

    #[test]
    fn a_key_is_the_same_after_it_was_stored() {
        for algorithm in ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let stored = key.to_pkcs8().unwrap();
            let again = SigningKey::from_pkcs8(algorithm, stored.as_bytes()).unwrap();
            assert_eq!(again.public(), key.public());
            assert_eq!(again.algorithm(), algorithm);
        }
    }

    #[test]
    fn a_key_of_another_algorithm_or_a_damaged_one_is_not_read() {
        for algorithm in ALL {
            let key = SigningKey::generate(algorithm).unwrap().to_pkcs8().unwrap();
            for other in ALL.into_iter().filter(|other| *other != algorithm) {
                let error = SigningKey::from_pkcs8(other, key.as_bytes()).unwrap_err();
                assert_eq!(error, SigningKeyError::Read(other));
            }
            let cut = &key.as_bytes()[..key.as_bytes().len() - 1];
            assert!(SigningKey::from_pkcs8(algorithm, cut).is_err());
        }
    }

    #[test]
    fn a_signature_is_good_for_the_published_key_and_two_keys_differ() {
        for algorithm in ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let set = json!({"keys": [key.public().to_json()]}).to_string();
            let set = KeySet::read(set.as_bytes()).unwrap();
            let published = &set.keys()[0];
            assert_eq!(published.id(), Some(key.public().id()));
            assert!(published.algorithms().eq([algorithm.algorithm()]));
            let signature = key.sign(b"message").unwrap();
            let verify = |message| published.verify(algorithm.algorithm(), message, &signature);
            assert_eq!(verify(b"message"), Ok(()));
            assert!(verify(b"massage").is_err());
            let other = SigningKey::generate(algorithm).unwrap();
            assert_ne!(other.public().id(), key.public().id());
        }
    }

    #[test]
    fn rsa_keys_have_2048_bits_and_the_usual_exponent() {
        let key = SigningKey::generate(SigningAlgorithm::default()).unwrap();
        let jwk = key.public().to_json();
        assert_eq!(jwk["e"], "AQAB");
        assert_eq!(
            base64url::decode(jwk["n"].as_str().unwrap()).unwrap().len(),
            256
        );
    }

    #[test]
    fn neither_a_key_nor_its_bytes_are_shown() {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let stored = key.to_pkcs8().unwrap();
        assert_eq!(format!("{stored:?}"), "Pkcs8(…)");
        assert!(!format!("{key:?}").contains("pair"));
    }
}
