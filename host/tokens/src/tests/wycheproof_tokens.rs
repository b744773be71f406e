//! Project Wycheproof's vectors for JSON Web Signature and JSON Web Key: whole tokens, each before the keys of its group.
//!
//! The tokens of `json_web_crypto_test.json` that are signed and not encrypted are among these, with the same verdicts.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::keys::key::{LeftOut, VerifyingKey};
use crate::keys::key_set::KeySet;
use crate::token::jws::CompactParts;

const SIGNATURES: &str = include_str!("vectors/json_web_signature.jsonl");
const KEYS: &str = include_str!("vectors/json_web_key.jsonl");

/// A line of the files.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Group {
        keys: Value,
    },
    #[serde(rename_all = "camelCase")]
    Test {
        tc_id: usize,
        result: String,
        jws: String,
    },
}

/// How often each verdict was given, and the tests where it was not Wycheproof's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    accepted: usize,
    refused: usize,
    /// Good by Wycheproof, and refused here.
    stricter: Vec<usize>,
    /// Bad by Wycheproof, and accepted here.
    laxer: Vec<usize>,
}

/// The verdict on the signature and all before it: the payloads of these tokens are no claims.
fn is_accepted(token: &str, keys: &Value) -> bool {
    let document = json!({ "keys": keys }).to_string();
    let (Ok(keys), Ok(parts)) = (KeySet::read(document.as_bytes()), CompactParts::read(token))
    else {
        return false;
    };
    let algorithm = parts.header.algorithm;
    let key = keys.find(parts.header.key_id.as_deref(), algorithm);
    key.and_then(|key| key.verify(algorithm, parts.signed.as_bytes(), &parts.signature))
        .is_ok()
}

fn judge(file: &str) -> Tally {
    let mut tally = Tally::default();
    let mut keys = Value::Null;
    for line in file.lines() {
        match serde_json::from_str(line).unwrap() {
            Line::Group { keys: next } => keys = next,
            Line::Test { tc_id, result, jws } => {
                let is_accepted = is_accepted(&jws, &keys);
                match (is_accepted, result == "valid") {
                    (true, false) => tally.laxer.push(tc_id),
                    (false, true) => tally.stricter.push(tc_id),
                    _ => {}
                }
                if is_accepted {
                    tally.accepted += 1;
                } else {
                    tally.refused += 1;
                }
            }
        }
    }
    tally
}

/// Tokens with HMAC: a key that verifies them could sign them too, so no issuer may publish one.
const HMAC: [usize; 10] = [1, 348, 352, 357, 358, 359, 372, 373, 376, 377];
/// Tokens without any payload, which has to be claims.
const NO_PAYLOAD: [usize; 6] = [259, 264, 268, 272, 320, 325];
/// Tokens of RFC 7520 whose keys name another `alg` than their header (PS256 for PS384), or none that there is (ES521).
const OTHER_ALGORITHM: [usize; 4] = [346, 347, 350, 351];

#[test]
fn signed_tokens() {
    let tally = judge(SIGNATURES);
    let mut stricter = [&HMAC[..], &NO_PAYLOAD, &OTHER_ALGORITHM].concat();
    stricter.sort_unstable();
    let expected = Tally {
        accepted: 26,
        refused: 375,
        stricter,
        laxer: vec![],
    };
    assert_eq!(tally, expected);
}

#[test]
fn tokens_whose_keys_name_another_algorithm_are_refused_for_nothing_else() {
    let mut keys = Value::Null;
    let mut accepted = Vec::new();
    for line in SIGNATURES.lines() {
        match serde_json::from_str(line).unwrap() {
            Line::Group { keys: next } => {
                keys = next;
                keys[0].as_object_mut().unwrap().remove("alg");
            }
            Line::Test { tc_id, jws, .. } if OTHER_ALGORITHM.contains(&tc_id) => {
                accepted.extend(is_accepted(&jws, &keys).then_some(tc_id));
            }
            Line::Test { .. } => {}
        }
    }
    assert_eq!(accepted, OTHER_ALGORITHM);
}

#[test]
fn keys() {
    let expected = Tally {
        accepted: 1,
        refused: 25,
        // With HMAC.
        stricter: vec![2, 13, 14, 15],
        laxer: vec![],
    };
    assert_eq!(judge(KEYS), expected);
}

#[test]
fn the_key_of_a_broken_library_is_left_out_for_that() {
    let is_of_the_library = |line: &&str| line.contains("\"jws_rsa_roca_key\"");
    let line = KEYS.lines().find(is_of_the_library).unwrap();
    let Line::Group { keys } = serde_json::from_str(line).unwrap() else {
        panic!("a group");
    };
    let key = VerifyingKey::read(keys[0].as_object().unwrap());
    assert_eq!(key.unwrap_err(), LeftOut::Roca);
}
