//! Outside issuers' tokens: exchanged for an access token, or sent as they are. So a pipeline deploys without a secret.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tests::{Host, Issuer, Reply, State, guest, wait_until};

const JOBS: &str = "/v1/projects/local/locations/local/jobs";

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970").as_secs()
}

/// What GitHub says of a run on the main branch of a repository.
fn claims(issuer: &Issuer, audience: &str) -> Value {
    json!({
        "iss": issuer.url(),
        "aud": audience,
        "sub": "repo:octo/app:ref:refs/heads/main",
        "repository_id": "42",
        "iat": now(),
        "exp": now() + 300,
    })
}

fn exchange(host: &Host, token: &str, grant: &str) -> Reply {
    let body = format!(
        "grant_type={grant}&subject_token={token}&subject_token_type=urn:ietf:params:oauth:token-type:jwt\
         &requested_token_type=urn:ietf:params:oauth:token-type:access_token&scope=https://www.googleapis.com/auth/cloud-platform"
    );
    let head = "POST /v1/token\nContent-Type: application/x-www-form-urlencoded";
    host.method(None, head, body)
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

#[test]
fn an_outside_principal_gets_a_token_and_what_its_roles_let_it_do() {
    let issuer = Issuer::start();
    let state = State::with_store();
    let host = state.serve().arg("--issuer").arg(issuer.url()).start();
    let audience = format!("http://{}", host.admin_addr());
    let github = issuer.key().sign(&claims(&issuer, &audience));
    let answer = exchange(&host, &github, EXCHANGE);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = answer.json();
    assert_eq!(answer["token_type"], "Bearer");
    assert!(
        answer["expires_in"]
            .as_u64()
            .is_some_and(|seconds| seconds <= 300),
        "{answer}"
    );
    let exchanged = answer["access_token"]
        .as_str()
        .expect("it is a token")
        .to_owned();
    let list = format!("GET {JOBS}");
    for token in [&exchanged, &github] {
        assert_eq!(host.method(Some(token), &list, "").status, 403);
    }
    let owner = state.access_token();
    let member = issuer.principal("repo:octo/app:ref:refs/heads/main");
    let policy = json!({ "policy": { "bindings": [
        { "role": "roles/cloudscheduler.viewer", "members": [member] },
    ]}});
    host.called(&owner, "POST /v1/projects/local:setIamPolicy", &policy);
    for token in [&exchanged, &github] {
        assert_eq!(host.method(Some(token), &list, "").status, 200);
        let run = format!("POST {JOBS}/j:run");
        assert_eq!(host.method(Some(token), &run, "{}").status, 403);
    }
}

#[test]
fn tokens_for_others_of_others_and_of_this_host_are_not_exchanged() {
    let issuer = Issuer::start();
    let stranger = Issuer::start();
    let state = State::with_store();
    let host = state.serve().arg("--issuer").arg(issuer.url()).start();
    let audience = format!("http://{}", host.admin_addr());
    let other_audience = issuer
        .key()
        .sign(&claims(&issuer, "https://elsewhere.example"));
    let expired = {
        let mut claims = claims(&issuer, &audience);
        (claims["iat"], claims["exp"]) = (json!(now() - 1000), json!(now() - 500));
        issuer.key().sign(&claims)
    };
    let forged = stranger.key().sign(&claims(&issuer, &audience));
    let unknown = stranger.key().sign(&claims(&stranger, &audience));
    for token in [
        &other_audience,
        &expired,
        &forged,
        &unknown,
        &state.access_token(),
        "abc",
    ] {
        let answer = exchange(&host, token, EXCHANGE);
        assert_eq!(answer.status, 400, "{token}");
        assert_eq!(answer.json()["error"], "invalid_grant", "{token}");
    }
    let good = issuer.key().sign(&claims(&issuer, &audience));
    let answer = exchange(&host, &good, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (400, &json!("unsupported_grant_type"))
    );
    let large = "a".repeat(33 << 10);
    assert_eq!(exchange(&host, &large, EXCHANGE).status, 400);
}

const LOCATION: &str = "projects/local/locations/local";

/// What docs/google-tools.md has a pipeline do.
#[test]
fn a_pipeline_deploys_the_one_function_that_it_may_change_and_nothing_else() {
    let issuer = Issuer::start();
    let state = State::new();
    for name in ["mine", "other"] {
        state.deploy(name, "hello", &[]);
    }
    state.put_compiled("echoes");
    let host = state.serve().arg("--issuer").arg(issuer.url()).start();
    let member = issuer.principal("repo:octo/app:ref:refs/heads/main");
    let policy = json!({ "policy": { "bindings": [
        { "role": "roles/cloudfunctions.developer", "members": [member] },
    ]}});
    let set = format!("POST /v2/{LOCATION}/functions/mine:setIamPolicy");
    host.called(&state.access_token(), &set, &policy);

    let audience = format!("http://{}", host.admin_addr());
    let github = issuer.key().sign(&claims(&issuer, &audience));
    let answer = exchange(&host, &github, EXCHANGE).json();
    let token = answer["access_token"].as_str().expect("it is a token");
    let generate = format!("POST /v2/{LOCATION}/functions:generateUploadUrl");
    let upload = host.called(token, &generate, &json!({}));
    let url = upload["uploadUrl"]
        .as_str()
        .and_then(|url| url.strip_prefix(&audience));
    let put = format!("PUT {}", url.expect("it is a URL of this host"));
    let component = fs::read(guest("echoes")).expect("there is such a guest");
    assert_eq!(host.method(None, &put, component).status, 200);
    let source =
        json!({ "buildConfig": { "source": { "storageSource": upload["storageSource"] } } });
    let update = format!("PATCH /v2/{LOCATION}/functions/mine?updateMask=buildConfig.source");
    let mut operation = host.called(token, &update, &source);
    let get = format!("GET /v2/{}", operation["name"].as_str().unwrap_or_default());
    wait_until("the operation is done", || {
        operation = host.called(token, &get, &Value::Null);
        operation["done"] == true
    });
    let revision = &operation["response"]["serviceConfig"]["revision"];
    assert_eq!(revision, "mine-00002", "{operation}");

    for denied in [
        format!("PATCH /v2/{LOCATION}/functions/other?updateMask=buildConfig.source"),
        format!("DELETE /v2/{LOCATION}/functions/other"),
        format!("POST /v2/{LOCATION}/functions?functionId=new"),
        set,
        "POST /v1/projects/local:setIamPolicy".to_owned(),
        format!("POST {JOBS}"),
    ] {
        let reply = host.method(Some(token), &denied, source.to_string());
        assert_eq!(reply.status, 403, "{denied}: {}", reply.text());
    }
}
