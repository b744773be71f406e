//! The host's own issuer from the command line: service accounts, their tokens, and its keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tests::served::{ACCOUNT, ROLE, Served, assert_fails, print, succeeded};
use tests::{State, wait_until};

/// The header and the claims of a token.
#[track_caller]
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).expect("it is base64url");
        serde_json::from_slice(&json).unwrap_or_default()
    });
    [(); 2].map(|()| parts.next().expect("a token has three parts"))
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// The names of the keys that the control plane publishes.
#[track_caller]
fn published(served: &Served) -> Vec<String> {
    let keys = served.host.control_plane("/.well-known/jwks.json").json();
    let keys = keys["keys"].as_array().expect("a key set has keys");
    let mut names: Vec<_> = keys.iter().map(|key| text(&key["kid"])).collect();
    names.sort();
    names
}

#[test]
fn a_service_account_is_created_listed_described_and_deleted() {
    let state = State::new();
    let run = |arguments: &str| state.run(arguments);
    let created = run("iam service-accounts create caller --display-name Caller");
    assert_eq!(created.stdout, "email: caller@host.internal\n");
    assert!(created.stderr.contains("Created service account [caller]."));
    let described = succeeded(run(
        "iam service-accounts describe caller@host.internal --format json",
    ));
    let account: Value = serde_json::from_str(&described).expect("it is JSON");
    assert_eq!(account["email"], "caller@host.internal");
    assert_eq!(account["displayName"], "Caller");
    let subject = text(&account["uniqueId"]);
    assert!(subject.len() == 21 && subject.bytes().all(|byte| byte.is_ascii_digit()));
    let listed = succeeded(run("iam service-accounts list --format json"));
    assert_eq!(
        serde_json::from_str::<Value>(&listed).ok(),
        Some(serde_json::json!([account]))
    );
    succeeded(run(
        "iam service-accounts delete caller@host.internal --quiet",
    ));
    let none = run("iam service-accounts list");
    assert_eq!(
        (none.stdout.as_str(), none.stderr.as_str()),
        ("", "Listed 0 items.\n")
    );
}

#[test]
fn what_is_no_account_is_told_and_a_name_that_is_alike_is_suggested() {
    let state = State::new();
    let run = |arguments: &str| state.run(arguments);
    succeeded(run("iam service-accounts create caller"));
    assert_fails(
        &run("iam service-accounts create caller"),
        1,
        "caller@host.internal already",
    );
    let longest = "a".repeat(31);
    for name in [
        "Caller",
        "1caller",
        "caller-",
        "call_er",
        "call.er",
        "cäller",
        "a@b",
        longest.as_str(),
    ] {
        let output = run(&format!("iam service-accounts create {name}"));
        assert_fails(&output, 2, "is not the name of a service account");
    }
    succeeded(run(&format!(
        "iam service-accounts create {}",
        &longest[1..]
    )));
    let unknown = [
        "iam service-accounts describe caler@host.internal",
        "iam service-accounts delete --quiet caler@host.internal",
        "auth print-identity-token --impersonate-service-account caler@host.internal --audiences x",
    ];
    for command in unknown {
        assert_fails(&run(command), 1, "did you mean `caller@host.internal`?");
    }
}

#[test]
fn a_token_says_what_was_asked_for_and_no_more() {
    let state = State::new();
    let run = |arguments: &str| state.run(arguments);
    succeeded(run("iam service-accounts create caller"));
    let described = succeeded(run(
        "iam service-accounts describe caller@host.internal --format json",
    ));
    let account: Value = serde_json::from_str(&described).expect("it is JSON");
    let token = |flags: &str| succeeded(run(&format!("{} {flags}", print("https://a.example/f"))));
    let [header, claims] = parts(&token(""));
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&"RS256".into(), &"JWT".into())
    );
    assert_eq!(claims["aud"], "https://a.example/f");
    assert_eq!(claims["sub"], account["uniqueId"]);
    assert_eq!(claims["email"], Value::Null);
    let lifetime = |claims: &Value| Some(claims["exp"].as_u64()? - claims["iat"].as_u64()?);
    assert_eq!(lifetime(&claims), Some(3600));
    let [_, claims] = parts(&token("--include-email --lifetime 1s"));
    assert_eq!(
        (&claims["email"], &claims["email_verified"]),
        (&account["email"], &true.into())
    );
    assert_eq!(lifetime(&claims), Some(1));
    for lifetime in ["0s", "500ms", "3601s", "2h"] {
        let output = run(&format!("{} --lifetime {lifetime}", print("x")));
        assert!(
            output.code != Some(0) && output.stdout.is_empty(),
            "{lifetime}: {output:?}"
        );
    }
}

