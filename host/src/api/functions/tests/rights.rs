//! Who may do what to functions.

use serde_json::{Value, json};

use super::{Code, Host, V1, V2, code};
use crate::api::Principal;
use crate::store::PolicyOf;

fn patch(host: &Host, principal: &Principal, body: &Value) -> Result<Value, crate::api::Status> {
    let target = format!("{V2}/functions/f");
    host.call_as(principal.clone(), "PATCH", &target, body)
}

#[test]
fn a_viewer_reads_and_a_stranger_does_not() {
    let host = Host::new();
    host.create("f");
    let viewer = host.grant(
        &PolicyOf::Project,
        "roles/cloudfunctions.viewer",
        &host.account("viewer"),
    );
    let stranger = Principal::ServiceAccount(host.account("stranger").parse().unwrap());
    let one = format!("{V2}/functions/f");
    for read in [
        one.clone(),
        format!("{V2}/functions"),
        format!("{V1}/functions/f"),
        format!("{V2}/runtimes"),
        format!("{V2}/operations"),
        "/v1/operations".into(),
    ] {
        assert!(
            host.call_as(viewer.clone(), "GET", &read, &Value::Null)
                .is_ok(),
            "{read}"
        );
        let refused = host.call_as(stranger.clone(), "GET", &read, &Value::Null);
        assert_eq!(code(refused), Code::PermissionDenied, "{read}");
    }
    for (verb, target) in [
        ("POST", format!("{V2}/functions?functionId=g")),
        ("POST", format!("{V2}/functions:generateUploadUrl")),
        ("PATCH", one.clone()),
        ("DELETE", one.clone()),
        ("POST", format!("{V1}/functions/f:call")),
    ] {
        let refused = host.call_as(viewer.clone(), verb, &target, &json!({}));
        assert_eq!(code(refused), Code::PermissionDenied, "{verb} {target}");
    }
}

#[test]
fn who_deploys_does_not_decide_who_may_call() {
    let host = Host::new();
    host.create("f");
    let developer = host.grant(
        &PolicyOf::Project,
        "roles/cloudfunctions.developer",
        &host.account("developer"),
    );
    let admin = host.grant(
        &PolicyOf::Project,
        "roles/cloudfunctions.admin",
        &host.account("admin"),
    );
    for host_field in [
        json!({ "allowUnauthenticated": true }),
        json!({ "invokers": ["allUsers"] }),
        json!({ "audiences": ["x"] }),
        json!({ "invokerRules": [{ "issuer": "https://i.example", "claims": { "sub": "s" } }] }),
    ] {
        let body = json!({ "host": host_field });
        assert_eq!(
            code(patch(&host, &developer, &body)),
            Code::PermissionDenied,
            "{body}"
        );
    }
    let open = json!({ "host": { "allowUnauthenticated": true } });
    host.done(&patch(&host, &admin, &open).unwrap());
    // What stays as it is takes no permission.
    host.done(&patch(&host, &developer, &open).unwrap());
}

#[test]
fn files_of_the_host_are_named_by_its_owner_alone() {
    let host = Host::new();
    host.create("f");
    let admin = host.grant(&PolicyOf::Project, "roles/owner", &host.account("admin"));
    let body = json!({ "host": { "secretFiles": { "S": "/etc/hostname" } } });
    assert_eq!(code(patch(&host, &admin, &body)), Code::PermissionDenied);
    let over_network = crate::api::Caller {
        address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        ..crate::api::Caller::owner()
    };
    let call = crate::api::Call {
        verb: "PATCH",
        path: &format!("{V2}/functions/f"),
        query: "",
        body: body.to_string().into(),
        origin: super::ORIGIN.into(),
        is_own_client: false,
    };
    let refused = host.api.call(&over_network, call).unwrap_err();
    assert!(refused.message.contains("over the network"), "{refused}");
    host.done(&patch(&host, &Principal::Owner, &body).unwrap());
    host.done(&patch(&host, &admin, &body).unwrap());
}

