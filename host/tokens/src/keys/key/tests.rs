//! What a key must be like to be used.

use serde_json::json;

use super::*;
use crate::tests::forge::{changed, signer};

fn read(jwk: &Value) -> Result<VerifyingKey, LeftOut> {
    VerifyingKey::read(jwk.as_object().unwrap())
}

/// Why the key for `algorithm` is left out with these changes.
fn left_out(algorithm: Algorithm, changes: &Value) -> LeftOut {
    read(&changed(signer(algorithm).jwk.clone(), changes)).unwrap_err()
}

fn algorithms(jwk: &Value) -> Vec<Algorithm> {
    read(jwk).unwrap().algorithms().collect()
}

#[test]
fn a_key_is_for_its_alg_or_for_all_that_its_type_and_curve_allow() {
    for algorithm in Algorithm::ALL {
        let jwk = &signer(algorithm).jwk;
        assert_eq!(algorithms(jwk), [algorithm]);
        let without = algorithms(&changed(jwk.clone(), &json!({"alg": null})));
        if Algorithm::RSA.contains(&algorithm) {
            assert_eq!(without, Algorithm::RSA);
        } else {
            assert_eq!(without, [algorithm]);
        }
    }
}

#[test]
fn a_key_for_another_use_is_left_out() {
    for value in [
        json!("enc"),
        json!("SIG"),
        json!(""),
        json!(["sig"]),
        json!(7),
    ] {
        let reason = left_out(Algorithm::Es256, &json!({"use": value}));
        assert_eq!(reason, LeftOut::Use(Shown::value(&value)));
    }
    for value in [
        json!(["sign"]),
        json!([]),
        json!("verify"),
        json!(["encrypt", "wrapKey"]),
    ] {
        let reason = left_out(Algorithm::Es256, &json!({"key_ops": value}));
        assert_eq!(reason, LeftOut::Operations(Shown::value(&value)));
    }
    let jwk = signer(Algorithm::Es256).jwk.clone();
    let usable = changed(jwk, &json!({"use": "sig", "key_ops": ["verify"]}));
    assert!(read(&usable).is_ok());
}

#[test]
fn a_key_whose_alg_does_not_fit_it_is_left_out() {
    for (algorithm, alg) in [
        (Algorithm::Rs256, Algorithm::Es256),
        (Algorithm::Es256, Algorithm::Rs256),
        (Algorithm::Es256, Algorithm::Es384),
        (Algorithm::Es512, Algorithm::Es256),
        (Algorithm::EdDsa, Algorithm::Es256),
        (Algorithm::Es256, Algorithm::EdDsa),
    ] {
        let reason = left_out(algorithm, &json!({"alg": alg.name()}));
        assert_eq!(reason, LeftOut::Misfit { alg });
    }
    for alg in ["HS256", "none", "RSA-OAEP", "ECDH-ES", "ES256K", ""] {
        let reason = left_out(Algorithm::Rs256, &json!({"alg": alg}));
        assert_eq!(reason, LeftOut::Algorithm(Shown::text(alg)));
    }
}

#[test]
fn a_curve_that_is_not_of_the_type_is_left_out() {
    for (algorithm, curve) in [
        (Algorithm::Es256, "secp256k1"),
        (Algorithm::Es256, "Ed25519"),
        (Algorithm::Es256, "p-256"),
        (Algorithm::EdDsa, "P-256"),
        (Algorithm::EdDsa, "X25519"),
        (Algorithm::EdDsa, "Ed448"),
    ] {
        let reason = left_out(algorithm, &json!({"crv": curve}));
        assert_eq!(reason, LeftOut::Curve(Shown::text(curve)));
    }
    let reason = left_out(Algorithm::Es256, &json!({"crv": null}));
    assert!(
        matches!(reason, LeftOut::Member { member: "crv", .. }),
        "{reason}"
    );
    // A point of one curve, named another.
    let reason = left_out(Algorithm::Es256, &json!({"crv": "P-384", "alg": null}));
    assert!(
        matches!(reason, LeftOut::Member { member: "x", .. }),
        "{reason}"
    );
}

#[test]
fn a_point_off_its_curve_is_left_out() {
    let jwk = &signer(Algorithm::Es256).jwk;
    for changes in [
        json!({"x": jwk["y"], "y": jwk["x"]}),
        json!({"x": base64url::encode([0; 32]), "y": base64url::encode([0; 32])}),
        json!({"y": base64url::encode([0xff; 32])}),
    ] {
        assert_eq!(left_out(Algorithm::Es256, &changes), LeftOut::NoKey);
    }
}

