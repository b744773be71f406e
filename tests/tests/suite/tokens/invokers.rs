//! Who may call a private function, as commands set, show, use and explain it.

use std::fs;

use serde_json::{Value, json};
use tests::served::{ACCOUNT, ROLE, Served, assert_fails, deploy, print, succeeded};
use tests::{AUDIENCE, Host, Issuer, State, wait_until};

#[test]
fn a_policy_is_changed_and_shown() {
    let served = Served::start();
    let get = || {
        let policy = served.succeed("functions get-iam-policy echoes --format json");
        let policy: Value = serde_json::from_str(&policy).expect("it is JSON");
        policy["bindings"].clone()
    };
    let token = served.token();
    let change = |verb: &str, member: &str, role: &str| {
        served.run(&format!(
            "functions {verb}-iam-policy-binding echoes --member {member} --role {role}"
        ))
    };
    assert_eq!(get(), json!([{"members": [ACCOUNT], "role": ROLE}]));
    succeeded(change("remove", ACCOUNT, ROLE));
    assert_eq!(get(), json!([]));
    assert_eq!(served.status(&token), 403);
    assert_fails(
        &change("remove", ACCOUNT, ROLE),
        1,
        "has no roles/cloudfunctions.invoker",
    );
    succeeded(change("add", ACCOUNT, "roles/run.invoker"));
    assert_eq!(served.status(&token), 200);
    for (member, role, code, reason) in [
        (
            ACCOUNT,
            "roles/owner",
            2,
            "expected roles/cloudfunctions.invoker",
        ),
        (
            "serviceAccount:caler@host.internal",
            ROLE,
            1,
            "did you mean `caller@host.internal`?",
        ),
        ("caller@host.internal", ROLE, 2, "is not a member"),
        ("allAuthenticatedUsers", ROLE, 2, "not supported"),
        ("user:*@host.internal", ROLE, 2, "is not an e-mail address"),
        (
            "user:caller@host.internal",
            ROLE,
            1,
            "write serviceAccount:caller@host.internal",
        ),
        ("principal:https://a.example", ROLE, 2, "names no subject"),
    ] {
        assert_fails(&change("add", member, role), code, reason);
    }
    assert_eq!(served.host.get("/echoes").status, 401);
    succeeded(change("add", "allUsers", ROLE));
    assert_eq!(served.host.get("/echoes").status, 200);
    succeeded(change("remove", "allUsers", ROLE));
    assert_eq!(served.host.get("/echoes").status, 401);
    assert_eq!(get(), json!([{"members": [ACCOUNT], "role": ROLE}]));
}

