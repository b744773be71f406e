//! What a private function asks of its callers, and what it tells them.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Value, json};
use tests::{
    AUDIENCE, Answers, BAD_TOKEN, Host, Http2, Issuer, Key, Kind, NO_TOKEN, Reply, State,
    assert_refused, wait_until,
};

const TWO_TOKENS: Option<&str> = Some("Bearer error=\"invalid_request\"");
const NOT_INVOKER: Option<&str> = Some("Bearer error=\"insufficient_scope\"");

fn get_with(host: &Host, token: &str) -> Reply {
    host.get_with("/headers", token)
}

/// What a caller could tell refusals apart by.
fn told(reply: &Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers = reply.headers.clone();
    headers.retain(|(name, _)| name != "date" && name != "function-execution-id");
    (reply.status, headers, reply.body.clone())
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("the clock is right").as_secs()
}

#[test]
fn a_good_token_of_an_invoker_lets_it_in_after_the_scheme_in_any_case() {
    let issuer = Issuer::start();
    let second = Key::new("second", Kind::EdDsa);
    issuer.publish(&[issuer.key(), &second]);
    let host = Host::private(&issuer);
    let claims = issuer.claims("ada", AUDIENCE);
    for token in [issuer.key().sign(&claims), second.sign(&claims)] {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR "] {
            let reply = host.request(
                &format!("GET /headers\nAuthorization: {scheme} {token}"),
                "",
            );
            assert_eq!(reply.status, 200, "{scheme}: {reply:?}");
        }
    }
    let among_others = with(claims, "aud", json!(["other", AUDIENCE]));
    assert_eq!(
        get_with(&host, &issuer.key().sign(&among_others)).status,
        200
    );
}

#[test]
fn without_a_token_the_caller_is_told_the_scheme_and_no_error() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let token = issuer.token("ada", AUDIENCE);
    let basic = "Basic OmUzMC5lMzAuZTMw";
    for head in [
        "GET /".to_owned(),
        format!("GET /?access_token={token}"),
        format!("GET /\nCookie: access_token={token}"),
        format!("GET /\nProxy-Authorization: Bearer {token}"),
        format!("GET /\nAuthorization: {basic}"),
        format!("GET /\nAuthorization: {token}"),
        "GET /\nAuthorization: Bearer".to_owned(),
    ] {
        let reply = host.request(&head, "");
        assert_refused(&reply, 401, NO_TOKEN);
        let entry = host.wait_for_log(|line| line.contains(reply.execution_id()));
        assert!(entry.contains("has no bearer token"), "{head}: {entry}");
    }
    let form = "POST /\nContent-Type: application/x-www-form-urlencoded";
    let in_form = host.request(form, format!("access_token={token}"));
    assert_refused(&in_form, 401, NO_TOKEN);
}

#[test]
fn whatever_is_wrong_with_a_token_its_caller_is_told_the_same_and_the_log_the_reason() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let good = issuer.claims("ada", AUDIENCE);
    let sign = |claims: &Value| issuer.key().sign(claims);
    let but = |name, value| sign(&with(good.clone(), name, value));
    let signed_by_other = Key::new("first", Kind::Es256).sign(&good);
    let own_url = format!("http://{}", host.admin_addr());
    let cases = [
        ("signature", signed_by_other),
        ("unknown_key", Key::new("other", Kind::Es256).sign(&good)),
        ("key_algorithm", Key::new("first", Kind::EdDsa).sign(&good)),
        (
            "unsigned",
            issuer.key().sign_with(json!({"alg": "none"}), &good),
        ),
        (
            "symmetric",
            issuer.key().sign_with(json!({"alg": "HS256"}), &good),
        ),
        ("parts", "e30.e30".into()),
        ("encoding", format!("{}=", sign(&good))),
        ("too_long", "a".repeat(17 * 1024)),
        ("audience", but("aud", json!("the-functio"))),
        ("expired", but("exp", json!(now() - 100))),
        ("not_yet_valid", but("nbf", json!(now() + 100))),
        ("lifetime", but("exp", json!(now() + 100_000))),
        (
            "unknown_issuer",
            but("iss", json!(format!("{}/", issuer.url()))),
        ),
        (
            "unknown_issuer",
            but("iss", json!("https://stranger.example")),
        ),
        // Signed by an outside key in the name of this host.
        ("unknown_key", but("iss", json!(own_url))),
    ];
    let mut told_to_callers = BTreeSet::new();
    for (code, token) in &cases {
        let reply = get_with(&host, token);
        assert_refused(&reply, 401, BAD_TOKEN);
        told_to_callers.insert(told(&reply));
        let entry = host.wait_for_log(|line| line.contains(reply.execution_id()));
        assert!(entry.contains(&format!("({code})")), "{code}: {entry}");
        assert!(entry.starts_with('W'), "{entry}");
    }
    assert_eq!(told_to_callers.len(), 1, "{told_to_callers:?}");
    let bodies = BTreeSet::from([host.get("/").body, get_with(&host, "x").body]);
    assert_eq!(bodies.len(), 1, "with or without a token");
    assert!(!host.log().iter().any(|line| line.contains("started")));
    // Who refused is told if that is an issuer that is trusted: names that callers choose are not counted by.
    let metrics = host.metrics();
    let refused = |issuer: &str, reason: &str| {
        metrics.value(&format!(
            "host_tokens_refused_total{{issuer=\"{issuer}\",reason=\"{reason}\"}}"
        ))
    };
    for (issuer, reason, count) in [
        (issuer.url().as_str(), "signature", 1.0),
        (&issuer.url(), "audience", 1.0),
        (&issuer.url(), "expired", 1.0),
        (&own_url, "unknown_key", 1.0),
        ("", "unknown_issuer", 2.0),
        // The last one beside the case above.
        ("", "parts", 2.0),
    ] {
        assert_eq!(refused(issuer, reason), count, "{issuer} {reason}");
    }
    let issuers = metrics.label_values("issuer");
    assert!(
        !issuers.iter().any(|name| name.contains("stranger")),
        "{issuers:?}"
    );
}

