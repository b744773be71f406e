//! What a host makes of a token's form, header and signature: each refusal by the guard that is there for it.
//!
//! The numbers are those of the list of what a check of tokens has to refuse and to accept. 13 to 15 are in
//! `tokens_refused_forms.rs`, 16 to 22 in `tokens_refused_claims.rs`, 23 to 25 in `tokens_listener.rs` and
//! `tokens_forwarded.rs`, 26 to 30 in `tokens_keys_over_time.rs`.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tests::{AUDIENCE, Door, Issuer, Key, Kind, State};

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

/// The members of `change` in place of those of `jwk`; null leaves one out.
fn changed(mut jwk: Value, change: Value) -> Value {
    for (name, value) in change.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(jwk.as_object_mut().and_then(|jwk| jwk.remove(name))),
            value => jwk[name] = value.clone(),
        }
    }
    jwk
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

#[test]
fn line_09_exactly_one_key_can_be_meant() {
    let (second, twin) = (
        Key::new("second", Kind::EdDsa),
        Key::new("second", Kind::Es256),
    );
    let alone = Door::start();
    let unnamed =
        |door: &Door, key: &Key| key.sign_with(json!({"kid": null}), &door.claims(json!({})));
    alone.opens(&unnamed(&alone, alone.issuer.key()), "one key, no name");
    let issuer = Issuer::start();
    let other = Key::new("other", Kind::Es256);
    issuer.publish(&[issuer.key(), &other, &second, &twin]);
    let door = Door::of(issuer, "");
    let token = unnamed(&door, door.issuer.key());
    door.refuses(&token, "several_keys", "two of them are for ES256");
    door.refuses(
        &second.sign(&door.claims(json!({}))),
        "ambiguous_key",
        "two by one name",
    );
    let long = "k".repeat(257);
    for kid in [
        "../../dev/null",
        "/etc/passwd",
        "x' UNION SELECT 'k';--",
        "a\0b",
        "",
        &long,
    ] {
        let token = door
            .issuer
            .key()
            .sign_with(json!({ "kid": kid }), &door.claims(json!({})));
        door.refuses(&token, "key_id", kid);
    }
    let number = door
        .issuer
        .key()
        .sign_with(json!({"kid": 7}), &door.claims(json!({})));
    door.refuses(&number, "header_member", "a number");
    assert_eq!(door.issuer.key_fetches(), 1, "no name is worth a fetch");
}

#[test]
fn line_10_and_12_keys_that_cannot_be_relied_upon_are_left_out_and_the_good_one_works() {
    let good = Issuer::start();
    let named = |name: &str, kind| Key::new(name, kind);
    let rsa = named("rsa", Kind::Rs256);
    let modulus = decode(rsa.jwk()["n"].as_str().unwrap_or_default());
    let mut short = modulus[..128].to_vec();
    short[127] |= 1;
    let point = named("off-curve", Kind::Es256);
    let x = decode(point.jwk()["x"].as_str().unwrap_or_default());
    let off_curve = json!({"kid": "off-curve", "y": encode(&x)});
    let bad = [
        (
            changed(point.jwk(), json!({"kid": "enc", "use": "enc"})),
            "is not for signatures",
        ),
        (
            changed(point.jwk(), json!({"kid": "ops", "key_ops": ["sign"]})),
            "key_ops",
        ),
        (
            changed(rsa.jwk(), json!({"kid": "short", "n": encode(short)})),
            "1024 bits",
        ),
        (
            changed(rsa.jwk(), json!({"kid": "one", "e": "AQ"})),
            "exponent",
        ),
        (
            changed(rsa.jwk(), json!({"kid": "even", "e": "Ag"})),
            "exponent",
        ),
        (changed(point.jwk(), off_curve), "make no key"),
        (
            changed(point.jwk(), json!({"kid": "misfit", "alg": "ES384"})),
            "does not fit",
        ),
        (
            changed(point.jwk(), json!({"kid": "curve", "crv": "secp256k1"})),
            "secp256k1",
        ),
        (
            json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "later", "pub": "AAAA"}),
            "ML-DSA-44",
        ),
        (
            json!({"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}),
            "symmetric",
        ),
        (
            changed(point.jwk(), json!({"kid": "private", "d": "AAAA"})),
            "private parts",
        ),
        (
            changed(point.jwk(), json!({"kid": "malformed", "x": 7})),
            "a number",
        ),
    ];
    let jwks: Vec<&Value> = bad.iter().map(|(jwk, _)| jwk).collect();
    let good_jwk = good.key().jwk();
    good.publish_set(json!({"keys": jwks.iter().copied().chain([&good_jwk]).collect::<Vec<_>>()}));
    let door = Door::of(good, "");
    door.opens(&door.token(json!({})), "the good key");
    let claims = door.claims(json!({}));
    for jwk in jwks {
        let kid = jwk["kid"].clone();
        let key = if jwk["kty"] == "RSA" { &rsa } else { &point };
        let token = key.sign_with(json!({ "kid": kid }), &claims);
        door.refuses(&token, "unknown_key", &kid.to_string());
    }
    let series = format!(
        "host_issuer_keys_left_out{{issuer=\"{}\"}}",
        door.issuer.url()
    );
    assert_eq!(door.host.metrics().value(&series), bad.len() as f64);
    let looked_at = State::new().run(&format!("auth doctor {}", door.issuer.url()));
    for (jwk, reason) in &bad {
        let kid = jwk["kid"].as_str().unwrap_or_default();
        let mut lines = looked_at.stdout.lines();
        let line = lines.find(|line| line.contains(&format!("left out: {kid:?}")));
        assert!(
            line.is_some_and(|line| line.contains(reason)),
            "{kid}, {reason}: {line:?}"
        );
    }
}

