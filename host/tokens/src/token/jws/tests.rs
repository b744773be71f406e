//! How a token must be written.

use serde_json::{Value, json};

use super::*;
use crate::algorithm::Algorithm;
use crate::shown::Shown;
use crate::tests::forge::{claims, signer};
use crate::token::json::JsonError;

fn good() -> String {
    let signer = signer(Algorithm::Es256);
    signer.token(&signer.header(), &claims())
}

fn refusal(token: &str) -> Refusal {
    Jws::read(token).unwrap_err()
}

fn payload(bytes: &[u8]) -> Refusal {
    let signer = signer(Algorithm::Es256);
    refusal(&signer.raw(signer.header().to_string().as_bytes(), bytes))
}

fn header(bytes: &[u8]) -> Refusal {
    let signer = signer(Algorithm::Es256);
    refusal(&signer.raw(bytes, claims().to_string().as_bytes()))
}

#[test]
fn a_token_is_read_part_by_part() {
    let token = good();
    let read = Jws::read(&token).unwrap();
    assert_eq!(read.parts.signed, token.rsplit_once('.').unwrap().0);
    assert_eq!(read.parts.header.algorithm, Algorithm::Es256);
    assert_eq!(read.parts.header.key_id.as_deref(), Some("ES256"));
    assert_eq!(read.unverified_issuer(), Ok("https://issuer.example"));
    assert_eq!(read.parts.signature.len(), 64);
}

#[test]
fn a_token_has_three_parts() {
    let token = good();
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(refusal(""), Refusal::Parts(1));
    assert_eq!(refusal("token"), Refusal::Parts(1));
    assert_eq!(refusal(signed), Refusal::Parts(2));
    assert_eq!(refusal(&format!("{token}.")), Refusal::Parts(4));
    assert_eq!(refusal(&format!(".{token}")), Refusal::Parts(4));
    // The compact form of JWE.
    assert_eq!(refusal("a.b.c.d.e"), Refusal::Parts(5));
}

#[test]
fn the_json_forms_of_jws_are_refused() {
    let token = good();
    let parts: Vec<&str> = token.split('.').collect();
    let flat = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]});
    let signatures = json!([{"protected": parts[0], "signature": parts[2]}]);
    let general = json!({"payload": parts[1], "signatures": signatures});
    for form in [flat, general] {
        assert_eq!(refusal(&form.to_string()), Refusal::Parts(1));
    }
    assert_eq!(refusal("{\"a.b.c\":1}"), Refusal::Encoding(Part::Header));
}

#[test]
fn no_part_is_empty() {
    let token = good();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(refusal(".."), Refusal::EmptyPart(Part::Header));
    let headless = format!(".{}.{}", parts[1], parts[2]);
    assert_eq!(refusal(&headless), Refusal::EmptyPart(Part::Header));
    let hollow = format!("{}..{}", parts[0], parts[2]);
    assert_eq!(refusal(&hollow), Refusal::EmptyPart(Part::Payload));
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    assert_eq!(refusal(&unsigned), Refusal::EmptyPart(Part::Signature));
}

#[test]
fn every_part_is_base64url_in_its_one_form() {
    let token = good();
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    for (place, part) in [(0, Part::Header), (1, Part::Payload), (2, Part::Signature)] {
        let mut loose = parts[place].clone();
        // Of the last of 86 characters only two bits count, of 4n characters all do.
        let last = loose.pop().unwrap();
        loose.push(if last == 'B' { 'C' } else { 'B' });
        let own = &parts[place];
        for other in [
            format!("{own}="),
            format!("{own}=="),
            format!("{own} "),
            format!(" {own}"),
            format!("{own}\n"),
            format!("{own}+"),
            format!("/{own}"),
            format!("{own}\0"),
            format!("{own}ä"),
            format!("{own}%3D"),
        ] {
            let mut parts = parts.clone();
            parts[place] = other;
            assert_eq!(refusal(&parts.join(".")), Refusal::Encoding(part));
        }
        if part == Part::Signature {
            let token = [&parts[0], &parts[1], &loose].map(String::as_str).join(".");
            assert_eq!(refusal(&token), Refusal::Encoding(part));
        }
    }
}

