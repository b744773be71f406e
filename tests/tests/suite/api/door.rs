//! Who gets to the methods, and who does not.

use serde_json::json;
use tests::{Host, State, wait_until};

const JOBS: &str = "/v1/projects/local/locations/local/jobs";

#[test]
fn without_a_token_nothing_is_said_but_how_to_get_one() {
    let state = State::with_store();
    let host = state.serve().start();
    for head in [
        &format!("GET {JOBS}"),
        &format!("GET {JOBS}\nCookie: token=abc"),
        &format!("GET {JOBS}?access_token=abc"),
        &format!("GET {JOBS}\nX-Goog-Api-Key: abc"),
        &format!("GET {JOBS}\nAuthorization: Basic YTpi"),
        "GET /v2/projects/local/sinks",
        "DELETE /host/v1/nothing",
    ] {
        let reply = host.method(None, head, "");
        assert_eq!(reply.status, 401, "{head}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{head}");
        let error = &reply.json()["error"];
        assert_eq!(error["status"], "UNAUTHENTICATED", "{head}");
    }
}

#[test]
fn tokens_that_are_no_access_tokens_of_this_host_open_nothing() {
    let state = State::with_store();
    let host = state.serve().start();
    state.run("iam service-accounts create caller");
    let identity = state.run(&format!(
        "auth print-identity-token --impersonate-service-account caller@host.internal --audiences http://{}",
        host.admin_addr()
    ));
    let other = State::with_store();
    let elsewhere = other.access_token();
    for token in [identity.stdout.trim(), &elsewhere, "abc", "a.b.c", ""] {
        let reply = host.method(Some(token), &format!("GET {JOBS}"), "");
        assert_eq!(reply.status, 401, "{token}");
        assert!(!reply.text().contains("jobs"), "{}", reply.text());
    }
    let token = state.access_token();
    assert_eq!(
        host.called(&token, &format!("GET {JOBS}"), &json!(null)),
        json!({ "jobs": [] })
    );
    let twice = format!("GET {JOBS}\nAuthorization: Bearer {token}");
    assert_eq!(host.method(Some(&token), &twice, "").status, 400);
}

#[test]
fn a_token_of_the_owner_makes_no_further_one_and_reads_no_file_of_the_host() {
    let state = State::new();
    state.deploy("hello", "hello", &[]);
    let host = state.serve().start();
    let token = state.access_token();
    let again = host.method(Some(&token), "POST /host/v1/accessTokens", "{}");
    assert_eq!(again.status, 403, "{}", again.text());
    let file = state.file("secret", "s3cr3t");
    let head =
        "PATCH /v2/projects/local/locations/local/functions/hello?updateMask=host.secretFiles";
    let body = json!({ "host": { "secretFiles": { "KEY": file } } });
    let read = host.method(Some(&token), head, body.to_string());
    assert_eq!(read.status, 403, "{}", read.text());
}

#[test]
fn what_is_no_upload_takes_no_body() {
    let state = State::with_store();
    let host = state.serve().start();
    let unknown = "0".repeat(32);
    for id in ["x", "..%2F..", unknown.as_str()] {
        let reply = host.method(None, &format!("PUT /upload/{id}"), vec![0; 1 << 20]);
        assert_eq!(reply.status, 404, "{id}: {}", reply.text());
    }
}

#[test]
fn an_access_token_opens_no_function() {
    let state = State::new();
    state.deploy("private", "hello", &[]);
    state.run("iam service-accounts create caller");
    let member = "--member serviceAccount:caller@host.internal --role roles/cloudfunctions.invoker";
    state.run(&format!(
        "functions add-iam-policy-binding private {member}"
    ));
    state.update("private", &["--no-allow-unauthenticated"]);
    let host = state.serve().start();
    for token in [
        state.access_token(),
        state.access_token_of("caller@host.internal"),
    ] {
        let reply = host.request(
            &format!("POST /private\nAuthorization: Bearer {token}"),
            "{}",
        );
        assert_eq!(reply.status, 401);
    }
}

#[test]
fn a_method_that_is_not_there_is_named_and_so_is_what_is_wrong_with_a_body() {
    let state = State::with_store();
    let host = state.serve().start();
    let token = state.access_token();
    let reply = host.method(Some(&token), "GET /v2/projects/local/sinks", "");
    assert_eq!(reply.status, 501);
    assert!(
        reply.text().contains("GET /v2/projects/local/sinks"),
        "{}",
        reply.text()
    );
    for (body, word) in [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (r#"{"schedule": 1}"#, "`schedule`"),
    ] {
        let reply = host.method(Some(&token), &format!("POST {JOBS}"), body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.text().contains(word), "{body}: {}", reply.text());
    }
    let large = vec![b' '; (2 << 20) + 1];
    let reply = host.method(Some(&token), &format!("POST {JOBS}"), large);
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("larger than"), "{}", reply.text());
}

#[test]
fn a_page_in_a_browser_gets_nothing() {
    let state = State::with_store();
    let host = state.serve().start();
    let token = state.access_token();
    // Under a name that its author has made lead here.
    let reply = host.ask_control_plane(
        &format!("GET {JOBS}\nAuthorization: Bearer {token}"),
        "attacker.example",
    );
    assert_eq!(reply.status, 421);
    let origin = format!("GET {JOBS}\nOrigin: https://attacker.example");
    let preflight = format!(
        "OPTIONS {JOBS}\nOrigin: https://attacker.example\nAccess-Control-Request-Method: POST"
    );
    for head in [origin, preflight] {
        let reply = host.method(Some(&token), &head, "");
        let allowed = reply
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("access-control-"));
        assert!(!allowed, "{reply:?}");
    }
}

#[test]
fn beyond_loopback_methods_want_tls_and_commands_of_the_owner_work_all_the_same() {
    let state = State::with_store();
    let host = state
        .command(["serve", "--addr=127.0.0.1:0", "--admin-addr=0.0.0.0:0"])
        .start();
    let token = state.access_token();
    let reply = host.method(Some(&token), &format!("GET {JOBS}"), "");
    assert_eq!(reply.status, 412);
    assert!(
        reply.text().contains("--admin-tls-cert"),
        "{}",
        reply.text()
    );
    assert_eq!(host.control_plane("/healthz").status, 200);
    assert_eq!(state.run("scheduler jobs list").code, Some(0));
}

#[test]
fn a_host_tells_how_many_instances_its_functions_have() {
    let state = State::new();
    state.deploy("fresh", "hello", &[]);
    state.deploy("kept", "hello", &["--warm"]);
    let host = state.serve().start();
    let token = state.access_token();
    assert_eq!(host.post("/kept", "{}").status, 200);
    wait_until("the instance is idle", || {
        let found = host.called(&token, "GET /host/v1/instances", &json!(null));
        found["functions"][1]["warm"] == 1
    });
    let found = host.called(&token, "GET /host/v1/instances?pageSize=1", &json!(null));
    let fresh = &found["functions"][0];
    assert_eq!(
        (&fresh["function"], &fresh["busy"]),
        (&json!("fresh"), &json!(0))
    );
    assert!(
        fresh.get("warm").is_none() && found["nextPageToken"].is_string(),
        "{found}"
    );
}

#[test]
fn a_host_of_one_component_has_no_methods_and_says_why() {
    let host = Host::serve("hello").start();
    let reply = host.method(Some("abc"), &format!("GET {JOBS}"), "");
    assert_eq!(reply.status, 412);
    assert!(
        reply.text().contains("--with-functions"),
        "{}",
        reply.text()
    );
}
