//! The signature itself: whose it is, over what, and in which form.

use serde_json::json;

use super::forge::{self, Signer, claims, claims_with, config, judge, keys, signer};
use crate::algorithm::Algorithm;
use crate::judge::refusal::Refusal;
use crate::shown::Shown;
use crate::token::base64url;
use crate::token::jws::Part;

/// The parts of a good token.
fn parts(algorithm: Algorithm) -> (String, Vec<u8>) {
    let signer = signer(algorithm);
    let token = signer.token(&signer.header(), &claims());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed.to_owned(), base64url::decode(signature).unwrap())
}

fn judge_signature(signed: &str, signature: &[u8]) -> Refusal {
    let token = format!("{signed}.{}", base64url::encode(signature));
    judge(config(), &token).unwrap_err()
}

#[test]
fn a_token_of_every_algorithm_is_accepted_with_the_right_key() {
    for algorithm in Algorithm::ALL {
        let signer = signer(algorithm);
        let token = signer.token(&signer.header(), &claims());
        let verified = judge(config(), &token).unwrap();
        assert_eq!(verified.algorithm, algorithm);
        assert_eq!(verified.key_id.as_deref(), Some(algorithm.name()));
        assert_eq!(verified.principal.subject, "subject-1");
        assert_eq!(verified.principal.issuer.as_str(), forge::ISSUER);
    }
}

#[test]
fn a_token_without_its_signature_is_refused() {
    for algorithm in Algorithm::ALL {
        let (signed, _) = parts(algorithm);
        let refusal = judge(config(), &format!("{signed}.")).unwrap_err();
        assert_eq!(refusal, Refusal::EmptyPart(Part::Signature));
    }
}

#[test]
fn a_public_key_is_no_secret_for_hmac_in_any_of_its_forms() {
    use aws_lc_rs::hmac;
    let rsa = signer(Algorithm::Rs256);
    let n = rsa.jwk["n"].as_str().unwrap();
    let forms = [
        rsa.jwk.to_string(),
        n.to_owned(),
        String::from_utf8_lossy(&base64url::decode(n).unwrap()).into_owned(),
        format!("-----BEGIN PUBLIC KEY-----\n{n}\n-----END PUBLIC KEY-----\n"),
    ];
    let algorithms = [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ];
    for (name, algorithm) in algorithms {
        for form in &forms {
            let header = json!({"alg": name, "kid": "RS256"}).to_string();
            let payload = claims().to_string();
            let signed = format!(
                "{}.{}",
                base64url::encode(header),
                base64url::encode(payload)
            );
            let tag = hmac::sign(
                &hmac::Key::new(algorithm, form.as_bytes()),
                signed.as_bytes(),
            );
            let refusal = judge_signature(&signed, tag.as_ref());
            assert_eq!(refusal, Refusal::Symmetric(Shown::text(name)));
        }
    }
}

#[test]
fn a_signature_of_another_key_is_refused() {
    for algorithm in Algorithm::ALL {
        let stranger = Signer::new(algorithm);
        let token = stranger.token(&stranger.header(), &claims());
        assert_eq!(
            judge(config(), &token).unwrap_err(),
            Refusal::Signature,
            "{algorithm}"
        );
    }
}

#[test]
fn a_token_that_was_changed_after_it_was_signed_is_refused() {
    for algorithm in Algorithm::ALL {
        let (signed, signature) = parts(algorithm);
        let (header, _) = signed.split_once('.').unwrap();
        let other = claims_with(&json!({"sub": "somebody-else"})).to_string();
        let changed = format!("{header}.{}", base64url::encode(other));
        assert_eq!(judge_signature(&changed, &signature), Refusal::Signature);
        for place in [0, signature.len() / 2, signature.len() - 1] {
            let mut signature = signature.clone();
            signature[place] ^= 1;
            assert_eq!(judge_signature(&signed, &signature), Refusal::Signature);
        }
    }
}

