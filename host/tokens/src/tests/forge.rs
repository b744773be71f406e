//! Keys of an issuer for tests, and tokens of any shape signed with them.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use crate::algorithm::Algorithm;
use crate::issuer::config::IssuerConfig;
use crate::judge::refusal::Refusal;
use crate::judge::verified::Verified;
use crate::judge::verifier::Verifier;
use crate::keys::key_set::KeySet;
use crate::token::base64url;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "https://host.example/hello";

/// The moment at which tests judge, in seconds since 1970.
pub(crate) const NOW: i64 = 1_700_000_000;

pub(crate) fn at(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs())
}

/// A private key and the JWK of its public half.
pub(crate) struct Signer {
    pub(crate) jwk: Value,
    pub(crate) algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    /// A new key with the name of its algorithm as its kid.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let (pair, mut jwk) = match algorithm {
            Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::Es512 => ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
            Algorithm::EdDsa => ed25519(),
            _ => rsa(KeySize::Rsa2048),
        };
        jwk["kid"] = algorithm.name().into();
        jwk["alg"] = algorithm.name().into();
        Self {
            jwk,
            algorithm,
            pair,
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let encoding = rsa_encoding(self.algorithm);
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token of these bytes, whatever they are.
    pub(crate) fn raw(&self, header: &[u8], payload: &[u8]) -> String {
        let signed = format!(
            "{}.{}",
            base64url::encode(header),
            base64url::encode(payload)
        );
        let signature = base64url::encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        self.raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": self.algorithm.name(), "kid": self.jwk["kid"], "typ": "JWT"})
    }
}

fn rsa(size: KeySize) -> (Pair, Value) {
    let pair = RsaKeyPair::generate(size).unwrap();
    let components = RsaPublicKeyComponents::from(pair.public_key());
    let (n, e) = (
        base64url::encode(components.n),
        base64url::encode(components.e),
    );
    (Pair::Rsa(pair), json!({"kty": "RSA", "n": n, "e": e}))
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, curve: &str) -> (Pair, Value) {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(point.len() / 2);
    let (x, y) = (base64url::encode(x), base64url::encode(y));
    (
        Pair::Ecdsa(pair),
        json!({"kty": "EC", "crv": curve, "x": x, "y": y}),
    )
}

fn ed25519() -> (Pair, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = base64url::encode(pair.public_key());
    (
        Pair::Ed25519(pair),
        json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
    )
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Ps384 => &RSA_PSS_SHA384,
        _ => &RSA_PSS_SHA512,
    }
}

static SIGNERS: LazyLock<Vec<Signer>> =
    LazyLock::new(|| Algorithm::ALL.into_iter().map(Signer::new).collect());

/// The issuer's key for `algorithm`.
pub(crate) fn signer(algorithm: Algorithm) -> &'static Signer {
    let mut signers = SIGNERS.iter();
    signers
        .find(|signer| signer.algorithm == algorithm)
        .unwrap()
}

/// The issuer's key set: a key for each algorithm, by the algorithm's name.
pub(crate) fn keys() -> &'static KeySet {
    static KEYS: LazyLock<KeySet> = LazyLock::new(|| key_set(SIGNERS.iter().map(|own| &own.jwk)));
    &KEYS
}

pub(crate) fn key_set<'a>(jwks: impl IntoIterator<Item = &'a Value>) -> KeySet {
    let jwks: Vec<&Value> = jwks.into_iter().collect();
    KeySet::read(json!({ "keys": jwks }).to_string().as_bytes()).unwrap()
}

/// An issuer that may sign with everything.
pub(crate) fn config() -> IssuerConfig {
    IssuerConfig::new(ISSUER.parse().unwrap(), Algorithm::ALL)
}

pub(crate) fn verifier(config: IssuerConfig) -> Verifier {
    Verifier::new(config, [AUDIENCE.to_owned()])
}

/// Claims that are good at [`NOW`].
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "subject-1",
        "iat": NOW - 10,
        "nbf": NOW - 10,
        "exp": NOW + 600,
    })
}

/// Good claims but for these.
pub(crate) fn claims_with(changes: &Value) -> Value {
    changed(claims(), changes)
}

/// `object` with the members of `changes`; a member that is null there is taken out.
pub(crate) fn changed(mut object: Value, changes: &Value) -> Value {
    let members = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    object
}

/// A token with these claims, signed with the issuer's ES256 key.
pub(crate) fn token(claims: &Value) -> String {
    let signer = signer(Algorithm::Es256);
    signer.token(&signer.header(), claims)
}

/// The verdict on a token, at [`NOW`], with all keys of the issuer.
pub(crate) fn judge(config: IssuerConfig, token: &str) -> Result<Verified, Refusal> {
    verifier(config).verify(token, keys(), at(NOW))
}

/// The verdict on good claims but for these.
pub(crate) fn judge_claims(changes: &Value) -> Result<Verified, Refusal> {
    judge(config(), &token(&claims_with(changes)))
}

/// The claim that is malformed.
pub(crate) fn malformed(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Malformed { claim, .. } => claim,
        other => panic!("{other}"),
    }
}
