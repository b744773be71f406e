use super::*;
use crate::api::test_support::Scratch;
use crate::store::PolicyOf;

const REVOKE: &str = "POST /host/v1/revocations";
const LIST: &str = "GET /host/v1/revocations";
const OWN_URL: &str = "http://127.0.0.1:8081";

fn revoke(scratch: &Scratch, body: Value) -> Result<Value, Status> {
    scratch.owner(REVOKE, body)
}

#[test]
fn a_key_of_the_host_is_revoked_once_another_one_signs() {
    let scratch = Scratch::new();
    let rotate = json!({ "algorithm": "ES256", "atOnce": true });
    let rotated = scratch.owner("POST /host/v1/keys:rotate", rotate).unwrap();
    let key = rotated["keys"][0]["keyId"].as_str().unwrap();
    let revoked = revoke(&scratch, json!({ "keyId": key })).unwrap();
    let expected = json!({
        "issuer": OWN_URL, "kind": "key", "value": key, "warnings": [], "signingKeyReplaced": true,
    });
    assert_eq!(revoked, expected);
    let unknown = revoke(&scratch, json!({ "keyId": &key[1..] })).unwrap_err();
    assert_eq!(unknown.code, Code::NotFound);
    let suggestion = format!("did you mean `{key}`?");
    assert!(unknown.message.contains(&suggestion), "{unknown}");
}

#[test]
fn subjects_of_the_host_are_those_of_its_accounts() {
    let scratch = Scratch::new();
    for (subject, words) in [
        ("caller@x", "no service account"),
        ("17", "has the subject 17;"),
    ] {
        let unknown = revoke(&scratch, json!({ "subject": subject })).unwrap_err();
        assert_eq!(unknown.code, Code::NotFound);
        assert!(unknown.message.contains(words), "{unknown}");
    }
}

#[test]
fn a_mistyped_issuer_is_noticed_and_an_unknown_one_is_told() {
    let scratch = Scratch::new();
    let of = |issuer: &str, known: Value| {
        let body = json!({ "issuer": issuer, "tokenId": "t", "knownIssuers": known });
        revoke(&scratch, body)
    };
    let alike = of("https://accounts.google.com/", json!({})).unwrap_err();
    assert!(
        alike.message.contains("`https://accounts.google.com`?"),
        "{alike}"
    );
    let known = json!({ "https://other.example": "https://id.example/" });
    let alike = of("https://id.example", known.clone()).unwrap_err();
    assert!(alike.message.contains("`https://id.example/`?"), "{alike}");
    assert_eq!(
        of("https://id.example/", known).unwrap()["warnings"],
        json!([])
    );
    let unknown = of("https://id.example/", json!({})).unwrap();
    assert_eq!(unknown["warnings"].as_array().unwrap().len(), 1);
    assert_eq!(of("?", json!({})).unwrap_err().code, Code::InvalidArgument);
}

#[test]
fn one_thing_is_revoked_at_once() {
    let scratch = Scratch::new();
    for body in [
        json!({}),
        json!({ "subject": "s", "keyId": "k" }),
        json!({ "subject": 1 }),
    ] {
        assert_eq!(
            revoke(&scratch, body).unwrap_err().code,
            Code::InvalidArgument
        );
    }
}

#[test]
fn revocations_are_listed_page_by_page() {
    let scratch = Scratch::new();
    for token in ["a", "b", "c"] {
        revoke(&scratch, json!({ "tokenId": token })).unwrap();
    }
    let first = scratch
        .owner(&format!("{LIST}?pageSize=2"), json!({}))
        .unwrap();
    let token = first["nextPageToken"].as_str().unwrap();
    let second = scratch
        .owner(&format!("{LIST}?pageToken={token}"), json!({}))
        .unwrap();
    let both = [&first, &second].map(|page| page["revocations"].as_array().unwrap());
    let values: Vec<_> = both
        .into_iter()
        .flatten()
        .map(|one| &one["value"])
        .collect();
    assert_eq!(values, ["a", "b", "c"]);
    assert_eq!(first["revocations"][0]["issuer"], OWN_URL);
    assert!(first["revocations"][0]["createTime"].is_string());
}

#[test]
fn an_editor_sees_revocations_and_makes_none() {
    let scratch = Scratch::new();
    let body = json!({ "tokenId": "t" });
    assert!(scratch.user(LIST, json!({})).unwrap_err().is_denied());
    scratch.grant("roles/editor", &PolicyOf::Project);
    assert!(scratch.user(LIST, json!({})).is_ok());
    assert!(scratch.user(REVOKE, body.clone()).unwrap_err().is_denied());
    scratch.grant("roles/owner", &PolicyOf::Project);
    assert!(scratch.user(REVOKE, body).is_ok());
}
