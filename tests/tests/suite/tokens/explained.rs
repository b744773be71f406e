//! `host auth explain`: what fails, which setting to change, and whose tokens it knows.

use serde_json::{Value, json};
use tests::served::{ROLE, deploy, succeeded};
use tests::{AUDIENCE, Door, Host, Issuer, Key, Kind, Output, State};

fn explain(door: &Door, token: &str) -> Output {
    door.run(&format!("auth explain {token} --function f"))
}

/// The lines of the check that fails and is called `title`.
fn failed<'a>(output: &'a Output, title: &str) -> Vec<&'a str> {
    let lines = output.stdout.lines();
    let mut lines = lines.skip_while(|line| *line != format!("fail  {title}"));
    let title = lines.next();
    let rest = lines.take_while(|line| line.starts_with("      "));
    title.into_iter().chain(rest).collect()
}

#[test]
fn every_check_that_fails_names_the_setting_to_change() {
    let settings = "authorized-parties = [\"app\"]\nmax-age = \"2m\"\nrequire = { typ = \"ID\" }";
    let door = Door::of(Issuer::start(), settings);
    let good = json!({"azp": "app", "typ": "ID"});
    let with = |changes: Value| {
        let mut claims = good.clone();
        for (name, value) in changes.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        door.token(claims)
    };
    let now = door.claims(json!({}))["iat"].as_u64().unwrap_or_default();
    let key = door.issuer.key();
    let claims = || door.claims(good.clone());
    let accepted = explain(&door, &with(json!({})));
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    assert!(!accepted.stdout.contains("setting:"), "{accepted:?}");
    let other = Key::new("other", Kind::Es256);
    let forged = Key::new("first", Kind::Es256);
    let es384 = Key::new("first", Kind::Es384);
    for (token, title, setting) in [
        (
            "e30.e30".to_owned(),
            "form and issuer",
            "none: the token has to be made anew",
        ),
        (
            with(json!({"iss": "https://stranger.example"})),
            "form and issuer",
            "`--issuer` of `host serve`, or `url` below `[issuers.NAME]`",
        ),
        (
            es384.sign(&claims()),
            "algorithm (alg)",
            "`algorithms` of the issuer",
        ),
        (
            key.sign_with(json!({"typ": "at+jwt"}), &claims()),
            "type (typ)",
            "`access-tokens = true` of the issuer",
        ),
        (
            key.sign_with(json!({"typ": "logout+jwt"}), &claims()),
            "type (typ)",
            "none: show an ID token",
        ),
        (
            other.sign(&claims()),
            "key (kid)",
            "`keys-url` of the issuer",
        ),
        (
            forged.sign(&claims()),
            "signature",
            "none: the token has to be made anew",
        ),
        (
            with(json!({"aud": "other"})),
            "audience (aud)",
            "`audiences` of the function or of the issuer",
        ),
        (
            with(json!({"azp": "other"})),
            "client (azp)",
            "`authorized-parties` of the issuer",
        ),
        (
            with(json!({"exp": now - 100, "iat": now - 110})),
            "expiry (exp)",
            "`leeway` of the issuer",
        ),
        (
            with(json!({"nbf": now + 200})),
            "start (nbf)",
            "`leeway` of the issuer",
        ),
        (
            with(json!({"iat": now + 200})),
            "issue (iat)",
            "`leeway` of the issuer",
        ),
        (
            with(json!({"exp": now - 20, "iat": now - 10})),
            "order of exp, iat and nbf",
            "none: the token has to be made anew",
        ),
        (
            with(json!({"exp": now + 1_000_000})),
            "lifetime",
            "`max-lifetime` of the issuer",
        ),
        (
            with(json!({"iat": now - 200})),
            "age",
            "`max-age` of the issuer",
        ),
        (
            with(json!({"sub": ""})),
            "subject (sub)",
            "none: the token has to be made anew",
        ),
        (
            with(json!({"typ": "Refresh"})),
            "claims asked for",
            "`require` of the issuer",
        ),
        (
            with(json!({"sub": "bob"})),
            "invoker",
            "`host functions add-iam-policy-binding`, or `invokers` or `invoker-rules` of the function",
        ),
    ] {
        let output = explain(&door, &token);
        assert_eq!(output.code, Some(1), "{title}: {output:?}");
        let lines = failed(&output, title);
        let named = format!("      setting:  {setting}");
        assert!(
            lines.iter().any(|line| line.starts_with(&named)),
            "{title}, {setting}: {output:?}"
        );
        let fails = output.stdout.matches("fail  ").count();
        assert_eq!(
            output.stdout.matches("setting:").count(),
            fails,
            "{output:?}"
        );
        assert!(output.stdout.contains("refused: "), "{output:?}");
        assert_eq!(
            door.show(&token).status / 100,
            4,
            "the host is of the same mind"
        );
    }
}