#[test]
fn a_payload_that_is_no_object_is_refused() {
    for (text, kind) in [
        ("[{\"iss\":\"x\"}]", "a list"),
        ("\"claims\"", "a text"),
        ("null", "null"),
        ("7", "a number"),
    ] {
        let expected = Refusal::Json(Part::Payload, JsonError::NotAnObject(kind));
        assert_eq!(payload(text.as_bytes()), expected);
        let expected = Refusal::Json(Part::Header, JsonError::NotAnObject(kind));
        assert_eq!(header(text.as_bytes()), expected);
    }
}

#[test]
fn bytes_that_are_not_utf8_or_stand_before_or_after_the_object_are_refused() {
    let not_utf8 = Refusal::Json(Part::Payload, JsonError::NotUtf8);
    assert_eq!(payload(b"{\"sub\":\"\xc3\x28\"}"), not_utf8);
    assert_eq!(payload(b"\xff\xfe{\0}\0"), not_utf8);
    for bytes in ["\u{feff}{}", "{}{}", "{} x", "{}\0", "x{}", "{'sub':1}"] {
        let refusal = payload(bytes.as_bytes());
        let Refusal::Json(Part::Payload, JsonError::Syntax { .. }) = refusal else {
            panic!("{bytes:?}: {refusal}");
        };
    }
}

#[test]
fn nesting_is_bounded_in_header_and_payload() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
    assert_eq!(
        payload(deep.as_bytes()),
        Refusal::Json(Part::Payload, JsonError::TooDeep)
    );
    assert_eq!(
        header(deep.as_bytes()),
        Refusal::Json(Part::Header, JsonError::TooDeep)
    );
}

#[test]
fn the_number_of_values_is_bounded_in_header_and_payload() {
    let many = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 2));
    let refused = |part, most| Refusal::Json(part, JsonError::TooMany(most));
    assert_eq!(payload(many(501).as_bytes()), refused(Part::Payload, 500));
    assert_eq!(header(many(51).as_bytes()), refused(Part::Header, 50));
    let groups: Vec<String> = (0..200).map(|n| format!("group-{n}")).collect();
    let signer = signer(Algorithm::Es256);
    let token = signer.token(&signer.header(), &json!({"groups": groups}));
    assert!(Jws::read(&token).is_ok());
}

#[test]
fn a_member_given_twice_is_refused_in_header_and_payload_nested_too() {
    let twice = |part, name| Refusal::Json(part, JsonError::Duplicate(Shown::text(name)));
    let header_text = br#"{"alg":"ES256","alg":"none"}"#;
    assert_eq!(header(header_text), twice(Part::Header, "alg"));
    assert_eq!(
        payload(br#"{"sub":"a","s\u0075b":"b"}"#),
        twice(Part::Payload, "sub")
    );
    assert_eq!(
        payload(br#"{"a":{"b":[{"c":1,"c":2}]}}"#),
        twice(Part::Payload, "c")
    );
}

#[test]
fn a_token_over_sixteen_kib_is_refused_before_anything_is_decoded() {
    // Every one of these would be refused for something else, were it read.
    for token in [".".repeat(1_000_000), "?".repeat(16_385), "ä".repeat(8_193)] {
        assert_eq!(refusal(&token), Refusal::TooLong(token.len()));
    }
    assert_eq!(refusal(&".".repeat(16_384)), Refusal::Parts(16_385));
}

#[test]
fn a_token_of_sixteen_kib_is_read() {
    let signer = signer(Algorithm::Es256);
    let filled = |length: usize| -> String {
        let claims: Value = json!({"iss": "https://issuer.example", "fill": "x".repeat(length)});
        signer.token(&signer.header(), &claims)
    };
    let room = 16_384 - filled(0).len();
    let token = filled(room * 3 / 4);
    assert!((16_380..=16_384).contains(&token.len()), "{}", token.len());
    assert!(Jws::read(&token).is_ok());
}

#[test]
fn a_token_that_was_read_shows_nothing_of_itself() {
    let token = good();
    assert_eq!(format!("{:?}", Jws::read(&token).unwrap()), "Jws { .. }");
}
