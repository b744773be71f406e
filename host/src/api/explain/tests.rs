use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::api::test_support::Scratch;
use crate::api::{Call, Caller};
use crate::identity::TokenRequest;
use crate::store::{NamedIssuer, PolicyOf, ServedComponent, ServingHost};

const EXPLAIN: &str = "POST /host/v1/tokens:explain";
const URL: &str = "http://127.0.0.1:1";

/// A host that serves a component called `c`, which `members` may call: anyone if there is nothing, and all service
/// accounts if nobody is named.
fn scratch(members: Option<&[&str]>) -> Scratch {
    let scratch = Scratch::new();
    let members = members.map(|members| members.iter().map(|&member| member.to_owned()));
    let host = ServingHost {
        pid: 1,
        url: URL.into(),
        public_url: None,
        public_urls: vec![URL.into()],
        issuer: "http://127.0.0.1:8081".into(),
        serves_functions: false,
        issuers: Vec::new(),
        config: None,
        component: Some(ServedComponent {
            name: "c".into(),
            members: members.map(Iterator::collect),
        }),
    };
    scratch.store().begin_serving(&host).unwrap();
    scratch
}

/// A token of a service account for `audience`.
fn token(scratch: &Scratch, audience: &str) -> String {
    let store = scratch.store();
    let account = match store.service_accounts().unwrap().pop() {
        Some(account) => account.email,
        None => {
            let email = "caller@host.internal";
            store.create_service_account(email, "1", "").unwrap();
            email.to_owned()
        }
    };
    let request = TokenRequest {
        account: &account,
        audience,
        with_email: false,
        lifetime: Duration::from_secs(60),
    };
    let issuer = OwnIssuer::of(store, Some("ES256".parse().unwrap())).unwrap();
    let made = issuer.token(store, request, SystemTime::now());
    made.unwrap().to_string()
}

/// The title of the check that fails.
fn failed(explained: &Value) -> Option<&str> {
    let checks = explained["checks"].as_array().unwrap().iter();
    let mut failed = checks.filter(|check| check["isPassed"] == false);
    failed.next().and_then(|check| check["title"].as_str())
}

#[test]
fn an_open_function_looks_at_no_token() {
    let scratch = scratch(None);
    let body = json!({ "token": "?", "function": "c" });
    let explained = scratch.owner(EXPLAIN, body).unwrap();
    assert_eq!(
        explained,
        json!({ "verdict": "OPEN", "checks": [], "warnings": [] })
    );
}

#[test]
fn what_fails_is_named_with_its_setting() {
    let scratch = scratch(Some(&[]));
    let explain = |token: &str| {
        let body = json!({ "token": token, "function": "c" });
        scratch.owner(EXPLAIN, body).unwrap()
    };
    let good = explain(&token(&scratch, URL));
    assert_eq!(
        (&good["verdict"], failed(&good)),
        (&json!("ACCEPTED"), None)
    );
    assert_eq!(good["reason"], Value::Null);
    for (token, title) in [
        ("e30.e30".to_owned(), "form and issuer"),
        (token(&scratch, "other"), "audience (aud)"),
    ] {
        let refused = explain(&token);
        assert_eq!(refused["verdict"], "REFUSED");
        assert_eq!(failed(&refused), Some(title));
        assert!(refused["reason"].is_string());
        let checks = refused["checks"].as_array().unwrap().iter();
        let mut failed = checks.filter(|check| check["isPassed"] == false);
        let failed = failed.next().unwrap();
        assert!(
            failed["setting"].is_string() && failed["reason"].is_string(),
            "{failed}"
        );
        let text = refused.to_string();
        let signature = token.rsplit('.').next().unwrap();
        assert!(signature == "e30" || !text.contains(signature), "{text}");
    }
}

