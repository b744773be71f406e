//! Issuer, audience, client, subject, address, and the claims that settings ask for.

use std::sync::Arc;

use serde_json::{Value, json};

use super::forge::{self, NOW, claims_with, config, judge, judge_claims, keys, malformed, token};
use crate::issuer::claim_match::ClaimMatch;
use crate::issuer::config::EmailTrust;
use crate::issuer::issuers::Issuers;
use crate::judge::refusal::Refusal;
use crate::judge::verified::Verified;
use crate::judge::verifier::Verifier;
use crate::shown::Shown;
use crate::token::jws::Jws;

#[test]
fn an_issuer_that_is_missing_or_no_text_is_refused() {
    let refusal = judge_claims(&json!({"iss": null})).unwrap_err();
    assert_eq!(refusal, Refusal::Missing("iss"));
    for iss in [
        json!(7),
        json!([forge::ISSUER]),
        json!({"iss": forge::ISSUER}),
        json!(true),
    ] {
        assert_eq!(
            malformed(&judge_claims(&json!({"iss": iss})).unwrap_err()),
            "iss"
        );
    }
    let payload = forge::claims()
        .to_string()
        .replace(&format!("\"{}\"", forge::ISSUER), "null");
    let signer = forge::signer(crate::Algorithm::Es256);
    let raw = signer.raw(signer.header().to_string().as_bytes(), payload.as_bytes());
    assert_eq!(malformed(&judge(config(), &raw).unwrap_err()), "iss");
}

#[test]
fn an_issuer_that_is_only_alike_is_refused() {
    for iss in [
        "https://issuer.example/",
        "https://Issuer.example",
        "http://issuer.example",
        "issuer.example",
        "https://issuer.example.evil",
        "https://issuer.exampl",
        "https://issuer.example/realms/a",
        " https://issuer.example",
        "https://issuer.example:443",
        "https://ıssuer.example",
        "",
    ] {
        let expected = Refusal::Issuer {
            expected: forge::ISSUER.into(),
            found: Shown::text(iss),
        };
        assert_eq!(judge_claims(&json!({"iss": iss})).unwrap_err(), expected);
    }
}

#[test]
fn an_alias_is_good_for_its_issuer_only_and_the_principal_has_the_configured_name() {
    let mut google = config();
    google.aliases.push("issuer.example".into());
    let alias = token(&claims_with(&json!({"iss": "issuer.example"})));
    let verified = judge(google, &alias).unwrap();
    assert_eq!(verified.principal.issuer.as_str(), forge::ISSUER);
    let refusal = judge(config(), &alias).unwrap_err();
    assert!(matches!(refusal, Refusal::Issuer { .. }), "{refusal}");
}

#[test]
fn an_issuer_that_is_not_configured_is_refused_before_its_keys_are_wanted() {
    let issuers = Issuers::new(vec![Arc::new(config())]).unwrap();
    let choose = |claims: &Value| {
        let token = token(claims);
        issuers.choose(&Jws::read(&token).unwrap()).cloned()
    };
    assert_eq!(
        choose(&forge::claims()).unwrap().issuer.as_str(),
        forge::ISSUER
    );
    for iss in ["https://evil.example", "https://issuer.example/", ""] {
        let refusal = choose(&claims_with(&json!({"iss": iss}))).unwrap_err();
        assert_eq!(refusal, Refusal::UnknownIssuer(Shown::text(iss)));
        assert!(!refusal.wants_newer_keys());
    }
    let refusal = choose(&claims_with(&json!({"iss": null}))).unwrap_err();
    assert_eq!(refusal, Refusal::Missing("iss"));
}

#[test]
fn an_audience_that_is_missing_or_malformed_is_refused() {
    let refusal = judge_claims(&json!({"aud": null})).unwrap_err();
    assert_eq!(refusal, Refusal::Missing("aud"));
    for aud in [
        json!(7),
        json!([]),
        json!([forge::AUDIENCE, 7]),
        json!([[forge::AUDIENCE]]),
        json!([null]),
        json!({"aud": forge::AUDIENCE}),
        json!(true),
    ] {
        assert_eq!(
            malformed(&judge_claims(&json!({"aud": aud})).unwrap_err()),
            "aud"
        );
    }
}

#[test]
fn an_audience_that_is_only_alike_is_refused() {
    for aud in [
        "https://host.example",
        "https://host.example/hell",
        "https://host.example/hello2",
        "https://host.example/Hello",
        "https://host.example/hello/",
        "https://HOST.example/hello",
        "",
    ] {
        for aud in [json!(aud), json!([aud]), json!([aud, "other"])] {
            let refusal = judge_claims(&json!({"aud": aud})).unwrap_err();
            let expected = Refusal::Audience {
                expected: format!("{:?}", forge::AUDIENCE),
                found: Shown::value(&aud),
            };
            assert_eq!(refusal, expected);
        }
    }
}

#[test]
fn an_audience_that_is_equal_or_among_others_is_accepted() {
    for aud in [json!(forge::AUDIENCE), json!(["other", forge::AUDIENCE])] {
        assert!(judge_claims(&json!({"aud": aud})).is_ok(), "{aud}");
    }
    let mut config = config();
    config.audiences.push("custom".into());
    assert!(judge(config, &token(&claims_with(&json!({"aud": "custom"})))).is_ok());
}