#[test]
fn a_token_is_good_at_once_and_checked_by_the_keys_that_others_see() {
    let served = Served::without_invokers();
    let issuer = format!("http://{}", served.host.admin_addr());
    let discovery = served
        .host
        .control_plane("/.well-known/openid-configuration")
        .json();
    assert_eq!(discovery["issuer"], *issuer);
    assert_eq!(
        discovery["jwks_uri"],
        format!("{issuer}/.well-known/jwks.json")
    );
    assert_eq!(
        discovery["id_token_signing_alg_values_supported"],
        serde_json::json!(["ES256"])
    );
    served.succeed(&format!(
        "functions add-iam-policy-binding echoes --member principal:{issuer}#1 --role {ROLE}"
    ));
    served.succeed("iam service-accounts create caller");
    let token = served.token();
    assert_eq!(served.status(&token), 403, "known at once, and no invoker");
    let binding =
        format!("functions add-iam-policy-binding echoes --member {ACCOUNT} --role {ROLE}");
    served.succeed(&binding);
    let reply = served.get(&token);
    assert_eq!(reply.status, 200, "{reply:?}");
    let [header, claims] = parts(&token);
    assert_eq!(claims["iss"], *issuer);
    assert_eq!(published(&served), [text(&header["kid"])]);
    let subject = format!("x-host-caller-subject: {}\n", text(&claims["sub"]));
    assert!(reply.text().contains(&subject), "{}", reply.text());
    let keys = served.host.control_plane("/.well-known/jwks.json");
    assert!(
        keys.json()["keys"][0].get("d").is_none(),
        "the private half stays here"
    );
}

#[test]
fn tokens_of_an_account_that_is_gone_are_refused_even_if_another_has_its_name() {
    let served = Served::start();
    let token = served.token();
    assert_eq!(served.status(&token), 200);
    served.succeed("iam service-accounts delete caller@host.internal --quiet");
    assert_eq!(served.status(&token), 401);
    served.succeed("iam service-accounts create caller");
    assert_ne!(served.status(&served.token()), 401, "the new one is known");
    assert_eq!(served.status(&token), 401);
}

#[test]
fn what_is_revoked_is_refused_at_once_and_gets_no_new_token() {
    let mut served = Served::start();
    let token = served.token();
    let [header, claims] = parts(&token);
    assert_eq!(served.status(&token), 200);
    served.succeed(&format!("auth revoke --subject {}", text(&claims["sub"])));
    assert_eq!(served.status(&token), 401);
    served
        .host
        .wait_for_log(|line| line.contains("(revoked)") && line.contains("subject"));
    // Whatever the issuer is called by then.
    for flags in [&[][..], &["--issuer-url=https://id.example"]] {
        let refused = served.run(&print(&served.url()));
        assert_fails(&refused, 1, "caller@host.internal is revoked");
        let refused = served.run("functions call echoes");
        assert_fails(&refused, 1, "caller@host.internal is revoked");
        served = served.again(flags);
    }

    let served_again = Served::start();
    let token = served_again.token();
    let kid = text(&parts(&token)[0]["kid"]);
    assert_eq!(served_again.status(&token), 200);
    served_again.succeed("iam keys rotate --at-once --algorithm ES256");
    served_again.succeed(&format!("auth revoke --key-id {kid}"));
    assert_eq!(served_again.status(&token), 401);
    assert!(
        !published(&served_again).contains(&kid),
        "nor does anybody else accept it"
    );
    assert_eq!(
        served_again.status(&served_again.token()),
        200,
        "the other key signs"
    );
    assert_ne!(text(&header["kid"]), kid);
    assert_fails(&served.run("auth revoke"), 2, "--subject");
}

#[test]
fn an_account_is_revoked_by_its_address_as_well() {
    let served = Served::start();
    let token = served.token();
    assert_eq!(served.status(&token), 200);
    let revoked = served.run("auth revoke --subject caller@host.internal");
    let [_, claims] = parts(&token);
    let subject = text(&claims["sub"]);
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert!(revoked.stderr.contains(&subject), "{revoked:?}");
    assert_eq!(served.status(&token), 401);
}

