use serde_json::{Value, json};

use super::*;
use crate::api::test_support::{Scratch, USER};

const PROJECT: &str = "/v1/projects/local";
const V1: &str = "/v1/projects/local/locations/local/functions/hello_world";
const V2: &str = "/v2/projects/local/locations/local/functions/hello_world";
const SERVICE: &str = "/v1/projects/local/locations/local/services/hello_world";
const ACCOUNT: &str = "myserviceaccount@host.internal";

/// With a function and a service account.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let store = scratch.store();
    store.create_service_account(ACCOUNT, "1", "").unwrap();
    store.deploy(&function(), Some(b"wasm"), Ok).unwrap();
    scratch
}

fn function() -> FunctionName {
    "hello_world".parse().unwrap()
}

fn account_path() -> String {
    format!("{PROJECT}/serviceAccounts/{ACCOUNT}")
}

fn binding(role: &str, member: &str) -> Value {
    json!([{ "role": role, "members": [member] }])
}

fn get_of_function(scratch: &Scratch, path: &str) -> Value {
    let query = "options.requestedPolicyVersion=3";
    let policy = scratch.owner(&format!("GET {path}:getIamPolicy?{query}"), json!({}));
    policy.unwrap()
}

#[test]
fn gcloud_adds_a_binding_by_reading_changing_and_writing_back() {
    let scratch = scratch();
    let role = "roles/iam.serviceAccountTokenCreator";
    for (path, role) in [
        (PROJECT.to_owned(), "roles/cloudscheduler.admin"),
        (account_path(), role),
    ] {
        let read = || {
            let body = json!({ "options": { "requestedPolicyVersion": 3 } });
            scratch
                .owner(&format!("POST {path}:getIamPolicy?alt=json"), body)
                .unwrap()
        };
        let empty = read();
        assert_eq!(empty.get("bindings"), None);
        let member = format!("serviceAccount:{ACCOUNT}");
        let wanted = json!({ "policy": { "bindings": binding(role, &member), "etag": empty["etag"], "version": 3 } });
        let set = format!("POST {path}:setIamPolicy?alt=json");
        let written = scratch.owner(&set, wanted.clone()).unwrap();
        assert_eq!(written["bindings"], binding(role, &member));
        assert_eq!(read(), written);
        let stale = scratch.owner(&set, wanted).unwrap_err();
        assert_eq!((stale.code, stale.code.http()), (Code::Aborted, 409));
    }
}

#[test]
fn a_mask_in_the_body_says_whether_bindings_that_are_left_out_are_removed() {
    let scratch = scratch();
    scratch.grant("roles/viewer", &PolicyOf::Project);
    let set = |mask: &str| {
        let body = json!({ "policy": { "version": 3 }, "updateMask": mask });
        scratch
            .owner(&format!("POST {PROJECT}:setIamPolicy?alt=json"), body)
            .unwrap()
    };
    assert_eq!(set("etag")["bindings"], binding("roles/viewer", USER));
    assert_eq!(set("bindings,etag").get("bindings"), None);
}

#[test]
fn a_function_has_one_policy_behind_all_its_paths() {
    let scratch = scratch();
    let member = format!("serviceAccount:{ACCOUNT}");
    let set = |path: &str, bindings: Value, etag: &Value| {
        let policy = json!({ "bindings": bindings, "etag": etag, "version": 1 });
        scratch.owner(
            &format!("POST {path}:setIamPolicy"),
            json!({ "policy": policy }),
        )
    };
    let etag = &get_of_function(&scratch, V2)["etag"];
    set(V2, binding(INVOKER, &member), etag).unwrap();
    assert_eq!(
        get_of_function(&scratch, V1)["bindings"],
        binding(INVOKER, &member)
    );
    // As gcloud's --allow-unauthenticated does.
    let service = get_of_function(&scratch, SERVICE);
    assert_eq!(service["bindings"], binding(RUN_INVOKER, &member));
    let open = json!([{ "role": RUN_INVOKER, "members": ["allUsers", member] }]);
    set(SERVICE, open, &service["etag"]).unwrap();
    let settings = || scratch.store().function(&function()).unwrap().settings;
    assert!(settings().allow_unauthenticated);
    assert_eq!(
        settings().invokers.into_iter().collect::<Vec<_>>(),
        [member]
    );
    assert!(set(V1, json!([]), &service["etag"]).is_err());
    let etag = &get_of_function(&scratch, V1)["etag"];
    set(V1, json!(null), etag).unwrap();
    assert!(!settings().allow_unauthenticated && settings().invokers.is_empty());
}

#[test]
fn other_roles_on_a_function_stand_beside_who_may_call_and_rules_on_claims_stay() {
    let scratch = scratch();
    let rule = json!({ "issuer": "https://id.example", "claims": { "groups": ["staff"] } });
    let ruled = scratch.store().deploy(&function(), None, |mut settings| {
        settings.invoker_rules = vec![serde_json::from_value(rule.clone()).unwrap()];
        Ok(settings)
    });
    ruled.unwrap();
    let mut bindings = binding("roles/cloudfunctions.developer", USER);
    let calls = binding(INVOKER, USER)[0].clone();
    bindings.as_array_mut().unwrap().push(calls);
    let body = json!({ "policy": { "bindings": bindings } });
    let written = scratch
        .owner(&format!("POST {V1}:setIamPolicy"), body)
        .unwrap();
    assert_eq!(written["bindings"].as_array().unwrap().len(), 2);
    assert_eq!(written.get("invokerRules"), None);
    let kept = scratch.store().function(&function()).unwrap();
    assert_eq!(kept.settings.invoker_rules.len(), 1);
    assert_eq!(get_of_function(&scratch, V2), written);
    let of = PolicyOf::Function(function());
    let kept = scratch.store().policy(&of).unwrap();
    assert_eq!(
        kept.keys().collect::<Vec<_>>(),
        ["roles/cloudfunctions.developer"]
    );
}

