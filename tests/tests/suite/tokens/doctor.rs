//! `host auth doctor` on issuers that are well, and on such as are not.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::served::Served;
use tests::{Answers, Issuer, Key, Kind, Output, State};

fn doctor(issuer: &Issuer) -> Output {
    State::new().run(&format!("auth doctor {}", issuer.url()))
}

/// Expects a failure that says this, and no word of what could not be looked at.
#[track_caller]
fn assert_ill(output: &Output, check: &str, reason: &str) {
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(
        output.stdout.contains(&format!("fail  {check}")),
        "{output:?}"
    );
    assert!(output.stdout.contains(reason), "{reason}: {output:?}");
}

#[test]
fn an_issuer_that_is_well_passes() {
    let issuer = Issuer::start();
    let output = doctor(&issuer);
    assert_eq!(output.code, Some(0), "{output:?}");
    let url = issuer.url();
    for line in [
        format!("pass  keys: 1 at {url}/keys, good for 600 s"),
        "pass  algorithms: ES256 of those that are trusted (RS256, ES256, EdDSA)".to_owned(),
    ] {
        assert!(output.stdout.contains(&line), "{line}: {output:?}");
    }
    assert!(!output.stdout.contains("fail"), "{output:?}");
    assert_eq!((issuer.discoveries(), issuer.key_fetches()), (1, 1));
}

#[test]
fn the_clock_of_an_issuer_is_compared_with_this_one() {
    let served = Served::start();
    let own = format!("http://{}", served.host.admin_addr());
    let well = served.run(&format!("auth doctor {own}"));
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(well.stdout.contains("pass  clock: "), "{well:?}");
    let behind = Issuer::start_with(Answers::At("Thu, 01 Jan 2015 00:00:00 GMT"));
    assert_ill(
        &doctor(&behind),
        "clock: ",
        "s behind this machine's; 60 s are allowed",
    );
    let ahead = Issuer::start_with(Answers::At("Fri, 01 Jan 2100 00:00:00 GMT"));
    assert_ill(&doctor(&ahead), "clock: ", "s ahead of this machine's");
}

#[test]
fn what_an_issuer_answers_that_is_not_its_own_or_no_document_is_told() {
    let elsewhere = Issuer::start();
    let other = "https://other.example".to_owned();
    for (answers, reason) in [
        (
            Answers::AsOther(other),
            "is of the issuer \"https://other.example\"; expected http://",
        ),
        (Answers::Html, "is not a discovery document"),
        (Answers::Broken, "answered with status 500"),
        (
            Answers::Redirect(elsewhere.url()),
            "answered with status 302",
        ),
        (
            Answers::EmptySet,
            "the key set has no key that a token may be signed with",
        ),
        (Answers::Padded(256 * 1024 + 1), "length limit exceeded"),
        (
            Answers::KeysAt(format!("{}/keys", elsewhere.url())),
            "where an issuer's document may not lead",
        ),
    ] {
        assert_ill(&doctor(&Issuer::start_with(answers)), "keys", reason);
    }
    assert_eq!((elsewhere.discoveries(), elsewhere.key_fetches()), (0, 0));
}

#[test]
fn an_issuer_that_is_slow_is_not_waited_for() {
    for answers in [Answers::Never, Answers::SlowKeys] {
        let issuer = Issuer::start_with(answers);
        let begun = Instant::now();
        assert_ill(&doctor(&issuer), "keys", "did not come within 5s");
        assert!(begun.elapsed() < Duration::from_secs(15));
    }
}

#[test]
fn an_issuer_that_is_not_there_is_told() {
    let gone = State::new().run("auth doctor http://127.0.0.1:1");
    assert_ill(
        &gone,
        "keys",
        "http://127.0.0.1:1/.well-known/openid-configuration",
    );
    let none = State::new().run("auth doctor ftp://a.example");
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.stderr.contains("ftp://a.example"), "{none:?}");
}

#[test]
fn keys_that_are_left_out_and_algorithms_that_are_not_trusted_are_told() {
    let issuer = Issuer::start();
    let other = Key::new("other", Kind::Es384);
    issuer.publish_set(json!({"keys": [
        other.jwk(),
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
    ]}));
    let output = doctor(&issuer);
    assert_ill(
        &output,
        "algorithms: none of those that are trusted",
        "RS256, ES256, EdDSA",
    );
    assert!(
        output
            .stdout
            .contains("left out: \"secret\" it is symmetric"),
        "{output:?}"
    );
    // As it is configured it is well.
    let state = State::new();
    let text = format!(
        "[issuers.it]\nurl = {:?}\nalgorithms = [\"ES384\"]\n",
        issuer.url()
    );
    let config = state.file("host.toml", text);
    let configured = state.run(&format!(
        "auth doctor {} --config {}",
        issuer.url(),
        config.display()
    ));
    assert_eq!(configured.code, Some(0), "{configured:?}");
    assert!(
        configured.stdout.contains("pass  algorithms: ES384"),
        "{configured:?}"
    );
    let unknown = state.run(&format!(
        "auth doctor https://a.example --config {}",
        config.display()
    ));
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(
        unknown
            .stderr
            .contains("does not configure https://a.example"),
        "{unknown:?}"
    );
}
