//! A token that comes again is judged by its standing, which says the same as all checks of its claims would.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::forge::{self, AUDIENCE, NOW};
use crate::issuer::config::IssuerConfig;
use crate::judge::verified::Verified;
use crate::judge::verifier::Verifier;

const EVERYWHERE: &str = "everywhere";

/// Settings under which the same claims are good at other times and in other places.
fn settings() -> Vec<Arc<IssuerConfig>> {
    let mut all = Vec::new();
    for leeway in [0, 60, 100_000_000_000] {
        for max_age in [None, Some(100)] {
            for audiences in [vec![], vec![EVERYWHERE.to_owned(), String::new()]] {
                all.push(Arc::new(IssuerConfig {
                    leeway: Duration::from_secs(leeway),
                    max_age: max_age.map(Duration::from_secs),
                    max_lifetime: Duration::from_secs(700),
                    audiences,
                    ..forge::config()
                }));
            }
        }
    }
    all
}

fn tokens() -> Vec<String> {
    let times = [
        json!({}),
        json!({"iat": null}),
        json!({"nbf": null}),
        json!({"iat": null, "nbf": null}),
        json!({"nbf": NOW + 50, "exp": NOW as f64 + 300.5}),
        json!({"iat": NOW as f64 - 10.25, "nbf": NOW - 200}),
    ];
    let audiences = [
        json!(AUDIENCE),
        json!([AUDIENCE, "other"]),
        json!(EVERYWHERE),
        json!(["", AUDIENCE]),
    ];
    let mut all = Vec::new();
    for times in &times {
        for audience in &audiences {
            let claims = forge::changed(forge::claims_with(times), &json!({"aud": audience}));
            all.push(forge::token(&claims));
        }
    }
    all
}

/// Each bound of one of these tokens under one of these settings, and a millisecond to both sides.
fn moments() -> Vec<SystemTime> {
    let seconds = [
        -300, -200, -160, -110, -100, -70, -10, -1, 0, 50, 90, 100, 150, 160, 300, 360, 600, 660,
        9000,
    ];
    let around = |second: i64| {
        [-250, -1, 0, 1, 500, 750].map(|step: i64| {
            let milliseconds = (NOW + second) * 1000 + step;
            SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds.unsigned_abs())
        })
    };
    seconds.into_iter().flat_map(around).collect()
}

/// What a verifier makes of `token` that meets it at a good moment.
fn verified(config: &Arc<IssuerConfig>, token: &str) -> Option<Verified> {
    let everybody = [AUDIENCE.to_owned(), EVERYWHERE.to_owned()];
    let verifier = Verifier::new(Arc::clone(config), everybody);
    let mut moments = moments().into_iter();
    moments.find_map(|now| verifier.verify(token, forge::keys(), now).ok())
}

#[test]
fn a_standing_says_what_all_checks_anew_would_say() {
    let places: [&[&str]; 5] = [
        &[AUDIENCE],
        &["other", EVERYWHERE],
        &["nowhere"],
        &[""],
        &[],
    ];
    let tokens = tokens();
    let (mut good, mut bad) = (0, 0);
    for config in settings() {
        for token in &tokens {
            let Some(verified) = verified(&config, token) else {
                continue;
            };
            for place in places {
                let audiences: Vec<String> = place.iter().map(|&name| name.to_owned()).collect();
                let verifier = Verifier::new(Arc::clone(&config), audiences.clone());
                for now in moments() {
                    let anew = verifier.verify_again(&verified, now);
                    let stands = verified.standing.holds(&audiences, now);
                    let shown: Value = json!({"place": place, "leeway": config.leeway.as_secs()});
                    assert_eq!(stands, anew.is_ok(), "{shown}: {anew:?} at {now:?}");
                    *(if stands { &mut good } else { &mut bad }) += 1;
                }
            }
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} and {bad}");
}