#[test]
fn a_coordinate_has_the_full_length_of_its_field() {
    for (algorithm, length) in [
        (Algorithm::Es256, 32),
        (Algorithm::Es384, 48),
        (Algorithm::Es512, 66),
        (Algorithm::EdDsa, 32),
    ] {
        for other in [0, 1, length - 1, length + 1] {
            let changes = json!({"x": base64url::encode(vec![1; other])});
            let reason = left_out(algorithm, &changes);
            let expected = LeftOut::Member {
                member: "x",
                found: "of another length",
                expected: "a coordinate in base64url, in the full length of its curve",
            };
            assert_eq!(reason, expected);
        }
    }
}

#[test]
fn an_rsa_key_has_2048_to_8192_bits() {
    let of_bits = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] = 0xff >> (n.len() * 8 - bits);
        json!({"kty": "RSA", "n": base64url::encode(n), "e": "AQAB"})
    };
    for bits in [512, 1024, 2040, 2047, 8193, 16_384] {
        assert_eq!(read(&of_bits(bits)).unwrap_err(), LeftOut::RsaSize(bits));
    }
    for bits in [2048, 3072, 4096, 8192] {
        assert!(read(&of_bits(bits)).is_ok(), "{bits}");
    }
}

#[test]
fn an_rsa_exponent_is_odd_more_than_one_and_not_large() {
    for e in [
        vec![1],
        vec![2],
        vec![1, 0, 0],
        vec![1, 0, 0, 0, 0, 1],
        vec![0xff; 256],
    ] {
        let reason = left_out(Algorithm::Rs256, &json!({"e": base64url::encode(&e)}));
        assert_eq!(reason, LeftOut::Exponent, "{e:?}");
    }
    let three = changed(signer(Algorithm::Rs256).jwk.clone(), &json!({"e": "Aw"}));
    assert!(read(&three).is_ok());
}

#[test]
fn an_even_modulus_makes_no_key() {
    let mut n = vec![0xff; 256];
    n[255] = 0xfe;
    let reason = left_out(Algorithm::Rs256, &json!({"n": base64url::encode(n)}));
    assert_eq!(reason, LeftOut::NoKey);
}

#[test]
fn numbers_are_base64url_in_its_one_form_and_without_leading_zeros() {
    let n = signer(Algorithm::Rs256).jwk["n"]
        .as_str()
        .unwrap()
        .to_owned();
    let bytes = base64url::decode(&n).unwrap();
    let zero_led = base64url::encode([&[0], bytes.as_slice()].concat());
    for (member, value) in [
        ("n", json!(zero_led)),
        ("n", json!(format!("{n}="))),
        ("n", json!("")),
        ("n", json!(7)),
        ("n", json!(null)),
        ("e", json!("AAEAAQ")),
        ("e", json!("AQAB=")),
        ("e", json!(65537)),
        ("e", json!(null)),
    ] {
        let reason = left_out(Algorithm::Rs256, &json!({member: value}));
        let LeftOut::Member { member: found, .. } = reason else {
            panic!("{reason}");
        };
        assert_eq!(found, member);
    }
}

#[test]
fn symmetric_private_and_unknown_keys_are_left_out() {
    let symmetric = json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"});
    assert_eq!(read(&symmetric).unwrap_err(), LeftOut::Symmetric);
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let reason = left_out(Algorithm::Rs256, &json!({member: "AQAB"}));
        assert_eq!(reason, LeftOut::Private(member));
    }
    for key_type in ["AKP", "rsa", "", "EC2"] {
        let unknown = json!({"kty": key_type, "pub": "AAAA"});
        assert_eq!(
            read(&unknown).unwrap_err(),
            LeftOut::KeyType(Shown::text(key_type))
        );
    }
    let post_quantum = json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"});
    assert_eq!(
        read(&post_quantum).unwrap_err(),
        LeftOut::Algorithm(Shown::text("ML-DSA-44"))
    );
    let reason = read(&json!({"kid": "a"})).unwrap_err();
    assert!(
        matches!(reason, LeftOut::Member { member: "kty", .. }),
        "{reason}"
    );
}

#[test]
fn a_name_that_is_no_text_leaves_the_key_out() {
    let reason = left_out(Algorithm::Es256, &json!({"kid": 7}));
    assert!(
        matches!(reason, LeftOut::Member { member: "kid", .. }),
        "{reason}"
    );
}
