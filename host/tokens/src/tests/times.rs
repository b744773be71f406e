//! A token's time, and a verdict's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::forge::{self, NOW, claims_with, config, judge, judge_claims, keys, malformed, token};
use crate::clock::SteadyClock;
use crate::judge::refusal::Refusal;
use crate::judge::verifier::Verifier;

#[test]
fn an_expiry_that_is_missing_or_no_date_is_refused() {
    let refusal = judge_claims(&json!({"exp": null})).unwrap_err();
    assert_eq!(refusal, Refusal::Missing("exp"));
    for exp in [
        json!("1700000600"),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MAX),
        json!([NOW + 600]),
        json!(true),
    ] {
        assert_eq!(
            malformed(&judge_claims(&json!({"exp": exp})).unwrap_err()),
            "exp"
        );
    }
}

#[test]
fn an_expiry_with_a_fraction_is_accepted() {
    let exp = json!({"exp": NOW as f64 + 600.5});
    assert!(judge_claims(&exp).is_ok());
}

#[test]
fn a_token_is_good_until_its_expiry_and_the_leeway_are_over() {
    let judge = |exp: i64| judge_claims(&json!({"exp": exp, "iat": NOW - 600, "nbf": null}));
    assert!(judge(NOW + 1).is_ok());
    assert!(judge(NOW - 59).is_ok());
    for exp in [NOW - 60, NOW - 61] {
        let refusal = judge(exp).unwrap_err();
        assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
    }
}

#[test]
fn a_token_is_good_from_its_start_less_the_leeway() {
    let judge = |nbf: i64| judge_claims(&json!({"nbf": nbf, "iat": null}));
    assert!(judge(NOW + 59).is_ok());
    assert!(judge(NOW + 60).is_ok());
    let refusal = judge(NOW + 61).unwrap_err();
    assert!(matches!(refusal, Refusal::NotYetValid { .. }), "{refusal}");
}

#[test]
fn a_token_that_was_issued_in_the_future_is_refused() {
    let judge = |iat: i64| judge_claims(&json!({"iat": iat, "nbf": null}));
    assert!(judge(NOW + 60).is_ok());
    let refusal = judge(NOW + 61).unwrap_err();
    assert!(
        matches!(refusal, Refusal::IssuedInFuture { .. }),
        "{refusal}"
    );
}

#[test]
fn the_leeway_is_what_it_is_set_to() {
    let judge = |leeway: u64, changes: Value| {
        let mut config = config();
        config.leeway = Duration::from_secs(leeway);
        judge(config, &token(&claims_with(&changes)))
    };
    let expired = json!({"exp": NOW - 1});
    assert!(judge(2, expired.clone()).is_ok());
    assert!(matches!(judge(1, expired), Err(Refusal::Expired { .. })));
    assert!(matches!(
        judge(0, json!({"exp": NOW})),
        Err(Refusal::Expired { .. })
    ));
    assert!(matches!(
        judge(0, json!({"nbf": NOW + 1})),
        Err(Refusal::NotYetValid { .. })
    ));
    assert!(judge(0, json!({"nbf": NOW, "iat": NOW})).is_ok());
}

#[test]
fn a_start_or_an_issue_that_is_no_date_is_refused() {
    for claim in ["nbf", "iat"] {
        for value in [
            json!("soon"),
            json!("1700000000"),
            json!(-5),
            json!(1e300),
            json!([]),
        ] {
            let refusal = judge_claims(&json!({claim: value})).unwrap_err();
            assert_eq!(malformed(&refusal), claim);
        }
    }
}

#[test]
fn a_token_that_expires_before_it_starts_is_refused_even_within_the_leeway() {
    for (claim, start) in [
        ("iat", NOW),
        ("iat", NOW + 10),
        ("nbf", NOW),
        ("nbf", NOW + 10),
    ] {
        let changes = json!({"iat": null, "nbf": null, "exp": NOW});
        let mut claims = claims_with(&changes);
        claims[claim] = start.into();
        let refusal = judge(config(), &token(&claims)).unwrap_err();
        assert!(
            matches!(refusal, Refusal::EndsBeforeStart { .. }),
            "{refusal}"
        );
    }
}