#[test]
fn a_good_token_of_somebody_else_is_403_whoever_it_is() {
    let issuer = Issuer::start();
    let other = Issuer::start();
    let host = Host::serve("echoes")
        .args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"])
        .arg(format!("--issuer={}", issuer.url()))
        .arg(format!("--issuer={}", other.url()))
        .arg(format!("--audience={AUDIENCE}"))
        .arg(format!("--invoker={}", issuer.principal("ada")))
        .start();
    host.wait_for_keys_of(&issuer);
    host.wait_for_keys_of(&other);
    assert_eq!(get_with(&host, &issuer.token("ada", AUDIENCE)).status, 200);
    let mut told_to_callers = BTreeSet::new();
    for token in [
        issuer.token("Ada", AUDIENCE),
        issuer.token("ada ", AUDIENCE),
        // The principal is the issuer and the subject together.
        other.token("ada", AUDIENCE),
        other.token(&format!("{}#ada", issuer.url()), AUDIENCE),
    ] {
        let reply = get_with(&host, &token);
        assert_refused(&reply, 403, NOT_INVOKER);
        told_to_callers.insert(told(&reply));
        host.wait_for_log(|line| line.contains(reply.execution_id()) && line.contains("403"));
    }
    assert_eq!(told_to_callers.len(), 1, "{told_to_callers:?}");
}

#[test]
fn a_token_for_one_function_is_none_for_another() {
    let issuer = Issuer::start();
    let state = State::new();
    let function = |name: &str| {
        format!(
            "[functions.{name}]\nsource = {:?}\ninvokers = [\"{}\"]\n",
            tests::guest("echoes"),
            issuer.principal("ada")
        )
    };
    let config = state.beside().join("host.toml");
    let text = format!(
        "[issuers.own]\nurl = \"{}\"\n{}{}",
        issuer.url(),
        function("one"),
        function("other")
    );
    std::fs::write(&config, text).expect("the directory is ours");
    let host = state
        .serve()
        .arg("--config")
        .arg(config)
        .args([
            "--signing-algorithm=ES256",
            "--public-url=https://a.example",
        ])
        .start();
    host.wait_for_keys_of(&issuer);
    let status = |path: &str, audience: &str| {
        let token = issuer.token("ada", audience);
        let reply = host.request(&format!("GET {path}\nAuthorization: Bearer {token}"), "");
        reply.status
    };
    for audience in ["https://a.example/one", "https://a.example/one/"] {
        assert_eq!(status("/one", audience), 200, "{audience}");
        // Also when the token was found good a moment ago.
        assert_eq!(status("/other", audience), 401, "{audience}");
    }
    // Every host that listens there has this address.
    let local = format!("http://{}/one", host.addr());
    for audience in [
        &local,
        "https://a.example",
        "https://a.example/on",
        "https://a.example/one/x",
        "https://A.example/one",
        "http://a.example/one",
        "one",
        "",
    ] {
        assert_eq!(status("/one", audience), 401, "{audience}");
    }
}