#[test]
fn a_function_that_nobody_may_call_says_so_and_a_deployment_keeps_its_invokers() {
    let served = Served::without_invokers();
    let warning = "nobody may call [echoes] yet";
    assert!(served.run(&deploy()).stderr.contains(warning));
    let refused = served.run("functions call echoes");
    assert_fails(&refused, 1, "no service account may call `echoes`");
    served.succeed("iam service-accounts create caller");
    served.succeed(&format!(
        "functions add-iam-policy-binding echoes --member {ACCOUNT} --role {ROLE}"
    ));
    let token = served.token();
    let again = served.run(&format!("{} --memory 64Mi", deploy()));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(!again.stderr.contains(warning), "{again:?}");
    assert_eq!(served.status(&token), 200);
    let called = served.succeed("functions call echoes --data {\"a\":1}");
    assert!(called.contains(r#""{\"a\":1}""#), "{called}");
    served.succeed("iam service-accounts create other");
    let other =
        served.run("functions call echoes --impersonate-service-account other@host.internal");
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(other.stderr.contains("403"), "{other:?}");
}

#[test]
fn a_token_is_explained_check_by_check_without_its_signature() {
    let served = Served::start();
    let explain = |token: &str| {
        let output = served.run(&format!("auth explain {token} --function echoes"));
        let signature = token.rsplit('.').next().unwrap_or_default();
        assert!(!output.stdout.contains(signature) && !output.stderr.contains(signature));
        output
    };
    let good = explain(&served.token());
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(
        good.stdout.ends_with("accepted\n") && !good.stdout.contains("fail"),
        "{good:?}"
    );
    let other = succeeded(served.run(&print("https://other.example")));
    let stale = format!("{} --at 2030-01-01T00:00:00Z", served.token());
    served.succeed("iam service-accounts create other");
    let nobody = succeeded(served.run(&print(&served.url()).replace("caller@", "other@")));
    for (token, failed) in [
        (other.trim(), "fail  audience (aud)"),
        (nobody.trim(), "fail  invoker"),
        ("e30.e30.e30", "fail"),
    ] {
        let output = explain(token);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stdout.contains(failed), "{failed}: {output:?}");
        assert_eq!(
            served.status(token) / 100,
            4,
            "the host is of the same mind"
        );
    }
    let output = served.run(&format!("auth explain {stale} --function echoes"));
    assert_eq!(output.code, Some(1));
    assert!(output.stdout.contains("fail  expiry (exp)"), "{output:?}");
}

#[test]
fn a_token_of_another_issuer_is_explained_when_the_issuer_is_named_as_for_the_host() {
    let issuer = Issuer::start();
    let state = State::new();
    succeeded(state.run(&deploy()));
    let member = issuer.principal("ada");
    succeeded(state.run(&format!(
        "functions add-iam-policy-binding echoes --member {member} --role {ROLE}"
    )));
    let token = issuer.token("ada", AUDIENCE);
    let explain =
        |flags: &str| state.run(&format!("auth explain {token} --function echoes {flags}"));
    let trusted = format!("--issuer {} --audience {AUDIENCE}", issuer.url());
    let explained = explain(&trusted);
    assert_eq!(explained.code, Some(0), "{explained:?}");
    assert!(explained.stdout.ends_with("accepted\n"), "{explained:?}");
    assert_eq!(explain("").code, Some(1), "nobody said that it is trusted");
}

#[test]
fn a_refused_request_is_explained_from_the_log() {
    let served = Served::start();
    let other = succeeded(served.run(&print("https://other.example")));
    let refused = served.get(other.trim());
    assert_eq!(refused.status, 401);
    let explain = |id: &str| served.run(&format!("auth explain --request {id}"));
    let id = refused.execution_id();
    wait_until("the log has it", || {
        let output = explain(id);
        output.code == Some(1)
            && output
                .stdout
                .contains("Request refused with status code 401")
            && output.stdout.contains("https://other.example")
    });
    let good = served.get(&served.token());
    wait_until("the log has it", || {
        explain(good.execution_id()).code == Some(0)
    });
    let unknown = explain("aaaaaaaaaaaa");
    assert_fails(&unknown, 1, "the log knows no execution");
}

#[test]
fn a_token_for_a_public_address_is_explained_as_the_host_judges_it() {
    let served = Served::with(&["--public-url=https://a.example"]);
    served.succeed("iam service-accounts create caller");
    served.succeed(&format!(
        "functions add-iam-policy-binding echoes --member {ACCOUNT} --role {ROLE}"
    ));
    let token = served.succeed(&print("https://a.example/echoes"));
    assert_eq!(served.status(token.trim()), 200);
    let output = served.run(&format!("auth explain {} --function echoes", token.trim()));
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn a_token_for_the_url_that_deploy_prints_is_explained_before_a_host_serves() {
    let state = State::new();
    let run = |arguments: &str| succeeded(state.run(arguments));
    let deployed = run(&deploy());
    let url = deployed
        .trim()
        .strip_prefix("url: ")
        .expect("it is printed");
    run("iam service-accounts create caller");
    run(&format!(
        "functions add-iam-policy-binding echoes --member {ACCOUNT} --role {ROLE}"
    ));
    let token = run(&print(url));
    let explained = run(&format!("auth explain {} --function echoes", token.trim()));
    assert!(explained.ends_with("accepted\n"), "{explained}");
}

#[test]
fn a_private_component_lets_in_every_service_account_of_its_host() {
    let host = Host::serve("echoes")
        .args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"])
        .start();
    succeeded(host.run("iam service-accounts create caller"));
    let token = |audience: &str| succeeded(host.run(&print(audience))).trim().to_owned();
    let status = |token: &str| {
        host.request(&format!("GET /\nAuthorization: Bearer {token}"), "")
            .status
    };
    let url = format!("http://{}", host.addr());
    assert_eq!(status(&token(&url)), 200);
    assert_eq!(status(&token(&format!("{url}/"))), 200);
    assert_eq!(status(&token("http://127.0.0.1:1")), 401);
}

#[test]
fn an_address_counts_only_if_its_issuer_verified_it_and_it_is_the_same_to_the_letter() {
    let issuer = Issuer::start();
    let host = Host::serve("echoes")
        .args(["--no-allow-unauthenticated", "--signing-algorithm=ES256"])
        .args([
            "--invoker=user:ada@a.example",
            "--invoker=serviceAccount:caller@host.internal",
        ])
        .arg(format!("--audience={AUDIENCE}"))
        .arg(format!("--issuer={}", issuer.url()))
        .start();
    host.wait_for_keys_of(&issuer);
    let status = |email: Value, verified: Value| {
        let mut claims = issuer.claims("1", AUDIENCE);
        claims["email"] = email;
        claims["email_verified"] = verified;
        host.get_with("/", &issuer.key().sign(&claims)).status
    };
    assert_eq!(status(json!("ada@a.example"), json!(true)), 200);
    for verified in [json!(false), json!("true"), json!(1), json!(null)] {
        assert_eq!(
            status(json!("ada@a.example"), verified.clone()),
            403,
            "{verified}"
        );
    }
    for email in [
        json!("Ada@a.example"),
        json!("ada@a.example.evil"),
        json!("ada@sub.a.example"),
        json!("\u{430}da@a.example"),
        json!("ada@a.example "),
        json!(["ada@a.example"]),
        // An account of this host, by the word of somebody else.
        json!("caller@host.internal"),
    ] {
        assert_eq!(status(email.clone(), json!(true)), 403, "{email}");
    }
}

#[test]
fn a_rule_wants_all_of_its_claims_and_compares_them_whole() {
    let issuer = Issuer::start();
    let state = State::new();
    let text = format!(
        "[issuers.ci]\nurl = {url:?}\naudiences = [{AUDIENCE:?}]\n[functions.private]\nsource = {:?}\n\
         [[functions.private.invoker-rules]]\nissuer = {url:?}\n\
         claims = {{ repository = \"org/app\", ref = [\"refs/heads/main\", \"refs/heads/release\"] }}\n",
        tests::guest("echoes"),
        url = issuer.url(),
    );
    let config = state.beside().join("host.toml");
    fs::write(&config, text).expect("the directory is ours");
    let host = state
        .serve()
        .arg("--signing-algorithm=ES256")
        .arg("--config")
        .arg(config)
        .start();
    host.wait_for_keys_of(&issuer);
    let status = |repository: Value, reference: Value| {
        let mut claims = issuer.claims("repo:org/app", AUDIENCE);
        claims["repository"] = repository;
        claims["ref"] = reference;
        host.get_with("/private", &issuer.key().sign(&claims))
            .status
    };
    let main = || json!("refs/heads/main");
    assert_eq!(status(json!("org/app"), main()), 200);
    assert_eq!(status(json!("org/app"), json!("refs/heads/release")), 200);
    for (repository, reference) in [
        (json!("org/app"), json!("refs/heads/main2")),
        (json!("org/app"), json!(null)),
        (json!("org/*"), main()),
        (json!("org-evil/app"), main()),
        (json!("Org/app"), main()),
        (json!(null), main()),
    ] {
        assert_eq!(
            status(repository.clone(), reference.clone()),
            403,
            "{repository} {reference}"
        );
    }
}

#[test]
fn tokens_of_an_outside_issuer_are_revoked_by_their_name_their_subject_and_their_key() {
    let issuer = Issuer::start();
    let url = issuer.url();
    for (flag, value) in [
        ("--token-id", "one"),
        ("--subject", "ada"),
        ("--key-id", "first"),
    ] {
        let host = Host::serve_private(&[&issuer]).start();
        host.wait_for_keys_of(&issuer);
        let get = |name: &str| {
            let mut claims = issuer.claims("ada", AUDIENCE);
            claims["jti"] = name.into();
            host.get_with("/", &issuer.key().sign(&claims))
        };
        assert_eq!(get("one").status, 200);
        succeeded(host.run(&format!("auth revoke --issuer {url} {flag} another")));
        succeeded(host.run(&format!("auth revoke --issuer {url} {flag} {value}")));
        wait_until("the token is refused", || get("one").status == 401);
        host.wait_for_log(|line| line.contains("(revoked)"));
        let other = if flag == "--token-id" { 200 } else { 401 };
        assert_eq!(get("two").status, other, "{flag}");
        let unnamed = issuer
            .key()
            .sign_with(json!({"kid": null}), &issuer.claims("ada", AUDIENCE));
        let reply = host.get_with("/", &unnamed);
        assert_eq!(
            reply.status, other,
            "{flag}: the key counts, not what the token calls it"
        );
    }
}

#[test]
fn a_right_that_is_taken_away_is_gone_even_if_the_function_cannot_be_loaded_again() {
    let served = Served::without_invokers();
    served.succeed("iam service-accounts create caller");
    let secret = served.state.file("secret", "s");
    served.succeed(&format!(
        "{} --set-secrets S={}",
        deploy(),
        secret.display()
    ));
    let binding = format!("iam-policy-binding echoes --member {ACCOUNT} --role {ROLE}");
    served.succeed(&format!("functions add-{binding}"));
    let token = served.token();
    assert_eq!(served.status(&token), 200);
    fs::remove_file(secret).expect("it is there");
    let removed = served.run(&format!("functions remove-{binding}"));
    assert_eq!(removed.code, Some(1), "{removed:?}");
    assert!(removed.stderr.contains("secret"), "{removed:?}");
    assert_eq!(served.status(&token), 403);
}

#[test]
fn a_name_that_a_caller_chose_is_no_command_for_the_operator() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let token = issuer.token("repo:evil/x:$(id)", AUDIENCE);
    let reply = host.get_with("/", &token);
    assert_eq!(reply.status, 403);
    let line = host.wait_for_log(|line| line.contains(reply.execution_id()));
    assert!(
        line.contains("is not an invoker") && !line.contains("--member"),
        "{line}"
    );
}
