//! What the header of a token may say, and which key it may name.

use serde_json::{Value, json};

use super::forge::{self, Signer, changed, claims, config, judge, signer};
use crate::algorithm::Algorithm;
use crate::judge::refusal::Refusal;
use crate::judge::verified::Verified;
use crate::shown::Shown;
use crate::token::base64url;
use crate::token::jws::Part;

/// The verdict on a token with a good signature of the issuer's ES256 key and this header.
fn judge_header(changes: &Value) -> Result<Verified, Refusal> {
    let signer = signer(Algorithm::Es256);
    let header = changed(signer.header(), changes);
    judge(config(), &signer.token(&header, &claims()))
}

#[test]
fn a_token_that_says_it_is_not_signed_is_refused_in_any_spelling() {
    for name in ["none", "None", "NONE", "nOnE", "", " "] {
        let expected = Refusal::Unsigned(Shown::text(name));
        assert_eq!(judge_header(&json!({"alg": name})).unwrap_err(), expected);
        // As attackers send it: without a signature, or with anything in its place.
        let header = base64url::encode(json!({"alg": name}).to_string());
        let payload = base64url::encode(claims().to_string());
        let bare = judge(config(), &format!("{header}.{payload}."));
        assert_eq!(bare.unwrap_err(), Refusal::EmptyPart(Part::Signature));
        let filled = judge(config(), &format!("{header}.{payload}.AAAA"));
        assert_eq!(filled.unwrap_err(), expected);
    }
}

#[test]
fn an_alg_that_is_missing_or_no_text_is_refused() {
    for (value, found) in [
        (json!(null), "missing"),
        (json!(256), "a number"),
        (json!(["ES256"]), "a list"),
        (json!(true), "a boolean"),
    ] {
        let expected = Refusal::HeaderMember { name: "alg", found };
        assert_eq!(judge_header(&json!({"alg": value})).unwrap_err(), expected);
    }
}

#[test]
fn an_algorithm_that_the_issuer_may_not_use_is_refused_though_the_signature_is_good() {
    for algorithm in Algorithm::ALL {
        let mut config = config();
        config.algorithms.retain(|own| *own != algorithm);
        let signer = signer(algorithm);
        let refusal = judge(config, &signer.token(&signer.header(), &claims())).unwrap_err();
        let Refusal::AlgorithmNotAllowed { found, .. } = refusal else {
            panic!("{refusal}");
        };
        assert_eq!(found, algorithm);
    }
}

#[test]
fn an_algorithm_other_than_the_keys_is_refused_though_the_key_could() {
    // One RSA key, published for RS256: PS256 with it is as good a signature, and not what it was published for.
    let rs256 = signer(Algorithm::Rs256);
    let header = json!({"alg": "PS256", "kid": "RS256"});
    let refusal = judge(config(), &rs256.token(&header, &claims())).unwrap_err();
    let expected = Refusal::KeyAlgorithm {
        kid: Shown::text("RS256"),
        expected: "RS256".into(),
        found: Algorithm::Ps256,
    };
    assert_eq!(refusal, expected);
    for (header, key) in [("ES256", "RS256"), ("RS256", "ES256"), ("ES384", "ES256")] {
        let refusal = judge_header(&json!({"alg": header, "kid": key})).unwrap_err();
        assert!(matches!(refusal, Refusal::KeyAlgorithm { .. }), "{refusal}");
    }
}

#[test]
fn a_key_without_alg_is_good_for_what_its_type_and_curve_allow() {
    for algorithm in Algorithm::ALL {
        let signer = signer(algorithm);
        let set = forge::key_set([&changed(signer.jwk.clone(), &json!({"alg": null}))]);
        let token = signer.token(&signer.header(), &claims());
        let verdict = forge::verifier(config()).verify(&token, &set, forge::at(forge::NOW));
        assert!(verdict.is_ok(), "{algorithm}: {verdict:?}");
    }
}

