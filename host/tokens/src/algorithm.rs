//! The signature algorithms that a token may name: a closed list, all of them asymmetric.

use std::fmt;
use std::str::FromStr;

/// A signature algorithm of JWS (RFC 7518, section 3.1; RFC 8037, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// EdDSA on Ed25519, which goes by `Ed25519` as well (RFC 9864, section 2.2); Ed448 is not supported.
    EdDsa,
}

/// The name of EdDSA that says which curve it is on. Keys of no other curve are taken, so both names mean the same.
const ED25519: &str = "Ed25519";

/// A text that does not name a supported algorithm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a supported signature algorithm; expected RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or \
     EdDSA (or Ed25519)"
)]
pub struct AlgorithmError;

impl Algorithm {
    /// All that are supported.
    pub const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
    ];

    /// Those of RSA keys.
    pub(crate) const RSA: [Self; 6] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
    ];

    /// Its name in the header of a token.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    /// Names are case-sensitive (RFC 7515, section 4.1.1).
    fn from_str(text: &str) -> Result<Self, AlgorithmError> {
        if text == ED25519 {
            return Ok(Self::EdDsa);
        }
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or(AlgorithmError)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_read_by_its_name_and_by_no_other_spelling() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
            let lower = algorithm.name().to_ascii_lowercase();
            assert_eq!(lower.parse::<Algorithm>(), Err(AlgorithmError));
        }
    }

    #[test]
    fn eddsa_goes_by_the_name_of_its_curve_as_well_and_by_that_of_no_other() {
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDsa));
        for other in ["Ed448", "ed25519", "Ed25519ph", "X25519"] {
            assert_eq!(other.parse::<Algorithm>(), Err(AlgorithmError), "{other}");
        }
    }

    #[test]
    fn nothing_symmetric_and_nothing_unsigned_is_an_algorithm() {
        for text in ["none", "HS256", "HS384", "HS512", "", "ES256K", "RSA-OAEP"] {
            assert_eq!(text.parse::<Algorithm>(), Err(AlgorithmError), "{text}");
        }
    }
}