#[test]
fn what_is_of_the_whole_host_takes_a_role_on_the_project() {
    let host = Host::new();
    host.create("f");
    let of = PolicyOf::Function("f".parse().unwrap());
    let one = host.grant(&of, "roles/owner", &host.account("one"));
    let grant = |role: &str, name: &str| host.grant(&PolicyOf::Project, role, &host.account(name));
    let developer = grant("roles/cloudfunctions.developer", "developer");
    let editor = grant("roles/editor", "editor");
    let admin = grant("roles/owner", "admin");
    for (field, refused, permitted) in [
        (json!({ "hosts": ["f.example"] }), &[&one][..], &developer),
        (
            json!({ "keyvalueBuckets": ["shared"] }),
            &[&one, &developer],
            &editor,
        ),
        (
            json!({ "allowOutbound": ["http://127.0.0.1:1"] }),
            &[&one, &developer, &editor],
            &admin,
        ),
    ] {
        let body = json!({ "host": field });
        for principal in refused {
            let refused = patch(&host, principal, &body);
            assert_eq!(code(refused), Code::PermissionDenied, "{principal} {body}");
        }
        host.done(&patch(&host, permitted, &body).unwrap());
    }
}

#[test]
fn a_role_on_one_function_is_enough_to_deploy_it_and_no_other() {
    let host = Host::new();
    host.create("f");
    host.create("g");
    let of = PolicyOf::Function("f".parse().unwrap());
    let robot = host.grant(&of, "roles/cloudfunctions.developer", &host.account("ci"));
    let stranger = Principal::ServiceAccount(host.account("stranger").parse().unwrap());
    let call = |principal: &Principal, verb: &str, target: &str, body: &Value| {
        host.call_as(principal.clone(), verb, target, body)
    };
    let url = format!("{V2}/functions:generateUploadUrl");
    for refused in [
        call(&stranger, "POST", &url, &json!({})),
        call(&stranger, "GET", &format!("{V2}/runtimes"), &Value::Null),
    ] {
        assert_eq!(code(refused), Code::PermissionDenied);
    }
    call(&robot, "GET", &format!("{V2}/runtimes"), &Value::Null).unwrap();
    let upload = call(&robot, "POST", &url, &json!({})).unwrap();
    host.put(&upload["uploadUrl"], super::WASM).unwrap();
    let body = json!({ "buildConfig": { "source": { "storageSource": upload["storageSource"] } } });
    let (f, g) = (format!("{V2}/functions/f"), format!("{V2}/functions/g"));
    let new = format!("{V2}/functions?functionId=h");
    for (verb, target) in [("PATCH", &g), ("GET", &g), ("DELETE", &g), ("POST", &new)] {
        let refused = call(&robot, verb, target, &body);
        assert_eq!(code(refused), Code::PermissionDenied, "{verb} {target}");
    }
    let begun = call(&robot, "PATCH", &f, &body).unwrap();
    host.done(&begun);
    let operation = |begun: &Value| format!("/v2/{}", begun["name"].as_str().unwrap());
    let done = call(&robot, "GET", &operation(&begun), &Value::Null).unwrap();
    assert!(done["response"].is_object(), "{done}");
    call(&robot, "GET", &f, &Value::Null).unwrap();

    // An operation that somebody else has begun is seen by those who may see its function.
    let of_owner = |target: &str| operation(&host.call("PATCH", target, &json!({})).unwrap());
    let (of_f, of_g) = (of_owner(&f), of_owner(&g));
    call(&robot, "GET", &of_f, &Value::Null).unwrap();
    for (principal, target) in [(&robot, of_g), (&stranger, of_f)] {
        let refused = call(principal, "GET", &target, &Value::Null);
        assert_eq!(
            code(refused),
            Code::PermissionDenied,
            "{principal} {target}"
        );
    }
    // Its own it sees also when the function and the roles on it are gone.
    let deleted = call(&robot, "DELETE", &f, &Value::Null).unwrap();
    host.done(&deleted);
    call(&robot, "GET", &operation(&deleted), &Value::Null).unwrap();
}