#[test]
fn keys_that_a_token_brings_along_are_not_used() {
    let stranger = Signer::new(Algorithm::Es256);
    for member in [
        json!({"jwk": stranger.jwk}),
        json!({"jku": "https://evil.example/keys"}),
        json!({"x5u": "https://evil.example/chain.pem"}),
        json!({"x5c": ["MIIB"]}),
        json!({"x5t": "AAAA", "x5t#S256": "AAAA"}),
    ] {
        let header = changed(stranger.header(), &member);
        let refusal = judge(config(), &stranger.token(&header, &claims())).unwrap_err();
        assert_eq!(refusal, Refusal::Signature, "{member}");
        // With the issuer's own signature they are passed over.
        assert!(judge_header(&member).is_ok(), "{member}");
    }
    let header = json!({"alg": "ES256", "kid": "unheard-of", "jwk": stranger.jwk});
    let refusal = judge(config(), &stranger.token(&header, &claims())).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownKey(Shown::text("unheard-of")));
}

#[test]
fn a_header_member_of_the_wrong_type_is_refused_also_where_it_is_not_used() {
    for (name, value, found) in [
        ("jwk", json!("key"), "a text"),
        ("jwk", json!([]), "a list"),
        ("jku", json!(["https://evil.example/keys"]), "a list"),
        ("x5u", json!(7), "a number"),
        ("x5c", json!("MIIB"), "a text"),
        ("x5c", json!([7]), "a list"),
        ("x5t", json!({}), "an object"),
        ("cty", json!(["JWT"]), "a list"),
    ] {
        let refusal = judge_header(&json!({name: value})).unwrap_err();
        assert_eq!(refusal, Refusal::HeaderMember { name, found });
    }
}

#[test]
fn a_header_that_asks_for_more_than_a_signature_is_refused_though_the_signature_is_good() {
    for (member, what) in [
        (json!({"crit": ["x"], "x": 1}), "critical extensions (crit)"),
        (json!({"crit": []}), "critical extensions (crit)"),
        (
            json!({"crit": ["exp"], "exp": 1}),
            "critical extensions (crit)",
        ),
        (json!({"crit": "x"}), "critical extensions (crit)"),
        (
            json!({"b64": false, "crit": ["b64"]}),
            "critical extensions (crit)",
        ),
        (json!({"b64": false}), "a payload that is not encoded (b64)"),
        (json!({"b64": true}), "a payload that is not encoded (b64)"),
        (json!({"zip": "DEF"}), "compression (zip)"),
        (json!({"enc": "A256GCM"}), "encryption (enc)"),
    ] {
        let refusal = judge_header(&member).unwrap_err();
        assert_eq!(refusal, Refusal::HeaderExtension(what), "{member}");
    }
}

#[test]
fn a_token_within_a_token_is_refused() {
    for content in ["JWT", "jwt", "application/jwt", "at+JWT"] {
        let refusal = judge_header(&json!({"cty": content})).unwrap_err();
        assert_eq!(refusal, Refusal::Nested(Shown::text(content)));
    }
    assert!(judge_header(&json!({"cty": "json"})).is_ok());
}

#[test]
fn the_type_may_be_absent_or_jwt() {
    for kind in [
        json!(null),
        json!("JWT"),
        json!("jwt"),
        json!("application/jwt"),
    ] {
        assert!(judge_header(&json!({"typ": kind})).is_ok(), "{kind}");
    }
}

#[test]
fn access_tokens_are_accepted_only_where_the_issuers_settings_allow_them() {
    let signer = signer(Algorithm::Es256);
    for kind in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        let header = changed(signer.header(), &json!({"typ": kind}));
        let token = signer.token(&header, &claims());
        let refusal = judge(config(), &token).unwrap_err();
        let expected = Refusal::TokenType {
            found: Shown::text(kind),
            expected: "JWT or none",
        };
        assert_eq!(refusal, expected);
        assert!(judge(config().with_access_tokens(true), &token).is_ok());
    }
}

