use serde_json::{Value, json};

use crate::api::Code;
use crate::api::test_support::Scratch;
use crate::store::{PolicyOf, Project};

const ALL: &str = "/v1/projects/local/serviceAccounts";
const ACCOUNT: &str = "myserviceaccount@host.internal";

fn create(scratch: &Scratch) -> Value {
    let body = json!({ "accountId": "myserviceaccount", "serviceAccount": { "displayName": "My service account" } });
    scratch
        .owner(&format!("POST {ALL}?alt=json"), body)
        .unwrap()
}

fn call(scratch: &Scratch, verb: &str, name: &str, body: Value) -> Value {
    let answer = scratch.owner(&format!("{verb} {ALL}/{name}"), body);
    answer.unwrap()
}

#[test]
fn an_account_is_created_as_googles_clients_do_and_found_by_both_of_its_names() {
    let scratch = Scratch::new();
    let created = create(&scratch);
    assert_eq!(created["email"], ACCOUNT);
    assert_eq!(
        created["name"],
        format!("projects/local/serviceAccounts/{ACCOUNT}")
    );
    assert_eq!(created["displayName"], "My service account");
    assert_eq!(created["disabled"], false);
    assert_eq!(created["uniqueId"], created["oauth2ClientId"]);
    let id = created["uniqueId"].as_str().unwrap();
    let any = "/v1/projects/-/serviceAccounts";
    for path in [
        format!("{ALL}/{ACCOUNT}?alt=json"),
        format!("{any}/myserviceaccount%40host.internal"),
        format!("{any}/{id}"),
    ] {
        let found = scratch.owner(&format!("GET {path}"), json!({}));
        assert_eq!(found.unwrap(), created, "{path}");
    }
    assert_eq!(
        scratch.audited(),
        [
            "owner CreateServiceAccount projects/local/serviceAccounts/myserviceaccount@host.internal: done"
        ]
    );
}

#[test]
fn the_address_ends_in_the_domain_of_the_project_and_in_another_one_for_its_owner_alone() {
    let store = crate::store::Store::in_memory().unwrap();
    let project = Project {
        id: "p".into(),
        location: "local".into(),
    };
    store.set_project(&project).unwrap();
    assert_eq!(
        store.project().unwrap().service_account_domain(),
        "p.iam.gserviceaccount.com"
    );
    let scratch = Scratch::new();
    let body = json!({ "accountId": "a", "domain": "robots.example" });
    let created = scratch.owner(&format!("POST {ALL}"), body.clone()).unwrap();
    assert_eq!(created["email"], "a@robots.example");
    scratch.grant("roles/editor", &PolicyOf::Project);
    let denied = scratch.user(&format!("POST {ALL}"), body).unwrap_err();
    assert_eq!(denied.code, Code::PermissionDenied);
    let own = json!({ "accountId": "a", "domain": "host.internal" });
    assert!(scratch.user(&format!("POST {ALL}"), own).is_ok());
}

#[test]
fn what_is_there_already_too_long_or_malformed_is_refused() {
    let scratch = Scratch::new();
    create(&scratch);
    let refused = |body: Value| {
        scratch
            .owner(&format!("POST {ALL}"), body)
            .unwrap_err()
            .code
    };
    assert_eq!(
        refused(json!({ "accountId": "myserviceaccount" })),
        Code::AlreadyExists
    );
    for bad in [
        json!({}),
        json!({ "accountId": "A" }),
        json!({ "accountId": 7 }),
        json!({ "accountId": "a", "domain": "A b" }),
        json!({ "accountId": "a", "serviceAccount": { "displayName": "x".repeat(101) } }),
        json!({ "accountId": "a", "serviceAccount": { "description": "x".repeat(257) } }),
    ] {
        assert_eq!(refused(bad.clone()), Code::InvalidArgument, "{bad}");
    }
    for (verb, name) in [
        ("GET", "none@host.internal"),
        ("DELETE", "123"),
        ("POST", "none@host.internal:disable"),
    ] {
        let missing = scratch.owner(&format!("{verb} {ALL}/{name}"), json!({}));
        assert_eq!(missing.unwrap_err().code, Code::NotFound, "{verb} {name}");
    }
}

