//! What a host makes of a token's header: each refusal by the guard that is there for it.
//!
//! The numbers are those of the list of what a check of tokens has to refuse and to accept. 1 to 8 are here, 9 to 12 in
//! `tokens_refused_keys.rs`, 13 to 15 in `tokens_refused_forms.rs`, 16 to 22 in `tokens_refused_claims.rs`. The others:
//!
//! | line | file | tests |
//! |---|---|---|
//! | 19, addresses | `tokens_invokers.rs` | `an_address_counts_only_if_…` |
//! | 21, providers | `tokens_providers.rs` | `each_provider_is_trusted_with_…` |
//! | 21, patterns | `tokens_invokers.rs` | `a_rule_wants_all_of_its_claims_…` |
//! | 23 | `tokens_listener.rs` | `without_a_token_…`, `a_good_token_of_an_invoker_…`, `two_tokens_are_400_…` |
//! | 23, which field | `tokens_forwarded.rs` | `the_serverless_field_alone_decides_…` |
//! | 24, caller | `tokens_listener.rs` | `whatever_is_wrong_with_a_token_…`, `a_good_token_of_somebody_else_…` |
//! | 24, function and log | `tokens_forwarded.rs` | `the_function_sees_who_calls_…`, `no_token_is_ever_in_the_log_…` |
//! | 25 | `tokens_listener.rs` | `every_method_and_every_spelling_…`, `http2_is_checked_like_http1` |
//! | 26 | `tokens_keys_over_time.rs` | `a_new_key_is_one_fetch_…`, `keys_are_fetched_once_…` |
//! | 27 | `tokens_keys_over_time.rs` | `keys_outlast_an_outage_…`, `without_keys_from_the_beginning_…` |
//! | 27, the bound of an hour | `identity/keeper.rs` | `old_keys_outlast_an_outage_up_to_a_bound` |
//! | 28 | `tokens_keys_over_time.rs` | `a_key_that_is_withdrawn_…` |
//! | 29 | `tokens_keys_over_time.rs` | `without_keys_from_the_beginning_…`, `keys_that_come_too_slowly_…` |
//! | 30, configuration | `tokens_keys_over_time.rs` | `a_file_with_a_bad_issuer_is_not_taken_up` |
//! | 30, clock | `serve/authenticate/tests.rs` | `a_clock_that_was_set_back_…` |

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tests::{Door, Issuer, Key, Kind, changed};

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("it is base64url")
}

/// An issuer that publishes these keys and no others.
fn issuer_with(keys: &[&Key]) -> Issuer {
    let issuer = Issuer::start();
    issuer.publish(keys);
    issuer
}

#[test]
fn line_01_every_algorithm_is_accepted_with_the_right_key() {
    let kinds = [
        Kind::Rs256,
        Kind::Ps256,
        Kind::Es256,
        Kind::Es384,
        Kind::EdDsa,
    ];
    let keys = kinds.map(|kind| Key::new(&format!("{kind:?}"), kind));
    let issuer = issuer_with(&keys.each_ref());
    let algorithms = r#"algorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]"#;
    let door = Door::of(issuer, algorithms);
    for (key, kind) in keys.iter().zip(kinds) {
        door.opens(&key.sign(&door.claims(json!({}))), &format!("{kind:?}"));
    }
}

#[test]
fn line_02_a_token_that_is_not_signed_is_refused() {
    let door = Door::start();
    let claims = door.claims(json!({}));
    for alg in ["none", "None", "NONE", "nOnE", "", " "] {
        let token = door.issuer.key().sign_with(json!({ "alg": alg }), &claims);
        door.refuses(&token, "unsigned", alg);
        let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
        door.refuses(&format!("{signed}."), "empty_part", alg);
    }
    let good = door.token(json!({}));
    let signed = good.rsplit_once('.').map_or("", |(signed, _)| signed);
    door.refuses(&format!("{signed}."), "empty_part", "an empty signature");
}

#[test]
fn line_03_a_public_key_is_no_secret_for_hmac() {
    let key = Key::new("rsa", Kind::Rs256);
    let door = Door::of(issuer_with(&[&key]), "");
    let claims = door.claims(json!({}));
    let der = key.public_der();
    let base64 = STANDARD.encode(&der);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    );
    let modulus = decode(key.jwk()["n"].as_str().unwrap_or_default());
    for secret in [
        pem.clone().into_bytes(),
        (pem + "\n").into_bytes(),
        der,
        key.jwk().to_string().into_bytes(),
        modulus,
    ] {
        let header = json!({"alg": "HS256", "kid": "rsa", "typ": "JWT"}).to_string();
        let signed = format!("{}.{}", encode(header), encode(claims.to_string()));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tag = hmac::sign(&secret, signed.as_bytes());
        door.refuses(&format!("{signed}.{}", encode(tag)), "symmetric", "HS256");
    }
}