#[test]
fn what_would_be_revoked_to_no_effect_is_told() {
    let served = Served::start();
    let token = served.token();
    let [header, claims] = parts(&token);
    let (subject, kid) = (text(&claims["sub"]), text(&header["kid"]));
    let own = format!("http://{}", served.host.admin_addr());
    let config = served.state.file(
        "other.toml",
        "[issuers.it]\nprovider = \"auth0\"\nurl = \"https://t.auth0.com\"\n",
    );
    let config = config.display();
    let nearest = format!("did you mean `{subject}`?");
    let nearest_key = format!("did you mean `{kid}`?");
    let suggestion = format!("did you mean `{own}`?");
    for (arguments, reason) in [
        (
            "--subject caler@host.internal".to_owned(),
            "did you mean `caller@host.internal`?",
        ),
        (format!("--subject {}", &subject[..20]), &nearest),
        ("--subject x".to_owned(), "has the subject x;"),
        (format!("--key-id {}", &kid[..40]), &nearest_key),
        (format!("--issuer {own}/ --subject {subject}"), &suggestion),
        (
            "--issuer https://accounts.google.com/ --subject 1".to_owned(),
            "did you mean `https://accounts.google.com`?",
        ),
        (
            format!("--issuer https://t.auth0.com --subject 1 --config {config}"),
            "did you mean `https://t.auth0.com/`?",
        ),
    ] {
        assert_fails(&served.run(&format!("auth revoke {arguments}")), 1, reason);
    }
    assert_eq!(served.status(&token), 200);
    // The host may have been told of an issuer that this command cannot know.
    let elsewhere = served.run("auth revoke --issuer https://id.example --subject 1");
    assert_eq!(elsewhere.code, Some(0), "{elsewhere:?}");
    assert!(elsewhere.stderr.contains("warning:"), "{elsewhere:?}");
    // One name of a key in 64 begins so.
    let dashed = served.run("auth revoke --key-id -no-key-of-this-host");
    assert_fails(&dashed, 1, "has no key -no-key-of-this-host");
}

#[test]
fn rotations_at_once_do_not_fill_the_key_set() {
    let served = Served::start();
    let rotated = (0..100).map(|_| served.run("iam keys rotate --at-once --algorithm ES256"));
    let refused = rotated.into_iter().find(|output| output.code != Some(0));
    assert_fails(&refused.expect("there is a bound"), 1, "keys are published");
    let served = served.again(&[]);
    assert_eq!(served.status(&served.token()), 200);
}

#[test]
fn keys_rotate_in_two_steps_and_old_tokens_go_on() {
    let served = Served::start();
    let token = served.token();
    let keys = |phases: &[&str]| {
        let listed = served.succeed("iam keys list --format json");
        let keys: Value = serde_json::from_str(&listed).expect("it is JSON");
        let keys = keys.as_array().cloned().unwrap_or_default();
        let mut found: Vec<_> = keys.iter().map(|key| text(&key["state"])).collect();
        found.sort();
        assert_eq!(found, phases);
        let mut names: Vec<_> = keys.iter().map(|key| text(&key["keyId"])).collect();
        names.sort();
        names
    };
    assert_eq!(keys(&["CURRENT"]), published(&served));
    served.succeed("iam keys rotate --algorithm EdDSA");
    let names = keys(&["CURRENT", "NEXT"]);
    wait_until("the next key is published", || published(&served) == names);
    let kid = |token: &str| text(&parts(token)[0]["kid"]);
    assert_eq!(
        kid(&served.token()),
        kid(&token),
        "nobody knows the next key yet"
    );
    served.succeed("iam keys rotate --at-once");
    assert_eq!(keys(&["CURRENT", "PREVIOUS"]), names);
    let new = served.token();
    assert_ne!(kid(&new), kid(&token));
    assert_eq!(parts(&new)[0]["alg"], "EdDSA");
    assert_eq!((served.status(&new), served.status(&token)), (200, 200));
    assert_eq!(published(&served), names);
}

#[test]
fn keys_accounts_and_revocations_outlast_the_host() {
    let flags = [
        "--issuer-url=https://id.example",
        "--public-url=https://a.example",
    ];
    let served = Served::with(&flags);
    let discovery = served
        .host
        .control_plane("/.well-known/openid-configuration")
        .json();
    assert_eq!(discovery["issuer"], "https://id.example");
    assert_eq!(
        discovery["jwks_uri"],
        "https://id.example/.well-known/jwks.json"
    );
    let [kept, revoked] = ["kept", "revoked"].map(|name| {
        let account = format!("{name}@host.internal");
        served.succeed(&format!("iam service-accounts create {name}"));
        let member = format!("--member serviceAccount:{account} --role {ROLE}");
        served.succeed(&format!("functions add-iam-policy-binding echoes {member}"));
        let command = print("https://a.example/echoes").replace("caller@host.internal", &account);
        let token = served.succeed(&command).trim_end().to_owned();
        assert_eq!(served.status(&token), 200);
        token
    });
    let [_, claims] = parts(&revoked);
    assert_eq!(claims["iss"], "https://id.example");
    served.succeed(&format!("auth revoke --subject {}", text(&claims["sub"])));
    let served = served.again(&flags);
    assert_eq!(served.status(&kept), 200);
    assert_eq!(served.status(&revoked), 401);
}

#[test]
fn what_signs_is_kept_where_nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let served = Served::start();
    let state = served.state.beside().join("state");
    let permissions = std::fs::metadata(&state)
        .expect("it is there")
        .permissions();
    assert_eq!(permissions.mode() & 0o077, 0, "{permissions:?}");
}