#[test]
fn who_is_no_invoker_or_revoked_is_told_so_at_the_time_that_is_asked_for() {
    let scratch = scratch(Some(&["user:ada@example.com"]));
    let token = token(&scratch, URL);
    let explain = |time: Option<&str>| {
        let body = json!({ "token": token, "function": "c", "time": time });
        scratch.owner(EXPLAIN, body)
    };
    assert_eq!(failed(&explain(None).unwrap()), Some("invoker"));
    let later = explain(Some("2100-01-01T00:00:00Z")).unwrap();
    assert!(
        failed(&later).is_some_and(|title| title.contains("exp")),
        "{later}"
    );
    assert_eq!(
        explain(Some("soon")).unwrap_err().code,
        Code::InvalidArgument
    );
    let revoke = json!({ "subject": "caller@host.internal" });
    scratch.owner("POST /host/v1/revocations", revoke).unwrap();
    assert_eq!(failed(&explain(None).unwrap()), Some("revocation"));
}

#[test]
fn a_request_names_a_token_and_a_function_that_there_is() {
    let scratch = scratch(None);
    for (body, code) in [
        (json!({ "token": "t" }), Code::InvalidArgument),
        (json!({ "function": "c" }), Code::InvalidArgument),
        (
            json!({ "token": "t", "function": "a b" }),
            Code::InvalidArgument,
        ),
        (json!({ "token": "t", "function": "d" }), Code::NotFound),
    ] {
        assert_eq!(scratch.owner(EXPLAIN, body).unwrap_err().code, code);
    }
    let large = scratch
        .api
        .check(&Caller::owner(), "POST", "/host/v1/tokens:explain");
    assert_eq!(large, Ok(LARGEST_BODY));
}

#[test]
fn a_viewer_has_a_token_explained_and_the_token_is_in_no_audit_entry() {
    let scratch = scratch(None);
    let body = json!({ "token": "secret", "function": "c" });
    assert!(scratch.user(EXPLAIN, body.clone()).unwrap_err().is_denied());
    let audited = scratch.audited();
    assert!(
        audited.len() == 1 && !audited[0].contains("secret"),
        "{audited:?}"
    );
    scratch.grant("roles/viewer", &PolicyOf::Project);
    assert!(scratch.user(EXPLAIN, body).is_ok());
}

#[test]
fn a_token_of_the_owner_from_elsewhere_is_not_told_files_of_the_host() {
    let scratch = scratch(Some(&[]));
    let mut host = scratch.store().serving_host().unwrap().unwrap();
    host.config = Some("/nowhere/host.toml".into());
    scratch.store().begin_serving(&host).unwrap();
    let body = json!({ "token": "e30.e30", "function": "c" }).to_string();
    for (address, is_told) in [(None, true), (Some([192, 0, 2, 1].into()), false)] {
        let caller = Caller {
            address,
            ..Caller::owner()
        };
        let call = Call {
            verb: "POST",
            path: "/host/v1/tokens:explain",
            query: "",
            body: body.clone().into(),
            origin: URL.into(),
            is_own_client: false,
        };
        let Reply::Json(explained) = scratch.api.call(&caller, call).unwrap() else {
            panic!("not a document");
        };
        let warning = explained["warnings"][0].as_str().unwrap();
        assert_eq!(warning.contains("/nowhere"), is_told, "{warning}");
    }
}

#[test]
fn only_the_issuer_that_a_token_names_is_asked_for_keys() {
    let scratch = scratch(Some(&[]));
    // Nobody answers there.
    let urls = ["http://127.0.0.1:2", "http://127.0.0.1:3"];
    let mut host = scratch.store().serving_host().unwrap().unwrap();
    host.issuers = Vec::from(urls.map(|url| NamedIssuer {
        url: url.into(),
        audiences: Vec::new(),
    }));
    scratch.store().begin_serving(&host).unwrap();
    let of = |issuer: &str| {
        let part = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let header = part(json!({ "alg": "RS256", "kid": "a" }));
        let claims = part(json!({ "iss": issuer, "sub": "a", "aud": URL, "exp": 1, "iat": 0 }));
        format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 256]))
    };
    for (token, asked) in [
        (token(&scratch, URL), None),
        (of("https://unknown.example"), None),
        (of(urls[0]), Some(urls[0])),
        (of(urls[1]), Some(urls[1])),
    ] {
        let body = json!({ "token": token, "function": "c" });
        let explained = scratch.owner(EXPLAIN, body).unwrap();
        let warnings = explained["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), usize::from(asked.is_some()), "{explained}");
        let is_of = |url: &str| warnings[0].as_str().unwrap().contains(url);
        assert!(asked.is_none_or(is_of), "{explained}");
    }
}