#[test]
fn line_04_an_algorithm_has_to_be_the_issuers_and_the_keys() {
    let es384 = Key::new("es384", Kind::Es384);
    let ps256 = Key::new("rsa", Kind::Ps256);
    let issuer = Issuer::start();
    let bound = changed(ps256.jwk(), json!({"alg": "RS256"}));
    issuer.publish_set(json!({"keys": [issuer.key().jwk(), es384.jwk(), bound]}));
    let door = Door::of(issuer, r#"algorithms = ["ES256", "RS256", "PS256"]"#);
    let claims = door.claims(json!({}));
    door.opens(&door.token(json!({})), "one of the issuer's");
    door.refuses(
        &es384.sign(&claims),
        "algorithm_not_allowed",
        "a good signature with ES384",
    );
    door.refuses(
        &ps256.sign(&claims),
        "key_algorithm",
        "a good signature of a key for RS256",
    );
}

#[test]
fn line_05_a_key_without_alg_is_good_for_what_its_type_and_curve_allow() {
    let rsa = Key::new("rsa", Kind::Rs256);
    let edwards = Key::new("edwards", Kind::EdDsa);
    let issuer = Issuer::start();
    let keys = [issuer.key().jwk(), rsa.jwk(), edwards.jwk()];
    let keys = keys.map(|jwk| changed(jwk, json!({"alg": null})));
    issuer.publish_set(json!({ "keys": keys }));
    let door = Door::of(issuer, "");
    let claims = door.claims(json!({}));
    for key in [&rsa, &edwards, door.issuer.key()] {
        door.opens(&key.sign(&claims), &format!("{key:?}"));
    }
    let symmetric = rsa.sign_with(json!({"alg": "HS256"}), &claims);
    door.refuses(&symmetric, "symmetric", "an RSA key with HS256");
    let misfit = rsa.sign_with(json!({"alg": "ES256"}), &claims);
    door.refuses(&misfit, "key_algorithm", "an RSA key with ES256");
}

#[test]
fn line_06_what_a_header_says_of_keys_is_not_used() {
    let door = Door::start();
    let strangers = Issuer::start();
    let strange = Key::new("first", Kind::Es256);
    strangers.publish(&[&strange]);
    let keys = format!("{}/keys", strangers.url());
    let claims = door.claims(json!({}));
    for header in [
        json!({"jwk": strange.jwk()}),
        json!({ "jku": keys }),
        json!({ "x5u": keys }),
        json!({"x5c": [STANDARD.encode(strange.public_der())]}),
    ] {
        let forged = strange.sign_with(header.clone(), &claims);
        door.refuses(&forged, "signature", &header.to_string());
        door.opens(
            &door.issuer.key().sign_with(header.clone(), &claims),
            &header.to_string(),
        );
    }
    assert_eq!((strangers.discoveries(), strangers.key_fetches()), (0, 0));
}

#[test]
fn line_07_a_header_that_asks_for_more_than_a_signature_is_refused() {
    let door = Door::start();
    let claims = door.claims(json!({}));
    for (header, guard) in [
        (json!({"crit": ["x"], "x": 1}), "header_extension"),
        (json!({"crit": []}), "header_extension"),
        (
            json!({"crit": ["exp", "exp"], "exp": 1}),
            "header_extension",
        ),
        (json!({"crit": ["b64"], "b64": false}), "header_extension"),
        (json!({"b64": false}), "header_extension"),
        (json!({"b64": true}), "header_extension"),
        (json!({"zip": "DEF"}), "header_extension"),
        (json!({"enc": "A256GCM"}), "header_extension"),
        (json!({"cty": "JWT"}), "nested"),
        (json!({"cty": "application/jwt"}), "nested"),
    ] {
        let token = door.issuer.key().sign_with(header.clone(), &claims);
        door.refuses(&token, guard, &header.to_string());
    }
    let good = door.token(json!({}));
    door.refuses(&format!("{good}.e30.e30"), "parts", "five parts");
    let mut parts = good.split('.');
    let [protected, payload, signature] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let flat = json!({"payload": payload, "protected": protected, "signature": signature});
    let general = json!({"payload": payload, "signatures": [{"protected": protected, "signature": signature}]});
    for json in [flat, general] {
        door.refuses(&json.to_string(), "parts", "as JSON");
    }
}

#[test]
fn line_08_a_token_is_of_a_type_that_is_for_calling() {
    let usual = Door::start();
    let with_access = Door::of(Issuer::start(), "access-tokens = true");
    for door in [&usual, &with_access] {
        let sign = |kind: Value| {
            let claims = door.claims(json!({}));
            door.issuer.key().sign_with(json!({ "typ": kind }), &claims)
        };
        for kind in [
            json!(null),
            json!("JWT"),
            json!("jwt"),
            json!("application/jwt"),
        ] {
            door.opens(&sign(kind.clone()), &kind.to_string());
        }
        for kind in [
            "logout+jwt",
            "dpop+jwt",
            "kb+jwt",
            "secevent+jwt",
            "JWS",
            "",
        ] {
            door.refuses(&sign(json!(kind)), "token_type", kind);
        }
        let access = sign(json!("at+jwt"));
        match std::ptr::eq(door, &usual) {
            true => drop(door.refuses(&access, "token_type", "at+jwt")),
            false => door.opens(&access, "at+jwt"),
        }
    }
}