#[test]
fn a_token_for_one_function_is_refused_at_another() {
    let token = token(&forge::claims());
    let other = Verifier::new(config(), ["https://host.example/other".to_owned()]);
    let refusal = other.verify(&token, keys(), forge::at(NOW)).unwrap_err();
    assert!(matches!(refusal, Refusal::Audience { .. }), "{refusal}");
}

#[test]
fn without_a_configured_audience_every_token_is_refused() {
    for audiences in [vec![], vec![String::new()]] {
        let closed = Verifier::new(config(), audiences);
        for aud in [json!(forge::AUDIENCE), json!("")] {
            let token = token(&claims_with(&json!({"aud": aud})));
            let refusal = closed.verify(&token, keys(), forge::at(NOW)).unwrap_err();
            assert!(matches!(refusal, Refusal::Audience { .. }), "{refusal}");
        }
    }
}

#[test]
fn where_clients_are_named_the_token_has_to_be_of_one_of_them() {
    let verdict = |azp: Value| {
        let mut config = config();
        config.authorized_parties = vec!["client-1".into(), "client-2".into()];
        judge(config, &token(&claims_with(&json!({"azp": azp}))))
    };
    assert!(verdict(json!("client-2")).is_ok());
    for azp in [json!("client-3"), json!("client"), json!(null)] {
        let refusal = verdict(azp).unwrap_err();
        assert!(
            matches!(refusal, Refusal::AuthorizedParty { .. }),
            "{refusal}"
        );
    }
    assert_eq!(malformed(&verdict(json!(["client-1"])).unwrap_err()), "azp");
    // Where none is named any will do, but no nonsense.
    assert!(judge_claims(&json!({"azp": "anybody"})).is_ok());
    assert_eq!(
        malformed(&judge_claims(&json!({"azp": 7})).unwrap_err()),
        "azp"
    );
}

#[test]
fn a_subject_that_names_nobody_is_refused() {
    let refusal = |sub: Value| judge_claims(&json!({"sub": sub})).unwrap_err();
    assert_eq!(refusal(json!(null)), Refusal::Missing("sub"));
    assert_eq!(refusal(json!("")), Refusal::EmptySubject);
    assert_eq!(refusal(json!("x".repeat(256))), Refusal::LongSubject(256));
    assert!(judge_claims(&json!({"sub": "x".repeat(255)})).is_ok());
    for sub in [json!(7), json!(["subject-1"]), json!({}), json!(false)] {
        assert_eq!(malformed(&refusal(sub)), "sub");
    }
    for sub in ["a\nb", "a\0", "\u{85}"] {
        assert_eq!(
            refusal(json!(sub)),
            Refusal::SubjectCharacter(Shown::text(sub))
        );
    }
}

#[test]
fn an_address_counts_only_if_it_is_verified_in_so_many_words() {
    let email = |changes: &Value| -> Option<String> {
        let verified: Verified = judge_claims(changes).unwrap();
        verified.email.map(|email| email.to_string())
    };
    let address = "alice@example.com";
    let with = |verified: Value| json!({"email": address, "email_verified": verified});
    assert_eq!(email(&with(json!(true))).as_deref(), Some(address));
    for other in [
        json!(false),
        json!("true"),
        json!(1),
        json!(null),
        json!([true]),
    ] {
        assert_eq!(email(&with(other)), None);
    }
    for address in [
        json!(7),
        json!("alice"),
        json!("a@b\nc"),
        json!("a b@c"),
        json!("@example.com"),
        json!("alice@"),
        json!("mallory@evil.example@example.com"),
        json!("<mallory@evil.example>@example.com"),
        json!([address]),
    ] {
        let changes = json!({"email": address, "email_verified": true});
        assert_eq!(email(&changes), None, "{address}");
    }
}

#[test]
fn an_issuer_that_may_not_vouch_for_an_address_is_not_believed() {
    let changes = json!({"email": "alice@example.com", "email_verified": true});
    let email = |trust| {
        let mut config = config();
        config.emails = trust;
        judge(config, &token(&claims_with(&changes))).unwrap().email
    };
    assert!(email(EmailTrust::All).is_some());
    assert!(email(EmailTrust::Domains(vec!["example.com".into()])).is_some());
    assert_eq!(email(EmailTrust::Domains(vec!["example.org".into()])), None);
    assert_eq!(email(EmailTrust::None), None);
}

#[test]
fn a_claim_that_the_settings_ask_for_has_to_be_there_and_as_asked() {
    let judge = |changes: &Value| {
        let mut config = config();
        config
            .required
            .push(ClaimMatch::new("tid", ["tenant-1"]).unwrap());
        config
            .required
            .push(ClaimMatch::new("/nested/kind", ["a", "b"]).unwrap());
        judge(config, &token(&claims_with(changes)))
    };
    assert!(judge(&json!({"tid": "tenant-1", "nested": {"kind": "b"}})).is_ok());
    for (changes, name) in [
        (json!({"nested": {"kind": "b"}}), "tid"),
        (json!({"tid": "tenant-2", "nested": {"kind": "b"}}), "tid"),
        (
            json!({"tid": "tenant-1", "nested": {"kind": "c"}}),
            "/nested/kind",
        ),
        (json!({"tid": "tenant-1", "kind": "b"}), "/nested/kind"),
    ] {
        let refusal = judge(&changes).unwrap_err();
        let Refusal::Claim { claim, .. } = &refusal else {
            panic!("{refusal}");
        };
        assert_eq!(claim, name);
    }
}