#[test]
fn a_revocation_fails_as_well_and_no_setting_undoes_it() {
    let door = Door::start();
    succeeded(door.run(&format!(
        "auth revoke --issuer {} --subject ada",
        door.issuer.url()
    )));
    let output = explain(&door, &door.token(json!({})));
    assert_eq!(output.code, Some(1), "{output:?}");
    let lines = failed(&output, "revocation");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("setting:  none: what is revoked stays so")),
        "{output:?}"
    );
}

#[test]
fn issuers_are_those_that_the_host_was_told_of_also_once_it_has_ended() {
    let (named, declared) = (Issuer::start(), Issuer::start());
    let state = State::new();
    succeeded(state.run(&deploy()));
    for issuer in [&named, &declared] {
        let member = issuer.principal("ada");
        succeeded(state.run(&format!(
            "functions add-iam-policy-binding echoes --member {member} --role {ROLE}"
        )));
    }
    let config = state.file(
        "host.toml",
        format!(
            "[issuers.it]\nurl = {:?}\naudiences = [{AUDIENCE:?}]\n",
            declared.url()
        ),
    );
    let explain = |issuer: &Issuer| {
        let token = issuer.token("ada", AUDIENCE);
        state.run(&format!("auth explain {token} --function echoes"))
    };
    assert_eq!(
        explain(&named).code,
        Some(1),
        "no host has said that it is trusted"
    );
    let host: Host = state
        .serve()
        .arg("--signing-algorithm=ES256")
        .arg(format!("--issuer={}", named.url()))
        .arg(format!("--audience={AUDIENCE}"))
        .arg("--config")
        .arg(&config)
        .start();
    for issuer in [&named, &declared] {
        let explained = explain(issuer);
        assert_eq!(explained.code, Some(0), "{explained:?}");
        assert!(explained.stdout.ends_with("accepted\n"), "{explained:?}");
    }
    let stranger = explain(&Issuer::start());
    assert_eq!(stranger.code, Some(1), "{stranger:?}");
    drop(host);
    std::fs::remove_file(config).expect("it is there");
    assert_eq!(explain(&named).code, Some(0));
    let gone = explain(&declared);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(
        gone.stderr.contains("say where it is with --config"),
        "{gone:?}"
    );
}

#[test]
fn a_component_of_the_command_line_is_explained_by_its_name() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let explain = |token: &str| host.run(&format!("auth explain {token} --function echoes"));
    for (token, code, told) in [
        (issuer.token("ada", AUDIENCE), 0, "accepted"),
        (issuer.token("bob", AUDIENCE), 1, "fail  invoker"),
        (issuer.token("ada", "other"), 1, "fail  audience (aud)"),
        (
            issuer.token("ada", &format!("http://{}/", host.addr())),
            0,
            "accepted",
        ),
    ] {
        let output = explain(&token);
        assert_eq!(output.code, Some(code), "{output:?}");
        assert!(output.stdout.contains(told), "{told}: {output:?}");
        let status = if code == 0 { 2 } else { 4 };
        assert_eq!(host.get_with("/", &token).status / 100, status, "{told}");
    }
    let other = host.run("auth explain e30.e30.e30 --function hello");
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(
        other.stderr.contains("there is no function `hello`"),
        "{other:?}"
    );
    let own = Host::serve("echoes")
        .args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"])
        .start();
    succeeded(own.run("iam service-accounts create caller"));
    let url = format!("http://{}", own.addr());
    let token = succeeded(own.run(&tests::served::print(&url)));
    let output = own.run(&format!("auth explain {} --function echoes", token.trim()));
    assert_eq!(
        output.code,
        Some(0),
        "every service account may call: {output:?}"
    );
}

#[test]
fn a_revocation_is_of_an_issuer_that_the_host_was_told_of() {
    let door = Door::start();
    let url = door.issuer.url();
    let known = door.run(&format!("auth revoke --issuer {url} --token-id one"));
    assert_eq!(known.code, Some(0), "{known:?}");
    assert!(!known.stderr.contains("warning"), "{known:?}");
    let alike = door.run(&format!("auth revoke --issuer {url}/ --token-id one"));
    assert_eq!(alike.code, Some(1), "{alike:?}");
    assert!(
        alike.stderr.contains(&format!("did you mean `{url}`?")),
        "{alike:?}"
    );
}