#[test]
fn ecdsa_signatures_with_a_zero_or_the_order_of_the_group_are_refused() {
    // SEC 2, sections 2.4.2, 2.5.1 and 2.6.1.
    let p256 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let p384 = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
                581a0db248b0a77aecec196accc52973";
    let p521 = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
    for (algorithm, order) in [
        (Algorithm::Es256, p256),
        (Algorithm::Es384, p384),
        (Algorithm::Es512, p521),
    ] {
        let (signed, signature) = parts(algorithm);
        let order = hex(order);
        let (r, s) = signature.split_at(order.len());
        let zero = vec![0; order.len()];
        let mut one = zero.clone();
        *one.last_mut().unwrap() = 1;
        let mut below = order.clone();
        *below.last_mut().unwrap() -= 1;
        let edges = [zero, one, below, order];
        for edge in &edges {
            for other in &edges {
                let signature = [edge.as_slice(), other].concat();
                assert_eq!(judge_signature(&signed, &signature), Refusal::Signature);
            }
            for signature in [[edge.as_slice(), s].concat(), [r, edge].concat()] {
                assert_eq!(judge_signature(&signed, &signature), Refusal::Signature);
            }
        }
    }
}

#[test]
fn signatures_of_another_length_or_form_are_refused_before_any_arithmetic() {
    for algorithm in Algorithm::ALL {
        let (signed, signature) = parts(algorithm);
        let length = signature.len();
        let cut = signature[..length - 1].to_vec();
        let headless = signature[1..].to_vec();
        let padded = [&[0], signature.as_slice()].concat();
        let longer = [signature.as_slice(), &[0]].concat();
        for other in [cut, headless, padded, longer, vec![1], der(&signature)] {
            let expected = Refusal::SignatureLength {
                expected: length,
                found: other.len(),
            };
            assert_eq!(judge_signature(&signed, &other), expected, "{algorithm}");
        }
    }
}

#[test]
fn an_ed25519_signature_whose_s_is_not_below_the_order_is_refused() {
    // RFC 8032, section 5.1: L = 2^252 + 27742317777372353535851937790883648493, here in little-endian.
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let (signed, mut signature) = parts(Algorithm::EdDsa);
    let mut carry = 0;
    for (digit, order) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*digit) + u16::from(order) + carry;
        *digit = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    // The same point: a reader that does not check S takes it for a second signature of the same token.
    assert_eq!(judge_signature(&signed, &signature), Refusal::Signature);
}

#[test]
fn an_rsa_signature_that_is_not_below_the_modulus_is_refused() {
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        let (signed, signature) = parts(algorithm);
        let n = base64url::decode(signer(algorithm).jwk["n"].as_str().unwrap()).unwrap();
        assert_eq!(judge_signature(&signed, &n), Refusal::Signature);
        // The signature plus the modulus is the same to a reader that only reduces; it fits its length now and then.
        if let Some(sum) = sum(&signature, &n) {
            assert_eq!(judge_signature(&signed, &sum), Refusal::Signature);
        }
        assert_eq!(judge_signature(&signed, &[0xff; 256]), Refusal::Signature);
    }
}

#[test]
fn a_token_is_not_accepted_with_the_keys_of_nobody() {
    let stranger = Signer::new(Algorithm::EdDsa);
    let token = stranger.token(&stranger.header(), &claims());
    let own = forge::key_set([&stranger.jwk]);
    let verifier = forge::verifier(config());
    assert!(verifier.verify(&token, &own, forge::at(forge::NOW)).is_ok());
    let refusal = verifier.verify(&token, keys(), forge::at(forge::NOW));
    assert_eq!(refusal.unwrap_err(), Refusal::Signature);
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// An ECDSA signature as X.509 has it, or anything else wrapped alike.
fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |number: &[u8]| [&[2, number.len().to_le_bytes()[0] + 1, 0], number].concat();
    let body = [integer(r), integer(s)].concat();
    [&[0x30, body.len().to_le_bytes()[0]], body.as_slice()].concat()
}

/// Big-endian, if the sum needs no more bytes.
fn sum(one: &[u8], other: &[u8]) -> Option<Vec<u8>> {
    let mut carry = 0;
    let mut digits = Vec::new();
    for (a, b) in one.iter().zip(other).rev() {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        digits.push(sum.to_le_bytes()[0]);
        carry = sum >> 8;
    }
    digits.reverse();
    (carry == 0).then_some(digits)
}
