use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::api::Code;
use crate::api::test_support::{Scratch, USER};
use crate::store::{PolicyOf, StoreError};

const ACCOUNT: &str = "myserviceaccount@host.internal";
const PATH: &str = "POST /v1/projects/-/serviceAccounts/myserviceaccount@host.internal";

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch
        .store()
        .create_service_account(ACCOUNT, "1", "")
        .unwrap();
    scratch
}

fn claims(token: &Value) -> Value {
    let claims = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[test]
fn whoever_may_gets_an_id_token_of_the_account_and_an_audit_entry_says_so() {
    let scratch = scratch();
    let path = format!("{PATH}:generateIdToken?%24alt=json%3Benum-encoding%3Dint");
    let body = json!({ "audience": "http://127.0.0.1:8080/hello_world", "delegates": null, "includeEmail": true });
    let denied = scratch.user(&path, body.clone()).unwrap_err();
    assert_eq!(denied.code, Code::PermissionDenied);
    let account = PolicyOf::ServiceAccount(ACCOUNT.into());
    scratch.grant("roles/iam.serviceAccountTokenCreator", &account);
    let claims = claims(&scratch.user(&path, body).unwrap()["token"]);
    assert_eq!(claims["sub"], "1");
    assert_eq!(claims["aud"], "http://127.0.0.1:8080/hello_world");
    assert_eq!(claims["email"], ACCOUNT);
    let without = json!({ "audience": "x", "includeEmail": false });
    let token = scratch.owner(&format!("{PATH}:generateIdToken"), without);
    assert_eq!(self::claims(&token.unwrap()["token"]).get("email"), None);
    let audited = scratch.audited();
    let name = format!("GenerateIdToken projects/local/serviceAccounts/{ACCOUNT}");
    assert!(audited[0].contains("PERMISSION_DENIED"), "{audited:?}");
    assert_eq!(
        audited[1..],
        [
            format!("{USER} {name}: done"),
            format!("owner {name}: done")
        ]
    );
}

#[test]
fn access_tokens_are_good_for_an_hour_at_most() {
    let scratch = scratch();
    let path = format!("{PATH}:generateAccessToken");
    let call = |lifetime: Value| {
        let body = json!({ "delegates": null, "scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": lifetime });
        scratch.owner(&path, body)
    };
    for (lifetime, seconds) in [
        (json!("3600s"), 3600),
        (json!(null), 3600),
        (json!("60s"), 60),
    ] {
        let before = jiff::Timestamp::now().as_second();
        let made = call(lifetime).unwrap();
        let expires: jiff::Timestamp = made["expireTime"].as_str().unwrap().parse().unwrap();
        let lasts = expires.as_second() - before;
        assert!((seconds..seconds + 60).contains(&lasts), "{lasts}");
        assert_eq!(claims(&made["accessToken"])["sub"], "1");
    }
    for bad in ["3601s", "0.5s", "x"] {
        assert_eq!(
            call(json!(bad)).unwrap_err().code,
            Code::InvalidArgument,
            "{bad}"
        );
    }
}

#[test]
fn no_token_is_made_of_an_account_that_is_disabled_or_not_there_or_for_nobody() {
    let scratch = scratch();
    let call = |method: &str| {
        let body = json!({ "audience": "x" });
        scratch
            .owner(&format!("{PATH}:{method}"), body)
            .map_err(|status| status.code)
    };
    let empty = scratch.owner(&format!("{PATH}:generateIdToken"), json!({}));
    assert_eq!(empty.unwrap_err().code, Code::InvalidArgument);
    let delegated =
        json!({ "audience": "x", "delegates": ["projects/-/serviceAccounts/a@host.internal"] });
    let delegated = scratch.owner(&format!("{PATH}:generateIdToken"), delegated);
    assert_eq!(delegated.unwrap_err().code, Code::InvalidArgument);
    let disabled = scratch.store().change_service_account(ACCOUNT, |account| {
        account.is_disabled = true;
        Ok::<_, StoreError>(())
    });
    disabled.unwrap();
    for method in ["generateIdToken", "generateAccessToken"] {
        assert_eq!(call(method), Err(Code::FailedPrecondition), "{method}");
    }
    scratch.store().delete_service_account(ACCOUNT).unwrap();
    for method in ["generateIdToken", "generateAccessToken"] {
        assert_eq!(call(method), Err(Code::NotFound), "{method}");
    }
}

#[test]
fn nothing_is_signed_for_an_account() {
    let scratch = scratch();
    for method in ["signBlob", "signJwt"] {
        let refused = scratch.owner(&format!("{PATH}:{method}"), json!({ "payload": "" }));
        assert_eq!(refused.unwrap_err().code, Code::InvalidArgument, "{method}");
    }
}
