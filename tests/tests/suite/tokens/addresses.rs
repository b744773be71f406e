//! By which addresses functions go in the audience of a token, and accounts in its e-mail address.

use serde_json::json;
use tests::served::{ROLE, Served, succeeded};
use tests::{AUDIENCE, Http2, Issuer, State, guest};

#[test]
fn a_function_goes_by_the_addresses_that_it_was_given_and_never_by_what_a_request_calls_it() {
    let issuer = Issuer::start();
    let state = State::new();
    let text = format!(
        "[issuers.it]\nurl = {:?}\n[functions.f]\nsource = {:?}\naudiences = [\"urn:f\"]\ninvokers = [{:?}]\n",
        issuer.url(),
        guest("echoes"),
        issuer.principal("ada"),
    );
    let config = state.file("host.toml", text);
    let host = state
        .serve()
        .arg("--config")
        .arg(config)
        .args([
            "--signing-algorithm=ES256",
            "--public-url=https://a.example/",
        ])
        .start();
    host.wait_for_keys_of(&issuer);
    for audience in ["https://a.example/f", "https://a.example/f/", "urn:f"] {
        let reply = host.get_with("/f", &issuer.token("ada", audience));
        assert_eq!(reply.status, 200, "{audience}: {reply:?}");
    }
    let token = issuer.token("ada", "http://evil.example/f");
    for head in [
        "GET /f HTTP/1.1\r\nHost: evil.example",
        "GET http://evil.example/f HTTP/1.1\r\nHost: evil.example",
        "GET /f HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example",
    ] {
        let mut wire = host.connect();
        wire.send(format!("{head}\r\nAuthorization: Bearer {token}\r\n\r\n"));
        let reply = wire.read_head();
        assert_eq!(reply.status, 401, "{head}: {reply:?}");
        let entry = host.wait_for_log(|line| line.contains(reply.execution_id()));
        assert!(entry.contains("(audience)"), "{head}: {entry}");
    }
    // In HTTP/2 the address is that of the connection.
    let client = Http2::connect(host.addr());
    let field = format!("Bearer {token}");
    let fields = [
        ("authorization", &*field),
        ("x-forwarded-host", "evil.example"),
    ];
    let mut stream = client.start_with("GET", "/f", &fields).finish();
    assert_eq!(stream.read_head().status, 401);
}

#[test]
fn accounts_have_the_domain_that_they_are_given_and_nobody_else_vouches_for_it() {
    let issuer = Issuer::start();
    let flags = [
        format!("--issuer={}", issuer.url()),
        format!("--audience={AUDIENCE}"),
    ];
    let served = Served::with(&[&flags[0], &flags[1]]);
    let created = served.succeed("iam service-accounts create robot --domain robots.example");
    assert_eq!(created, "email: robot@robots.example\n");
    let by_variable = served
        .state
        .command(["iam", "service-accounts", "create", "other"])
        .env("HOST_SERVICE_ACCOUNT_DOMAIN", "robots.example")
        .run();
    assert_eq!(succeeded(by_variable), "email: other@robots.example\n");
    let bind = |member: &str| {
        served.run(&format!(
            "functions add-iam-policy-binding echoes --member {member} --role {ROLE}"
        ))
    };
    succeeded(bind("user:ada@a.example"));
    succeeded(bind("serviceAccount:robot@robots.example"));
    let token = served.succeed(&format!(
        "auth print-identity-token --impersonate-service-account robot@robots.example --audiences {}",
        served.url()
    ));
    assert_eq!(served.status(token.trim()), 200);
    served.host.wait_for_keys_of(&issuer);
    let vouched = |address: &str| {
        let mut claims = issuer.claims("1", AUDIENCE);
        claims["email"] = address.into();
        claims["email_verified"] = json!(true);
        let reply = served.get(&issuer.key().sign(&claims));
        (reply.status, reply.text().contains("x-host-caller-email"))
    };
    assert_eq!(vouched("ada@a.example"), (200, true));
    for address in [
        "robot@robots.example",
        "other@robots.example",
        "x@ROBOTS.example",
    ] {
        assert_eq!(vouched(address), (403, false), "{address}");
    }
    let user = bind("user:new@robots.example");
    assert_eq!(user.code, Some(1), "{user:?}");
    assert!(
        user.stderr
            .contains("write serviceAccount:new@robots.example"),
        "{user:?}"
    );
}
