//! The public half of a signing key: its JWK and its name.

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::signature::{
    EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use crate::signing::key::SigningAlgorithm;
use crate::token::base64url;

/// The public half of a signing key, as a key set has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    algorithm: SigningAlgorithm,
    /// The members that make the key, in the order of their names, as its thumbprint needs them.
    members: Vec<(&'static str, String)>,
    id: String,
}

impl PublicJwk {
    pub(crate) fn rsa(pair: &RsaKeyPair) -> Self {
        let components = RsaPublicKeyComponents::from(pair.public_key());
        Self::new(
            SigningAlgorithm::Rs256,
            vec![
                ("e", base64url::encode(components.e)),
                ("kty", "RSA".into()),
                ("n", base64url::encode(components.n)),
            ],
        )
    }

    /// The library gives an uncompressed point: a four, then both coordinates in full length (SEC 1, section 2.3.3).
    pub(crate) fn p256(pair: &EcdsaKeyPair) -> Self {
        let point = pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        Self::new(
            SigningAlgorithm::Es256,
            vec![
                ("crv", "P-256".into()),
                ("kty", "EC".into()),
                ("x", base64url::encode(x)),
                ("y", base64url::encode(y)),
            ],
        )
    }

    pub(crate) fn ed25519(pair: &Ed25519KeyPair) -> Self {
        Self::new(
            SigningAlgorithm::EdDsa,
            vec![
                ("crv", "Ed25519".into()),
                ("kty", "OKP".into()),
                ("x", base64url::encode(pair.public_key())),
            ],
        )
    }

    fn new(algorithm: SigningAlgorithm, members: Vec<(&'static str, String)>) -> Self {
        Self {
            algorithm,
            id: thumbprint(&members),
            members,
        }
    }

    /// Its name, `kid`: its thumbprint (RFC 7638), so that the same key always has the same name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it verifies.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// As a member of a key set.
    pub fn to_json(&self) -> Value {
        let mut jwk =
            json!({"kid": self.id, "use": "sig", "alg": self.algorithm.algorithm().name()});
        for (name, value) in &self.members {
            jwk[*name] = Value::from(value.as_str());
        }
        jwk
    }
}

/// RFC 7638, section 3: SHA-256 over the members that make the key, in the order of their names, without white space.
fn thumbprint(members: &[(&'static str, String)]) -> String {
    let quoted: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    let canonical = format!("{{{}}}", quoted.join(","));
    base64url::encode(digest::digest(&SHA256, canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprints_are_those_of_rfc_7638_and_rfc_8037() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK\
                 RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSq\
                 zs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-\
                 G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = [("e", "AQAB".into()), ("kty", "RSA".into()), ("n", n.into())];
        assert_eq!(
            thumbprint(&rsa),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        let okp = [
            ("crv", "Ed25519".into()),
            ("kty", "OKP".into()),
            ("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()),
        ];
        assert_eq!(
            thumbprint(&okp),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