#[test]
fn a_function_acts_as_an_account_that_its_deployer_may_act_as() {
    let host = Host::new();
    host.create("f");
    let account = host.account("robot");
    let developer = host.grant(
        &PolicyOf::Project,
        "roles/cloudfunctions.developer",
        &host.account("developer"),
    );
    let body = |email: &str| json!({ "serviceConfig": { "serviceAccountEmail": email } });
    assert_eq!(
        code(patch(&host, &developer, &body(&account))),
        Code::PermissionDenied
    );
    let missing = patch(&host, &developer, &body("none@host.internal"));
    assert_eq!(code(missing), Code::InvalidArgument);
    let of = PolicyOf::ServiceAccount(account.clone());
    host.grant(
        &of,
        "roles/iam.serviceAccountUser",
        "developer@host.internal",
    );
    let done = host.done(&patch(&host, &developer, &body(&account)).unwrap());
    assert_eq!(
        done["response"]["serviceConfig"]["serviceAccountEmail"],
        account
    );
}

#[test]
fn new_code_acts_as_the_account_that_a_function_has_if_its_deployer_may_act_as_it() {
    let host = Host::new();
    host.create("f");
    let account = host.account("robot");
    let body = json!({ "serviceConfig": { "serviceAccountEmail": account } });
    host.done(&patch(&host, &Principal::Owner, &body).unwrap());
    let developer = host.grant(
        &PolicyOf::Project,
        "roles/cloudfunctions.developer",
        &host.account("developer"),
    );
    let deploy = |who: &Principal| {
        let source = json!({ "storageSource": host.upload(super::WASM) });
        let body = json!({ "buildConfig": { "source": source } });
        let target = format!("{V2}/functions/f?updateMask=buildConfig.source");
        host.call_as(who.clone(), "PATCH", &target, &body)
    };
    assert_eq!(code(deploy(&developer)), Code::PermissionDenied);
    // A setting alone is no new code.
    let setting = json!({ "serviceConfig": { "timeoutSeconds": 5 } });
    let target = format!("{V2}/functions/f?updateMask=serviceConfig.timeoutSeconds");
    let changed = host.call_as(developer.clone(), "PATCH", &target, &setting);
    host.done(&changed.unwrap());
    let of = PolicyOf::ServiceAccount(account.clone());
    let role = "roles/iam.serviceAccountUser";
    host.grant(&of, role, "developer@host.internal");
    for who in [&developer, &Principal::Owner] {
        let done = host.done(&deploy(who).unwrap());
        assert!(done["response"].is_object(), "{done}");
    }
}

#[test]
fn a_command_of_this_program_is_told_of_fields_that_are_not_known() {
    let host = Host::new();
    host.create("f");
    let call = crate::api::Call {
        verb: "PATCH",
        path: &format!("{V2}/functions/f"),
        query: "",
        body: json!({ "lables": {} }).to_string().into(),
        origin: super::ORIGIN.into(),
        is_own_client: true,
    };
    let refused = host
        .api
        .call(&crate::api::Caller::owner(), call)
        .unwrap_err();
    assert!(refused.message.contains("lables"), "{refused}");
}

#[test]
fn by_the_commands_method_nobody_creates_or_opens_a_function_who_may_not_by_others() {
    let host = Host::new();
    host.create("f");
    let deploy = |who: &Principal, name: &str, body: &Value| {
        let path = format!("/host/v1/projects/local/locations/local/functions/{name}:deploy");
        host.call_as(who.clone(), "POST", &path, body)
    };
    let of = PolicyOf::Function("f".parse().unwrap());
    let one = host.grant(&of, "roles/cloudfunctions.developer", &host.account("one"));
    host.done(&deploy(&one, "f", &json!({})).unwrap());
    assert_eq!(code(deploy(&one, "g", &json!({}))), Code::PermissionDenied);
    for changes in [
        json!({ "allowUnauthenticated": true }),
        json!({ "invokers": ["user:a@example.com"] }),
        json!({ "secretFiles": { "update": { "S": "/etc/hostname" } } }),
        json!({ "serviceAccountEmail": "one@host.internal" }),
    ] {
        let refused = deploy(&one, "f", &json!({ "changes": changes }));
        assert_eq!(code(refused), Code::PermissionDenied, "{changes}");
    }
}
