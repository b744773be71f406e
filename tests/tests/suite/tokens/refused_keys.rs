//! What a host makes of keys and signatures: lines 9 to 12 of the list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::{AUDIENCE, Door, Issuer, Key, Kind, State, changed};

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("it is base64url")
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