/// The order of the group of P-256 (SEC 2, section 2.4.2) and of Ed25519, the latter in its own order of bytes.
const P256_ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
const ED25519_ORDER: &str = "7dP1XBpjEljWnPei3vneFAAAAAAAAAAAAAAAAAAAABA";

#[test]
fn line_11_there_is_one_encoding_of_a_signature() {
    let (edwards, rsa) = (
        Key::new("edwards", Kind::EdDsa),
        Key::new("rsa", Kind::Rs256),
    );
    let issuer = Issuer::start();
    issuer.publish(&[issuer.key(), &edwards, &rsa]);
    let door = Door::of(issuer, "");
    let parts = |key: &Key| {
        let token = key.sign(&door.issuer.claims("ada", AUDIENCE));
        let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
        (signed.to_owned(), decode(signature))
    };
    let refuses = |(signed, signature): (&str, &[u8]), guard: &str, what: &str| {
        door.refuses(&format!("{signed}.{}", encode(signature)), guard, what);
    };
    let (signed, signature) = parts(door.issuer.key());
    let (r, s) = signature.split_at(32);
    let (zero, order) = ([0; 32], decode(P256_ORDER));
    for (what, forged) in [
        ("r is 0", [&zero[..], s].concat()),
        ("s is 0", [r, &zero].concat()),
        ("both are 0", vec![0; 64]),
        ("r is n", [&order[..], s].concat()),
        ("s is n", [r, &order].concat()),
    ] {
        refuses((&signed, &forged), "signature", what);
    }
    let integer = |number: &[u8]| [&[2, 33, 0][..], number].concat();
    let der = [&[0x30, 70][..], &integer(r), &integer(s)].concat();
    for (what, forged) in [
        ("DER", der),
        ("short", signature[..63].to_vec()),
        ("long", [&signature[..], &[0]].concat()),
    ] {
        refuses((&signed, &forged), "signature_length", what);
    }
    let (signed, signature) = parts(&edwards);
    let mut carry = 0;
    let sum = signature[32..]
        .iter()
        .zip(decode(ED25519_ORDER))
        .map(|(s, order)| {
            let sum = u16::from(*s) + u16::from(order) + carry;
            carry = sum >> 8;
            sum.to_le_bytes()[0]
        });
    let sum: Vec<u8> = sum.collect();
    refuses(
        (&signed, &[&signature[..32], &sum].concat()),
        "signature",
        "S is not canonical",
    );
    let (signed, signature) = parts(&rsa);
    refuses((&signed, &[0xff; 256]), "signature", "not below n");
    refuses(
        (&signed, &[&[0][..], &signature].concat()),
        "signature_length",
        "prefixed with 0",
    );
    refuses((&signed, &signature[..255]), "signature_length", "cut");
}