#[test]
fn tokens_for_other_ends_are_refused_by_their_type() {
    for kind in [
        "logout+jwt",
        "dpop+jwt",
        "kb+jwt",
        "secevent+jwt",
        "JOSE",
        "",
        "id_token+jwt",
    ] {
        for access_tokens in [false, true] {
            let config = config().with_access_tokens(access_tokens);
            let signer = signer(Algorithm::Es256);
            let header = changed(signer.header(), &json!({"typ": kind}));
            let refusal = judge(config, &signer.token(&header, &claims())).unwrap_err();
            assert!(
                matches!(refusal, Refusal::TokenType { .. }),
                "{kind}: {refusal}"
            );
        }
    }
    let refusal = judge_header(&json!({"typ": ["JWT"]})).unwrap_err();
    let expected = Refusal::HeaderMember {
        name: "typ",
        found: "a list",
    };
    assert_eq!(refusal, expected);
}

#[test]
fn a_token_without_kid_is_accepted_if_exactly_one_key_could_be_meant() {
    let signer = signer(Algorithm::Es256);
    let header = json!({"alg": "ES256"});
    let token = signer.token(&header, &claims());
    // The other keys of the set are for other algorithms.
    assert!(judge(config(), &token).is_ok());

    let other = changed(Signer::new(Algorithm::Es256).jwk, &json!({"kid": "other"}));
    let set = forge::key_set([&signer.jwk, &other]);
    let judge = |set| forge::verifier(config()).verify(&token, set, forge::at(forge::NOW));
    assert_eq!(judge(&set).unwrap_err(), Refusal::SeveralKeys(2));
    let set = forge::key_set([&forge::signer(Algorithm::Rs256).jwk]);
    assert_eq!(judge(&set).unwrap_err(), Refusal::NoKey(Algorithm::Es256));
}

#[test]
fn two_keys_by_the_same_name_are_refused_though_one_of_them_fits() {
    let signer = signer(Algorithm::Es256);
    let token = signer.token(&signer.header(), &claims());
    for other in [Algorithm::Es256, Algorithm::EdDsa] {
        let other = changed(Signer::new(other).jwk, &json!({"kid": "ES256"}));
        let set = forge::key_set([&signer.jwk, &other]);
        let refusal = forge::verifier(config()).verify(&token, &set, forge::at(forge::NOW));
        let expected = Refusal::AmbiguousKey {
            kid: Shown::text("ES256"),
            count: 2,
        };
        assert_eq!(refusal.unwrap_err(), expected);
    }
}

#[test]
fn a_kid_that_is_a_path_or_a_query_or_too_long_is_refused_and_wants_no_fetch() {
    for id in [
        "../../../../dev/null",
        "/dev/null",
        "x' OR '1'='1",
        "x\0",
        "x\n",
        "",
        &"x".repeat(257),
        "https://evil.example/key",
    ] {
        let refusal = judge_header(&json!({"kid": id})).unwrap_err();
        assert_eq!(refusal, Refusal::KeyId(Shown::text(id)));
        assert!(!refusal.wants_newer_keys());
    }
    let refusal = judge_header(&json!({"kid": 7})).unwrap_err();
    assert!(
        matches!(refusal, Refusal::HeaderMember { name: "kid", .. }),
        "{refusal}"
    );
}

#[test]
fn a_kid_with_a_control_or_too_long_is_refused_even_if_the_issuer_has_published_it() {
    let signer = signer(Algorithm::Es256);
    for id in ["a\nb", "\u{9b}", &"x".repeat(257)] {
        let named = json!({"kid": id});
        let set = forge::key_set([&changed(signer.jwk.clone(), &named)]);
        let token = signer.token(&changed(signer.header(), &named), &claims());
        let verdict = forge::verifier(config()).verify(&token, &set, forge::at(forge::NOW));
        assert_eq!(verdict.unwrap_err(), Refusal::KeyId(Shown::text(id)));
    }
}

#[test]
fn only_a_key_that_could_have_been_published_since_wants_a_fetch() {
    let refusal = judge_header(&json!({"kid": "x".repeat(256)})).unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownKey(_)), "{refusal}");
    assert!(refusal.wants_newer_keys());
    assert!(Refusal::NoKey(Algorithm::Es256).wants_newer_keys());
    // A bad signature under a known name wants none.
    assert!(!Refusal::Signature.wants_newer_keys());
}
