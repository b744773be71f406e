//! Tokens that were mutated at random, judged by us and by the crate `jsonwebtoken`: never are we the more lenient.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::forge::{self, Signer, claims, config, signer};
use crate::algorithm::Algorithm;

const ROUNDS: usize = 10_000;

pub(super) const ALGORITHMS: [(Algorithm, jsonwebtoken::Algorithm); 5] = [
    (Algorithm::Es256, jsonwebtoken::Algorithm::ES256),
    (Algorithm::Es384, jsonwebtoken::Algorithm::ES384),
    (Algorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA),
    (Algorithm::Rs256, jsonwebtoken::Algorithm::RS256),
    (Algorithm::Ps256, jsonwebtoken::Algorithm::PS256),
];

/// The verdict of the other reader, told to ask for as much as it can. Its clock is the system's, so time is not
/// judged here.
pub(super) fn other_accepts(token: &str, signer: &Signer) -> bool {
    let mut pairs = ALGORITHMS.iter();
    let (_, algorithm) = *pairs.find(|(own, _)| *own == signer.algorithm).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.set_issuer(&[forge::ISSUER]);
    validation.set_audience(&[forge::AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let jwk: Jwk = serde_json::from_value(signer.jwk.clone()).unwrap();
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

/// Values that stand where others should.
fn odd_value(rng: &mut SmallRng) -> Value {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("none"),
        json!("JWT"),
        json!("at+jwt"),
        json!(forge::ISSUER),
        json!(forge::AUDIENCE),
        json!([]),
        json!([forge::AUDIENCE, "other"]),
        json!([forge::ISSUER]),
        json!({"a": {"a": 1}}),
        json!(["b64"]),
        json!(forge::NOW + 600),
    ];
    odd.choose(rng).unwrap().clone()
}

fn change_member(object: &mut Value, names: &[&str], rng: &mut SmallRng) {
    let name = *names.choose(rng).unwrap();
    let members = object.as_object_mut().unwrap();
    if rng.random_ratio(1, 4) {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), odd_value(rng));
    }
}

/// One byte of a text is changed, put in, taken out or said twice.
fn change_byte(text: &mut Vec<u8>, rng: &mut SmallRng) {
    const BYTES: &[u8] = b"AZaz09-_+/=. \n\0{}[]\":,.\\u\xff\xc3";
    if text.is_empty() {
        return;
    }
    let place = rng.random_range(0..text.len());
    match rng.random_range(0..4) {
        0 => text[place] = *BYTES.choose(rng).unwrap(),
        1 => text.insert(place, *BYTES.choose(rng).unwrap()),
        2 => drop(text.remove(place)),
        _ => text.insert(place, text[place]),
    }
}

/// A token with up to two changes, before or after it is signed.
pub(super) fn mutant(signer: &Signer, rng: &mut SmallRng) -> String {
    const HEADER: [&str; 10] = [
        "alg", "kid", "typ", "cty", "crit", "b64", "zip", "enc", "x5c", "jku",
    ];
    const CLAIMS: [&str; 9] = [
        "iss", "aud", "sub", "exp", "nbf", "iat", "azp", "jti", "email",
    ];
    let (mut header, mut claims) = (signer.header(), claims());
    if rng.random_ratio(1, 3) {
        change_member(&mut header, &HEADER, rng);
    }
    if rng.random_ratio(1, 3) {
        change_member(&mut claims, &CLAIMS, rng);
    }
    let (mut header, mut payload) = (
        header.to_string().into_bytes(),
        claims.to_string().into_bytes(),
    );
    if rng.random_ratio(1, 6) {
        change_byte(&mut header, rng);
    }
    if rng.random_ratio(1, 6) {
        change_byte(&mut payload, rng);
    }
    let mut token = signer.raw(&header, &payload).into_bytes();
    if rng.random_ratio(1, 3) {
        change_byte(&mut token, rng);
    }
    if rng.random_ratio(1, 20) {
        token = swap_parts(&token, rng);
    }
    String::from_utf8_lossy(&token).into_owned()
}

fn swap_parts(token: &[u8], rng: &mut SmallRng) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    match rng.random_range(0..4) {
        0 => drop(parts.pop()),
        1 => parts.push(b"AAAA"),
        2 => parts.reverse(),
        _ => parts.insert(1, b""),
    }
    parts.join(&b'.')
}

#[test]
fn no_mutated_token_is_accepted_that_jsonwebtoken_refuses() {
    let mut rng = SmallRng::seed_from_u64(0x7519);
    let (mut both, mut stricter, mut neither) = (0, 0, 0);
    for round in 0..ROUNDS {
        let signer = signer(ALGORITHMS.choose(&mut rng).unwrap().0);
        let token = mutant(signer, &mut rng);
        let ours = forge::judge(config(), &token);
        match (ours.is_ok(), other_accepts(&token, signer)) {
            (true, true) => both += 1,
            (false, true) => stricter += 1,
            (false, false) => neither += 1,
            (true, false) => panic!("round {round}: only we accept {token}: {ours:?}"),
        }
    }
    // That there are enough of each shows that the mutants are neither all alike nor all dead.
    assert!(
        both > ROUNDS / 20,
        "{both} of {ROUNDS} were accepted by both"
    );
    assert!(
        stricter > ROUNDS / 50,
        "{stricter} of {ROUNDS} were accepted by the other only"
    );
    assert!(
        neither > ROUNDS / 5,
        "{neither} of {ROUNDS} were refused by both"
    );
}

#[test]
fn what_jsonwebtoken_lets_pass_is_refused() {
    let signer = signer(Algorithm::Es256);
    let header =
        |changes: &Value| signer.token(&forge::changed(signer.header(), changes), &claims());
    let with = |changes: &Value| forge::token(&forge::claims_with(changes));
    let payload = |text: &str| signer.raw(signer.header().to_string().as_bytes(), text.as_bytes());
    let twice = claims()
        .to_string()
        .replacen('{', r#"{"jti":"a","jti":"b","#, 1);
    for token in [
        header(&json!({"b64": false})),
        header(&json!({"zip": "DEF"})),
        header(&json!({"typ": "logout+jwt"})),
        with(&json!({"iss": [forge::ISSUER, "https://evil.example"]})),
        with(&json!({"exp": u64::MAX})),
        with(&json!({"iat": forge::NOW + 86_400})),
        with(&json!({"sub": ""})),
        payload(&twice),
    ] {
        assert!(
            other_accepts(&token, signer),
            "the comparison no longer shows anything: {token}"
        );
        assert!(forge::judge(config(), &token).is_err(), "{token}");
    }
    let crit = header(&json!({"crit": ["x"], "x": 1}));
    assert!(forge::judge(config(), &crit).is_err());
}