#[test]
fn no_token_makes_the_host_connect_to_where_it_says() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let stranger = Issuer::start();
    let key = Key::new("strange", Kind::Es256);
    stranger.publish(&[&key]);
    let url = stranger.url();
    let header =
        json!({"jku": format!("{url}/keys"), "x5u": format!("{url}/keys"), "jwk": key.jwk()});
    for claims in [
        stranger.claims("ada", AUDIENCE),
        issuer.claims("ada", AUDIENCE),
    ] {
        for token in [key.sign(&claims), key.sign_with(header.clone(), &claims)] {
            assert_refused(&get_with(&host, &token), 401, BAD_TOKEN);
        }
    }
    assert_eq!((stranger.discoveries(), stranger.key_fetches()), (0, 0));
}

#[test]
fn every_method_and_every_spelling_of_a_path_is_checked() {
    let host = Host::private(&Issuer::start());
    for target in [
        "/",
        "/../",
        "//",
        "//headers",
        "/%2f",
        "/%2e%2e/headers",
        "/.well-known/x",
        "/?",
        "/%00",
    ] {
        for method in ["GET", "POST", "OPTIONS", "DELETE", "PROPFIND", "get"] {
            let reply = host.request(&format!("{method} {target}"), "");
            assert_refused(&reply, 401, NO_TOKEN);
        }
    }
    for request in [
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /../headers HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/headers HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        "OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: GET\r\n\r\n",
    ] {
        let mut wire = host.connect();
        wire.send(request);
        assert_refused(&wire.read_head(), 401, NO_TOKEN);
    }
    assert!(!host.log().iter().any(|line| line.contains("started")));
}

#[test]
fn two_tokens_are_400_whatever_they_are() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let good = format!("Bearer {}", issuer.token("ada", AUDIENCE));
    for other in [good.as_str(), "Bearer e30.e30.e30", "Basic YTpi", ""] {
        for (first, second) in [(good.as_str(), other), (other, good.as_str())] {
            for name in ["Authorization", "X-Serverless-Authorization"] {
                let reply = host.request(&format!("GET /\n{name}: {first}\n{name}: {second}"), "");
                assert_refused(&reply, 400, TWO_TOKENS);
                let entry = host.wait_for_log(|line| line.contains(reply.execution_id()));
                assert!(entry.contains(&format!("has {name} twice")), "{entry}");
            }
        }
    }
}

#[test]
fn a_token_that_was_let_in_is_refused_once_it_has_expired() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let claims = with(issuer.claims("ada", AUDIENCE), "iat", json!(now() - 300));
    // Clocks may differ by a minute.
    let token = issuer.key().sign(&with(claims, "exp", json!(now() - 58)));
    assert_eq!(get_with(&host, &token).status, 200);
    wait_until("the token is refused", || {
        get_with(&host, &token).status == 401
    });
}

#[test]
fn http2_is_checked_like_http1() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let client = Http2::connect(host.addr());
    let ask = |fields: &[(&str, &str)]| {
        client
            .start_with("GET", "/headers", fields)
            .finish()
            .read_reply()
    };
    let good = format!("Bearer {}", issuer.token("ada", AUDIENCE));
    let somebody = format!("Bearer {}", issuer.token("bob", AUDIENCE));
    assert_refused(&ask(&[]), 401, NO_TOKEN);
    assert_refused(
        &ask(&[("authorization", "Bearer e30.e30.e30")]),
        401,
        BAD_TOKEN,
    );
    assert_refused(&ask(&[("authorization", &somebody)]), 403, NOT_INVOKER);
    assert_refused(
        &ask(&[("authorization", &good), ("authorization", &good)]),
        400,
        TWO_TOKENS,
    );
    let reply = ask(&[("authorization", &good), ("x-host-caller-subject", "root")]);
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("x-host-caller-subject: ada\n"));
    assert!(!reply.text().contains("root") && !reply.text().contains("authorization"));
    for method in ["HEAD", "OPTIONS"] {
        let mut stream = client.start_with(method, "//%2f", &[]).finish();
        assert_refused(&stream.read_head(), 401, NO_TOKEN);
    }
}

#[test]
fn a_private_function_stays_so_without_any_keys() {
    let issuer = Issuer::start_with(Answers::Broken);
    let host = Host::serve_private(&[&issuer]).start();
    assert_refused(&host.get("/"), 401, NO_TOKEN);
    assert_refused(&get_with(&host, "e30.e30.e30"), 401, BAD_TOKEN);
    let reply = get_with(&host, &issuer.token("ada", AUDIENCE));
    assert_refused(&reply, 503, None);
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
}