#[test]
fn the_owner_is_in_no_policy_and_locked_out_by_none() {
    let scratch = scratch();
    let body = json!({ "policy": { "bindings": [] } });
    let set = format!("POST {PROJECT}:setIamPolicy");
    scratch.owner(&set, body).unwrap();
    let body = json!({ "policy": { "bindings": binding("roles/viewer", USER) } });
    assert!(scratch.owner(&set, body.clone()).is_ok());
    assert_eq!(
        scratch.user(&set, body).unwrap_err().code,
        Code::PermissionDenied
    );
}

#[test]
fn nobody_gives_a_role_with_permissions_that_they_lack_unless_they_set_the_projects_policy() {
    let scratch = scratch();
    let account = PolicyOf::ServiceAccount(ACCOUNT.into());
    scratch.grant("roles/iam.serviceAccountAdmin", &PolicyOf::Project);
    let set = |role: &str| {
        let body = json!({ "policy": { "bindings": binding(role, USER) } });
        let set = scratch.user(&format!("POST {}:setIamPolicy", account_path()), body);
        set.map(drop).map_err(|status| status.code)
    };
    for role in [
        "roles/iam.serviceAccountTokenCreator",
        "roles/iam.serviceAccountUser",
        "roles/owner",
    ] {
        assert_eq!(set(role), Err(Code::PermissionDenied), "{role}");
    }
    assert_eq!(set("roles/iam.serviceAccountAdmin"), Ok(()));
    // What somebody else has given may stay.
    scratch
        .store()
        .change_policy(&account, |_, _| Ok::<_, Status>(Bindings::new()))
        .unwrap();
    scratch.grant("roles/iam.serviceAccountUser", &account);
    assert_eq!(set("roles/iam.serviceAccountUser"), Ok(()));
    scratch.grant("roles/owner", &PolicyOf::Project);
    assert_eq!(set("roles/iam.serviceAccountTokenCreator"), Ok(()));
}

#[test]
fn an_administrator_of_functions_gives_the_roles_of_functions() {
    let scratch = scratch();
    scratch.grant(
        "roles/cloudfunctions.admin",
        &PolicyOf::Function(function()),
    );
    for (role, member) in [
        (INVOKER, "allUsers"),
        ("roles/cloudfunctions.developer", USER),
    ] {
        let body = json!({ "policy": { "bindings": binding(role, member) } });
        let set = scratch.user(&format!("POST {V2}:setIamPolicy"), body);
        scratch.grant(
            "roles/cloudfunctions.admin",
            &PolicyOf::Function(function()),
        );
        assert!(set.is_ok(), "{role}: {set:?}");
    }
}

#[test]
fn everybody_may_be_let_call_a_function_and_nothing_else() {
    let scratch = scratch();
    let set = |path: &str, role: &str| {
        let body = json!({ "policy": { "bindings": binding(role, "allUsers") } });
        let set = scratch.owner(&format!("POST {path}:setIamPolicy"), body);
        set.map(drop).map_err(|status| status.code)
    };
    assert_eq!(set(V1, INVOKER), Ok(()));
    for (path, role) in [
        (V1, "roles/viewer"),
        (PROJECT, INVOKER),
        (&account_path(), "roles/owner"),
    ] {
        assert_eq!(set(path, role), Err(Code::InvalidArgument), "{path} {role}");
    }
}

#[test]
fn permissions_that_the_caller_has_are_told_of_those_that_were_asked() {
    let scratch = scratch();
    let asked = [
        "cloudfunctions.functions.get",
        "cloudfunctions.functions.delete",
    ];
    let ask = |path: &str, permissions: Value| {
        let body = json!({ "permissions": permissions });
        scratch.user(&format!("POST {path}:testIamPermissions"), body)
    };
    assert_eq!(ask(V1, json!(asked)), Ok(json!({})));
    scratch.grant(
        "roles/cloudfunctions.viewer",
        &PolicyOf::Function(function()),
    );
    for path in [V1, V2, SERVICE] {
        assert_eq!(
            ask(path, json!(asked)),
            Ok(json!({ "permissions": [asked[0]] })),
            "{path}"
        );
    }
    assert_eq!(ask(PROJECT, json!(asked)), Ok(json!({})));
    assert_eq!(
        ask(&account_path(), json!(["iam.serviceAccounts.get"])),
        Ok(json!({}))
    );
    assert!(ask(V1, json!(["cloudfunctions.*"])).is_err());
    assert!(ask(V1, json!(vec!["a.b.c"; MOST_PERMISSIONS])).is_ok());
    assert!(ask(V1, json!(vec!["a.b.c"; MOST_PERMISSIONS + 1])).is_err());
}

#[test]
fn what_is_not_there_has_no_policy() {
    let scratch = scratch();
    let set = json!({ "policy": {} });
    for (method, body) in [
        (format!("GET {V1}x:getIamPolicy"), json!({})),
        (format!("POST {V1}x:setIamPolicy"), set.clone()),
        (
            format!("POST {PROJECT}/serviceAccounts/x@y:getIamPolicy"),
            json!({}),
        ),
        (
            format!("POST {PROJECT}/serviceAccounts/x@y:setIamPolicy"),
            set,
        ),
    ] {
        let missing = scratch.owner(&method, body).unwrap_err();
        assert_eq!(missing.code, Code::NotFound, "{method}");
    }
}
