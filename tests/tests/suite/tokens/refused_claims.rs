//! What a host makes of a token's claims, the signature being good: lines 16 to 22 of the list.

use std::time::SystemTime;

use serde_json::{Value, json};
use tests::{AUDIENCE, Door, Issuer, Key, Kind};

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("the clock is right").as_secs()
}

/// What stands for null: a null in a change leaves a claim out.
fn null() -> Value {
    json!({"value": null})
}

#[track_caller]
fn refuses(door: &Door, changes: &Value, guard: &str) {
    door.refuses(&door.token(changes.clone()), guard, &changes.to_string());
}

#[track_caller]
fn opens(door: &Door, changes: &Value) {
    door.opens(&door.token(changes.clone()), &changes.to_string());
}

#[test]
fn line_16_an_issuer_is_named_to_the_letter() {
    let door = Door::start();
    refuses(&door, &json!({"iss": null}), "missing_claim");
    let url = door.issuer.url();
    for iss in [null(), json!(7), json!([url]), json!({ "url": url })] {
        refuses(&door, &json!({ "iss": iss }), "malformed_claim");
    }
    let bare = url.trim_start_matches("http://");
    for iss in [
        format!("{url}/"),
        url.replace("http", "HTTP"),
        url.replace("http", "https"),
        bare.to_owned(),
        format!("{url}.evil.example"),
        format!("https://evil.example/{url}"),
        url[..url.len() - 1].to_owned(),
        format!("{url} "),
        String::new(),
        "accounts.google.com".to_owned(),
    ] {
        refuses(&door, &json!({ "iss": iss }), "unknown_issuer");
    }
}

#[test]
fn line_17_a_token_is_for_the_function() {
    let door = Door::start();
    refuses(&door, &json!({"aud": null}), "missing_claim");
    for aud in [
        null(),
        json!(7),
        json!([]),
        json!([AUDIENCE, 7]),
        json!({}),
        json!([[AUDIENCE]]),
    ] {
        refuses(&door, &json!({ "aud": aud }), "malformed_claim");
    }
    for aud in [
        json!(&AUDIENCE[..AUDIENCE.len() - 1]),
        json!(format!("{AUDIENCE}s")),
        json!(AUDIENCE.to_uppercase()),
        json!(format!("{AUDIENCE} ")),
        json!(""),
        json!([""]),
        json!(["other", "another"]),
        json!(format!("http://{}/other", door.host.addr())),
    ] {
        refuses(&door, &json!({ "aud": aud }), "audience");
    }
    for aud in [
        json!(AUDIENCE),
        json!([AUDIENCE]),
        json!(["other", AUDIENCE]),
    ] {
        opens(&door, &json!({ "aud": aud }));
    }
}

#[test]
fn line_18_a_token_has_a_time() {
    let door = Door::start();
    refuses(&door, &json!({"exp": null}), "missing_claim");
    for exp in [
        null(),
        json!((now() + 100).to_string()),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(true),
        json!([now() + 100]),
    ] {
        refuses(&door, &json!({ "exp": exp }), "malformed_claim");
    }
    opens(&door, &json!({"exp": now() as f64 + 100.5}));
    for claim in ["nbf", "iat"] {
        for value in [null(), json!(now().to_string()), json!(-1), json!(1e300)] {
            refuses(&door, &json!({ claim: value }), "malformed_claim");
        }
    }
    // The host may be slow, so the side that time moves to gets seconds.
    let then = now() - 200;
    opens(&door, &json!({"iat": then, "exp": now() - 50}));
    refuses(&door, &json!({"iat": then, "exp": now() - 61}), "expired");
    opens(&door, &json!({"nbf": now() + 59}));
    refuses(&door, &json!({"nbf": now() + 75}), "not_yet_valid");
    opens(&door, &json!({"iat": now() + 59}));
    refuses(&door, &json!({"iat": now() + 75}), "issued_in_future");
    refuses(
        &door,
        &json!({"iat": now(), "exp": now()}),
        "ends_before_start",
    );
    refuses(
        &door,
        &json!({"nbf": now() + 30, "exp": now() + 20}),
        "ends_before_start",
    );
    let day = 24 * 60 * 60;
    let begun = now() - 10;
    opens(&door, &json!({"iat": begun, "exp": begun + day}));
    refuses(
        &door,
        &json!({"iat": begun, "exp": begun + day + 1}),
        "lifetime",
    );
}

