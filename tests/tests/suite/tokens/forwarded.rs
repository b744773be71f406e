//! What of a request's credentials reaches a function, its caller's name above all, and that none reaches the log.

use serde_json::{Value, json};
use tests::{
    AUDIENCE, BAD_TOKEN, Host, Issuer, Key, Kind, NO_TOKEN, Reply, State, assert_refused, guest,
};

fn get_with(host: &Host, token: &str) -> Reply {
    host.get_with("/headers", token)
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[test]
fn the_serverless_field_alone_decides_when_it_is_there() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let good = issuer.token("ada", AUDIENCE);
    let ask = |serverless: &str, authorization: &str| {
        let fields =
            format!("X-Serverless-Authorization: {serverless}\nAuthorization: {authorization}");
        host.request(&format!("GET /headers\n{fields}"), "")
    };
    let reply = ask(&format!("Bearer {good}"), "Basic YTpi");
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(
        reply.text().contains("authorization: Basic YTpi\n"),
        "it is the function's own affair"
    );
    assert!(!reply.text().contains("serverless") && !reply.text().contains(&good));
    let reply = ask(&format!("Bearer {good}"), &format!("Bearer {good}"));
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(
        !reply.text().contains(&good),
        "a token of a trusted issuer does not pass beside it"
    );
    assert_refused(
        &ask("Bearer e30.e30.e30", &format!("Bearer {good}")),
        401,
        BAD_TOKEN,
    );
    assert_refused(&ask("Basic YTpi", &format!("Bearer {good}")), 401, NO_TOKEN);
    assert_refused(&ask("", &format!("Bearer {good}")), 401, NO_TOKEN);
}

#[test]
fn the_function_sees_who_calls_and_callers_cannot_say_it() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let forged = "X-Host-Caller-Subject: root\nx-host-caller-subject: root\nX-HOST-CALLER-EMAIL: root@host.internal\n\
                  X-Host-Caller-Issuer: https://evil.example\nX_Host_Caller_Subject: root\nx-host_caller-email: root@a";
    let seen = |claims: &Value| -> Vec<String> {
        let token = issuer.key().sign(claims);
        let reply = host.request(
            &format!("GET /headers\n{forged}\nAuthorization: Bearer {token}"),
            "",
        );
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(!reply.text().contains("authorization"), "{}", reply.text());
        let mut lines: Vec<_> = reply
            .text()
            .lines()
            .filter(|line| line.contains("caller"))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    let named = [
        format!("x-host-caller-issuer: {}", issuer.url()),
        "x-host-caller-subject: ada".to_owned(),
    ];
    let claims = with(
        issuer.claims("ada", AUDIENCE),
        "email",
        json!("ada@a.example"),
    );
    assert_eq!(seen(&claims), named);
    assert_eq!(
        seen(&with(claims.clone(), "email_verified", json!(false))),
        named
    );
    let email = "x-host-caller-email: ada@a.example".to_owned();
    let all = [[email].as_slice(), &named].concat();
    let verified = with(claims, "email_verified", json!(true));
    assert_eq!(seen(&verified), all);
    for address in ["ad\u{e4}@a.example", "caller@host.internal"] {
        let other = with(verified.clone(), "email", json!(address));
        assert_eq!(seen(&other), named, "{address}");
    }
}

#[test]
fn a_subject_beyond_ascii_is_let_in_and_not_told() {
    let issuer = Issuer::start();
    let host = Host::serve_private(&[&issuer])
        .arg(format!("--invoker={}", issuer.principal("zo\u{eb}")))
        .start();
    host.wait_for_keys_of(&issuer);
    let reply = get_with(&host, &issuer.token("zo\u{eb}", AUDIENCE));
    assert_eq!(reply.status, 200, "{reply:?}");
    let seen = reply.text();
    assert!(seen.contains("x-host-caller-issuer"), "{seen}");
    assert!(!seen.contains("x-host-caller-subject"), "{seen}");
}

#[test]
fn a_caller_cannot_have_the_host_hide_who_calls() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let token = issuer.token("ada", AUDIENCE);
    let named = "Connection: x-host-caller-subject, authorization";
    let reply = host.request(
        &format!("GET /headers\n{named}\nAuthorization: Bearer {token}"),
        "",
    );
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(
        reply.text().contains("x-host-caller-subject: ada\n"),
        "{}",
        reply.text()
    );
}

#[test]
fn no_token_is_ever_in_the_log_or_on_stderr() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let good = issuer.claims("ada", AUDIENCE);
    let tokens = [
        issuer.key().sign(&good),
        issuer.token("bob", AUDIENCE),
        issuer.token("ada", "other"),
        issuer.key().sign(&with(
            good.clone(),
            "iss",
            json!("https://stranger.example"),
        )),
        Key::new("first", Kind::Es256).sign(&good),
        format!("{}.again", issuer.key().sign(&good)),
    ];
    for token in &tokens {
        for reply in [
            get_with(&host, token),
            host.get(&format!("/?token={token}")),
        ] {
            host.wait_for_log(|line| line.contains(reply.execution_id()));
        }
    }
    let printed = host.log().join("\n") + &host.stderr();
    for part in tokens
        .iter()
        .flat_map(|token| token.split('.').filter(|part| part.len() > 10))
    {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
}

#[test]
fn an_open_function_gets_what_its_callers_authorize_themselves_with_and_nobody_is_named() {
    let host = Host::serve("echoes").start();
    let reply = host.request(
        "GET /headers\nAuthorization: Bearer e30.e30.e30\nX-Host-Caller-Email: root@host.internal",
        "",
    );
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("authorization: Bearer e30.e30.e30\n"));
    assert!(!reply.text().contains("caller"), "{}", reply.text());
}

#[test]
fn a_token_that_is_good_elsewhere_reaches_no_open_function() {
    let (issuer, stranger) = (Issuer::start(), Issuer::start());
    let state = State::new();
    let config = state.file(
        "host.toml",
        format!(
            "[issuers.it]\nurl = {:?}\naudiences = [{AUDIENCE:?}]\n\
             [functions.open]\nsource = {:?}\nallow-unauthenticated = true\n",
            issuer.url(),
            guest("echoes"),
        ),
    );
    let host = state.serve().arg("--config").arg(config).start();
    let (good, other) = (
        issuer.token("ada", AUDIENCE),
        stranger.token("ada", AUDIENCE),
    );
    let unsigned = format!("{}.e30", good.rsplit_once('.').unwrap().0);
    let sees = |fields: &str, text: &str| {
        let reply = host.request(&format!("GET /open/headers\n{fields}"), "");
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.text().contains(text)
    };
    for fields in [
        format!("Authorization: Bearer {good}"),
        format!("Authorization: bearer   {good}"),
        format!("Authorization: {good}"),
        format!("Authorization: Basic YTpi\nAuthorization: Bearer {good}"),
        format!("Authorization: Bearer {unsigned}"),
        format!("X-Serverless-Authorization: Bearer {good}"),
        format!("X_Serverless_Authorization: Bearer {good}"),
    ] {
        assert!(!sees(&fields, "uthorization"), "{fields}");
    }
    for value in [
        &format!("Bearer {other}"),
        "Bearer e30.e30.e30",
        "Basic YTpi",
    ] {
        let seen = sees(&format!("Authorization: {value}"), value);
        assert!(seen, "it is the function's own affair: {value}");
    }
}
