//! What the operator reads of a token that is explained.

use serde_json::{Value, json};

use super::forge::{self, NOW, claims_with, config, keys, token};
use crate::judge::check::Step;
use crate::judge::refusal::Refusal;

fn explain(token: &str) -> Vec<Step> {
    forge::verifier(config()).explain(token, keys(), forge::at(NOW))
}

fn refused(steps: &[Step]) -> Vec<&'static str> {
    steps
        .iter()
        .filter(|step| step.refusal.is_some())
        .map(|step| step.title)
        .collect()
}

#[test]
fn a_good_token_passes_every_check_in_order() {
    let steps = explain(&token(&forge::claims()));
    let titles: Vec<&str> = steps.iter().map(|step| step.title).collect();
    let expected = [
        "form",
        "issuer (iss)",
        "algorithm (alg)",
        "type (typ)",
        "key (kid)",
        "signature",
        "audience (aud)",
        "client (azp)",
        "expiry (exp)",
        "start (nbf)",
        "issue (iat)",
        "order of exp, iat and nbf",
        "lifetime",
        "age",
        "subject (sub)",
        "kind of token",
        "claims asked for",
        "service account",
    ];
    assert_eq!(titles, expected);
    assert!(refused(&steps).is_empty(), "{steps:?}");
    let expiry = &steps[8];
    assert_eq!(expiry.found, "2023-11-14T22:23:20Z");
    assert_eq!(expiry.expected, "after 2023-11-14T22:13:20Z, less 60s");
}

#[test]
fn every_check_that_refuses_is_told_and_not_only_the_first() {
    let steps = explain(&token(&claims_with(
        &json!({"aud": "other", "exp": 1, "sub": ""}),
    )));
    let expected = [
        "audience (aud)",
        "expiry (exp)",
        "order of exp, iat and nbf",
        "subject (sub)",
    ];
    assert_eq!(refused(&steps), expected);
}

#[test]
fn what_is_explained_is_what_is_decided() {
    for changes in [
        json!({}),
        json!({"iss": "https://evil.example"}),
        json!({"aud": 7}),
        json!({"exp": null}),
        json!({"exp": "x", "iat": "y"}),
        json!({"nbf": NOW + 1000}),
        json!({"iat": NOW + 1000}),
        json!({"sub": null}),
    ] {
        let token = token(&claims_with(&changes));
        let steps = explain(&token);
        let first = steps.into_iter().find_map(|step| step.refusal);
        assert_eq!(first, forge::judge(config(), &token).err(), "{changes}");
    }
}

#[test]
fn a_token_that_cannot_be_read_has_one_step() {
    let steps = explain("a.b");
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].refusal, Some(Refusal::Parts(2)));
}

#[test]
fn neither_a_refusal_nor_an_explanation_has_the_token_or_its_signature() {
    let good = token(&forge::claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "QUJD".repeat(21) + "QQ");
    let foreign = token(&claims_with(
        &json!({"iss": "\u{1b}[2J\nhttps://evil.example", "aud": 7}),
    ));
    for token in [&good, &forged, &foreign] {
        let steps = explain(token);
        let told = format!("{steps:?} {:?}", forge::judge(config(), token));
        for part in token.split('.') {
            assert!(!told.contains(&part[..20]), "{told}");
        }
        let lines = steps.iter().filter_map(|step| step.refusal.as_ref());
        for line in lines.map(ToString::to_string) {
            assert!(!line.chars().any(char::is_control), "{line}");
        }
    }
}

#[test]
fn a_refusal_says_what_was_wrong_what_was_expected_and_what_to_do() {
    let refusal = |changes: &Value| forge::judge_claims(changes).unwrap_err();
    assert_eq!(
        refusal(&json!({"aud": ["https://host.example/\u{202e}x"]})).to_string(),
        "the token is for [\"https://host.example/\\u{202e}x\"]; expected \"https://host.example/hello\": get one \
         for this audience, or add the other to the audiences"
    );
    assert_eq!(
        refusal(&json!({"exp": NOW - 61, "iat": NOW - 3600, "nbf": null})).to_string(),
        "the token expired at 2023-11-14T22:12:19Z, and it is 2023-11-14T22:13:20Z; get a new one (clocks may differ \
         by 60s)"
    );
    assert_eq!(
        Refusal::TooLong(20_000).to_string(),
        "the token has 20000 bytes, more than the 16384 allowed; send a token with fewer claims"
    );
}

#[test]
fn codes_are_short_words_for_counters() {
    let expired = forge::judge_claims(&json!({"exp": 1, "iat": null, "nbf": null})).unwrap_err();
    assert_eq!(expired.code(), "expired");
    assert_eq!(Refusal::Signature.code(), "signature");
    assert_eq!(Refusal::Parts(2).code(), "parts");
}