#[test]
fn a_lifetime_over_the_maximum_is_refused() {
    let day = 24 * 60 * 60;
    let judge = |exp: i64, iat: Value| judge_claims(&json!({"exp": exp, "iat": iat, "nbf": null}));
    assert!(judge(NOW - 10 + day, json!(NOW - 10)).is_ok());
    for refusal in [
        judge(NOW - 10 + day + 1, json!(NOW - 10)),
        judge(253_402_300_799, json!(NOW - 10)),
        // Without iat, life is counted from this moment.
        judge(NOW + day + 1, json!(null)),
    ] {
        let refusal = refusal.unwrap_err();
        assert!(matches!(refusal, Refusal::Lifetime { .. }), "{refusal}");
    }
    assert!(judge(NOW + day, json!(null)).is_ok());
    // With nbf alone it is counted from there.
    let old = json!({"exp": NOW + 1, "iat": null, "nbf": NOW - day});
    let refusal = judge_claims(&old).unwrap_err();
    assert!(matches!(refusal, Refusal::Lifetime { .. }), "{refusal}");
    let mut config = config();
    config.max_lifetime = Duration::from_secs(60);
    let refusal = forge::judge(config, &token(&forge::claims())).unwrap_err();
    assert!(matches!(refusal, Refusal::Lifetime { .. }), "{refusal}");
}

#[test]
fn where_the_age_is_bounded_an_old_token_is_refused_and_one_that_does_not_tell_too() {
    let judge = |iat: Value| {
        let mut config = config();
        config.max_age = Some(Duration::from_secs(300));
        judge(
            config,
            &token(&claims_with(&json!({"iat": iat, "nbf": null}))),
        )
    };
    assert!(judge(json!(NOW - 360)).is_ok());
    assert!(matches!(judge(json!(NOW - 361)), Err(Refusal::Age { .. })));
    assert_eq!(judge(json!(null)).unwrap_err(), Refusal::Missing("iat"));
    assert!(judge_claims(&json!({"iat": NOW - 3000, "nbf": null})).is_ok());
}

#[test]
fn a_clock_that_is_set_back_makes_no_expired_token_good_again() {
    let token = token(&forge::claims());
    let verifier = forge::verifier(config());
    let verified = judge(config(), &token).unwrap();
    let (begun, begin) = (forge::at(NOW), Instant::now());
    let clock = SteadyClock::at(begun, begin);
    let hour = Duration::from_secs(60 * 60);
    // An hour later the token has expired, and the system says that it is the time when the token was good.
    let moment = clock.when(begun, begin + hour);
    let by_the_system = verifier.verify(&token, keys(), begun);
    assert!(by_the_system.is_ok(), "{by_the_system:?}");
    for refusal in [
        verifier.verify(&token, keys(), moment.time).unwrap_err(),
        verifier.verify_again(&verified, moment.time).unwrap_err(),
    ] {
        assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
    }
    assert_eq!(moment.set_back, hour);
}

#[test]
fn a_clock_that_is_far_from_right_accepts_nothing_and_does_not_panic() {
    let token = token(&forge::claims());
    let verifier = forge::verifier(config());
    for now in [
        UNIX_EPOCH - Duration::from_secs(9),
        UNIX_EPOCH,
        forge::at(NOW - 3600),
    ] {
        let refusal = verifier.verify(&token, keys(), now).unwrap_err();
        assert!(matches!(refusal, Refusal::NotYetValid { .. }), "{refusal}");
    }
    let bare = forge::token(&claims_with(&json!({"iat": null, "nbf": null})));
    let refusal = verifier.verify(&bare, keys(), UNIX_EPOCH).unwrap_err();
    assert!(matches!(refusal, Refusal::Lifetime { .. }), "{refusal}");
    let far = UNIX_EPOCH
        .checked_add(Duration::from_secs(1 << 50))
        .unwrap_or(SystemTime::now());
    let refusal = verifier.verify(&token, keys(), far).unwrap_err();
    assert!(matches!(refusal, Refusal::Expired { .. }), "{refusal}");
}

#[test]
fn a_verdict_that_is_used_again_is_judged_again_for_time_audience_and_settings() {
    let verifier = forge::verifier(config());
    let verified = judge(config(), &token(&forge::claims())).unwrap();
    assert_eq!(
        verifier.verify_again(&verified, forge::at(NOW + 600)),
        Ok(())
    );
    let late = verifier
        .verify_again(&verified, forge::at(NOW + 660))
        .unwrap_err();
    assert!(matches!(late, Refusal::Expired { .. }), "{late}");
    let other = Verifier::new(config(), ["https://host.example/other".to_owned()]);
    let refusal = other.verify_again(&verified, forge::at(NOW)).unwrap_err();
    assert!(matches!(refusal, Refusal::Audience { .. }), "{refusal}");
    let mut stricter = config();
    stricter.max_lifetime = Duration::from_secs(1);
    let refusal = forge::verifier(stricter)
        .verify_again(&verified, forge::at(NOW))
        .unwrap_err();
    assert!(matches!(refusal, Refusal::Lifetime { .. }), "{refusal}");
    let mut elsewhere = config();
    elsewhere.issuer = "https://elsewhere.example".parse().unwrap();
    let refusal = forge::verifier(elsewhere)
        .verify_again(&verified, forge::at(NOW))
        .unwrap_err();
    assert!(matches!(refusal, Refusal::Issuer { .. }), "{refusal}");
}
