//! What a key set must be like, and which of its keys a token may mean.

use serde_json::{Value, json};

use super::*;
use crate::tests::forge::{changed, signer};
use crate::token::json::JsonError;

fn read(set: &Value) -> Result<KeySet, KeySetError> {
    KeySet::read(set.to_string().as_bytes())
}

fn good() -> &'static Value {
    &signer(Algorithm::Es256).jwk
}

#[test]
fn a_good_key_works_beside_keys_that_are_left_out_and_counted() {
    let text = format!(
        r#"{{"keys": [
            {{"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"}},
            {{"kty": "oct", "k": "c2VjcmV0", "kid": "hmac"}},
            {{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}},
            {{"kty": "RSA", "kid": "a", "kid": "b", "n": "AQAB", "e": "AQAB"}},
            "no key", null, 7, [],
            {},
            {}
        ], "other": {{}}}}"#,
        changed(good().clone(), &json!({"d": "AAAA", "kid": "private"})),
        good()
    );
    let set = KeySet::read(text.as_bytes()).unwrap();
    assert_eq!(set.keys().len(), 1);
    assert_eq!(set.left_out().len(), 9);
    assert!(set.find(Some("ES256"), Algorithm::Es256).is_ok());
    let places: Vec<usize> = set.left_out().iter().map(|key| key.position).collect();
    assert_eq!(places, (0..9).collect::<Vec<_>>());
    let [pq, hmac, .., private] = set.left_out() else {
        panic!("too few");
    };
    assert_eq!(pq.kid, Some(Shown::text("pq")));
    assert_eq!(hmac.reason, LeftOut::Symmetric);
    assert_eq!(private.reason, LeftOut::Private("d"));
    assert_eq!(
        set.left_out()[3].reason,
        LeftOut::Json(JsonError::Duplicate(Shown::text("kid")))
    );
    assert_eq!(
        set.left_out()[7].reason,
        LeftOut::Json(JsonError::NotAnObject("a list"))
    );
}

#[test]
fn a_set_without_a_usable_key_is_a_set_and_says_so() {
    let empty = read(&json!({"keys": []})).unwrap();
    assert_eq!(
        empty.problem().unwrap(),
        "the key set has no key that a token may be signed with; left out: nothing, since it is empty"
    );
    let unusable = read(&json!({"keys": [{"kty": "oct", "k": "AAAA"}]})).unwrap();
    assert_eq!(
        unusable.problem().unwrap(),
        "the key set has no key that a token may be signed with; left out: key 1, because it is symmetric (kty oct); \
         no issuer may publish such a key"
    );
    assert_eq!(read(&json!({"keys": [good()]})).unwrap().problem(), None);
}

#[test]
fn what_is_no_key_set_is_refused() {
    for text in [
        "",
        "<html></html>",
        "[]",
        "{}",
        "null",
        r#"{"keys": {}}"#,
        r#"{"keys": null}"#,
        r#"{"keys": [], "keys": []}"#,
        r#"{"keys": []} x"#,
        r#"{"keys": [{]}"#,
    ] {
        let error = KeySet::read(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, KeySetError::NotAKeySet { .. }),
            "{text}: {error}"
        );
    }
    let error = KeySet::read(b"{\"keys\": [\"\xff\"]}").unwrap_err();
    assert!(matches!(error, KeySetError::NotAKeySet { .. }), "{error}");
}

#[test]
fn the_size_of_a_set_and_the_number_of_its_keys_are_bounded() {
    let blank = " ".repeat(LONGEST_DOCUMENT + 1);
    let error = KeySet::read(blank.as_bytes()).unwrap_err();
    assert_eq!(error, KeySetError::TooLong(LONGEST_DOCUMENT + 1));
    let keys = |count: usize| json!({"keys": vec![good(); count]});
    assert_eq!(read(&keys(129)).unwrap_err(), KeySetError::TooMany(129));
    assert_eq!(read(&keys(128)).unwrap().keys().len(), 128);
}

#[test]
fn a_key_that_is_left_out_makes_no_name_ambiguous() {
    let other = changed(good().clone(), &json!({"use": "enc"}));
    let set = read(&json!({"keys": [other, good()]})).unwrap();
    assert!(set.find(Some("ES256"), Algorithm::Es256).is_ok());
}

#[test]
fn a_token_that_names_a_key_is_not_judged_by_one_without_a_name() {
    let nameless = changed(good().clone(), &json!({"kid": null}));
    let set = read(&json!({"keys": [nameless]})).unwrap();
    let refusal = set.find(Some("ES256"), Algorithm::Es256).unwrap_err();
    assert_eq!(refusal, Refusal::UnknownKey(Shown::text("ES256")));
    assert!(set.find(None, Algorithm::Es256).is_ok());
}

#[test]
fn a_name_that_looks_like_a_path_is_good_if_the_issuer_has_published_it() {
    let odd = changed(
        good().clone(),
        &json!({"kid": "https://issuer.example/keys/1"}),
    );
    let set = read(&json!({"keys": [odd]})).unwrap();
    assert!(
        set.find(Some("https://issuer.example/keys/1"), Algorithm::Es256)
            .is_ok()
    );
    let refusal = set
        .find(Some("https://issuer.example/keys/2"), Algorithm::Es256)
        .unwrap_err();
    assert!(matches!(refusal, Refusal::KeyId(_)), "{refusal}");
}

#[test]
fn a_key_set_is_shared_between_threads() {
    fn is_shared<T: Send + Sync + 'static>(_: &T) {}
    is_shared(&std::sync::Arc::new(
        read(&json!({"keys": [good()]})).unwrap(),
    ));
}