#[test]
fn lists_come_in_pages() {
    let scratch = Scratch::new();
    for name in ["a", "b", "c"] {
        let body = json!({ "accountId": name });
        scratch.owner(&format!("POST {ALL}"), body).unwrap();
    }
    let list = |query: &str| {
        scratch
            .owner(&format!("GET {ALL}?{query}"), json!({}))
            .unwrap()
    };
    let emails = |list: &Value| -> Vec<String> {
        let accounts = list["accounts"].as_array().unwrap();
        accounts
            .iter()
            .map(|one| one["email"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = list("pageSize=2");
    assert_eq!(emails(&first), ["a@host.internal", "b@host.internal"]);
    let token = first["nextPageToken"].as_str().unwrap();
    let second = list(&format!("pageSize=2&pageToken={token}"));
    assert_eq!(emails(&second), ["c@host.internal"]);
    assert_eq!(second.get("nextPageToken"), None);
}

#[test]
fn a_patch_changes_what_its_mask_in_the_body_names() {
    let scratch = Scratch::new();
    create(&scratch);
    let new = json!({ "displayName": "New", "description": "calls" });
    let body = json!({ "serviceAccount": new, "updateMask": "description" });
    let patched = call(&scratch, "PATCH", ACCOUNT, body);
    assert_eq!(patched["displayName"], "My service account");
    assert_eq!(patched["description"], "calls");
    let body = json!({ "serviceAccount": {}, "updateMask": "display_name" });
    assert_eq!(call(&scratch, "PATCH", ACCOUNT, body)["displayName"], "");
    let put = call(&scratch, "PUT", ACCOUNT, json!({ "displayName": "Put" }));
    assert_eq!(
        (&put["displayName"], &put["description"]),
        (&json!("Put"), &json!("calls"))
    );
    let body = json!({ "serviceAccount": {}, "updateMask": "email" });
    let refused = scratch.owner(&format!("PATCH {ALL}/{ACCOUNT}"), body);
    assert_eq!(refused.unwrap_err().code, Code::InvalidArgument);
}

#[test]
fn a_change_of_what_somebody_else_has_changed_is_aborted() {
    let scratch = Scratch::new();
    let created = create(&scratch);
    let body = json!({ "displayName": "New", "etag": created["etag"] });
    let changed = call(&scratch, "PUT", ACCOUNT, body.clone());
    assert_ne!(changed["etag"], created["etag"]);
    let stale = scratch.owner(&format!("PUT {ALL}/{ACCOUNT}"), body);
    assert_eq!(stale.unwrap_err().code, Code::Aborted);
}

#[test]
fn an_account_is_disabled_and_enabled_as_often_as_one_likes() {
    let scratch = Scratch::new();
    create(&scratch);
    for (verb, is_disabled) in [("disable", true), ("disable", true), ("enable", false)] {
        let answer = call(&scratch, "POST", &format!("{ACCOUNT}:{verb}"), json!({}));
        assert_eq!(answer, json!({}));
        assert_eq!(
            call(&scratch, "GET", ACCOUNT, json!({}))["disabled"],
            is_disabled
        );
    }
}

#[test]
fn a_deleted_account_is_in_no_policy_and_its_successor_has_another_id() {
    let scratch = Scratch::new();
    let before = create(&scratch);
    let policy = json!({ "policy": { "bindings": [
        { "role": "roles/viewer", "members": [format!("serviceAccount:{ACCOUNT}")] },
    ]}});
    let set = "POST /v1/projects/local:setIamPolicy";
    assert!(scratch.owner(set, policy).unwrap()["bindings"].is_array());
    assert_eq!(call(&scratch, "DELETE", ACCOUNT, json!({})), json!({}));
    let policy = scratch.owner("POST /v1/projects/local:getIamPolicy", json!({}));
    assert_eq!(policy.unwrap().get("bindings"), None);
    assert_ne!(create(&scratch)["uniqueId"], before["uniqueId"]);
}

#[test]
fn a_role_on_one_account_says_nothing_of_another() {
    let scratch = Scratch::new();
    let id = create(&scratch)["uniqueId"].as_str().unwrap().to_owned();
    scratch
        .owner(&format!("POST {ALL}"), json!({ "accountId": "other" }))
        .unwrap();
    scratch.grant(
        "roles/iam.serviceAccountUser",
        &PolicyOf::ServiceAccount(ACCOUNT.into()),
    );
    let get = |name: &str| {
        scratch
            .user(&format!("GET {ALL}/{name}"), json!({}))
            .map(drop)
    };
    assert_eq!(get(ACCOUNT), Ok(()));
    assert_eq!(get(&id), Ok(()));
    for name in ["other@host.internal", "none@host.internal", "1"] {
        assert_eq!(
            get(name).unwrap_err().code,
            Code::PermissionDenied,
            "{name}"
        );
    }
    let denied = scratch.user(&format!("DELETE {ALL}/{ACCOUNT}"), json!({}));
    assert_eq!(denied.unwrap_err().code, Code::PermissionDenied);
}

#[test]
fn no_key_is_made_and_what_to_do_instead_is_told() {
    let scratch = Scratch::new();
    create(&scratch);
    let path = format!("POST /v1/projects/-/serviceAccounts/{ACCOUNT}/keys?alt=json");
    let body = json!({ "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE" });
    let refused = scratch.owner(&path, body).unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    assert!(
        refused.message.contains("serviceAccountTokenCreator"),
        "{refused}"
    );
}