#[test]
fn line_18_leeway_lifetime_and_age_are_what_they_are_set_to() {
    let settings = "leeway = \"10s\"\nmax-lifetime = \"5m\"\nmax-age = \"2m\"";
    let door = Door::of(Issuer::start(), settings);
    opens(&door, &json!({}));
    refuses(
        &door,
        &json!({"exp": now() - 11, "iat": now() - 60}),
        "expired",
    );
    refuses(&door, &json!({"nbf": now() + 25}), "not_yet_valid");
    refuses(
        &door,
        &json!({"iat": now() - 10, "exp": now() + 291}),
        "lifetime",
    );
    refuses(
        &door,
        &json!({"iat": now() - 131, "exp": now() + 60}),
        "age",
    );
    refuses(
        &door,
        &json!({"iat": null, "exp": now() + 60}),
        "missing_claim",
    );
}

#[test]
fn line_19_a_token_stands_for_somebody() {
    let door = Door::start();
    for (sub, guard) in [
        (json!(null), "missing_claim"),
        (null(), "malformed_claim"),
        (json!(7), "malformed_claim"),
        (json!(["ada"]), "malformed_claim"),
        (json!(""), "empty_subject"),
        (json!("a".repeat(256)), "long_subject"),
        (json!("ada\n"), "subject_character"),
    ] {
        refuses(&door, &json!({ "sub": sub }), guard);
    }
    let longest = door.show(&door.token(json!({"sub": "a".repeat(255)})));
    assert_eq!(longest.status, 403, "a good token of somebody else");
    // Of addresses: `tokens_invokers.rs`.
}

#[test]
fn line_20_a_subject_is_its_issuers() {
    let other = Issuer::start();
    let settings = format!("\n[issuers.other]\nurl = {:?}", other.url());
    let door = Door::of(Issuer::start(), &settings);
    door.host.wait_for_keys_of(&other);
    let reply = door.show(&other.token("ada", AUDIENCE));
    assert_eq!(reply.status, 403, "{reply:?}");
    let entry = door
        .host
        .wait_for_log(|line| line.contains(reply.execution_id()));
    let name = format!("principal:{}#ada", other.url());
    let named = format!(
        "{name} is not an invoker of this function; if it should be, add it with --member={name} \
         --role=roles/cloudfunctions.invoker"
    );
    assert!(entry.contains(&named), "{entry}");
    opens(&door, &json!({}));
}

#[test]
fn line_21_what_a_provider_makes_for_other_ends_lacks_a_claim() {
    let settings = "require = { typ = \"ID\", tid = [\"t\", \"u\"], repository = \"org/app\" }";
    let door = Door::of(Issuer::start(), settings);
    let good = |changes: Value| {
        let mut claims = json!({"typ": "ID", "tid": "t", "repository": "org/app"});
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims
    };
    opens(&door, &good(json!({})));
    for changes in [
        json!({"typ": "Refresh"}),
        json!({"typ": null}),
        json!({"tid": "v"}),
        json!({"tid": "tt"}),
        json!({"repository": "org-evil/app"}),
        json!({"repository": "org/*"}),
    ] {
        refuses(&door, &good(changes), "claim");
    }
}

#[test]
fn line_22_nobody_else_signs_for_the_host() {
    let door = Door::start();
    let own = format!("http://{}", door.host.admin_addr());
    refuses(&door, &json!({ "iss": own }), "unknown_key");
    // By the name of the host's own key as well.
    let keys = door.host.control_plane("/.well-known/jwks.json").json();
    let kid = keys["keys"][0]["kid"].as_str().unwrap_or_default();
    assert!(!kid.is_empty(), "{keys}");
    let forged = Key::new(kid, Kind::Es256).sign(&door.claims(json!({ "iss": own })));
    door.refuses(&forged, "signature", "by the name of the host's own key");
}
