//! Policies: what a role lets its members do, and two who change one at the same time.

use serde_json::{Value, json};
use tests::{Host, State, wait_until};

const PROJECT: &str = "/v1/projects/local";
const JOBS: &str = "/v1/projects/local/locations/local/jobs";
const ACCOUNT: &str = "deployer@host.internal";

fn bind(host: &Host, token: &str, resource: &str, role: &str) -> Value {
    let policy = host.called(token, &format!("POST {resource}:getIamPolicy"), &json!({}));
    let members = [format!("serviceAccount:{ACCOUNT}")];
    let body = json!({ "policy": {
        "etag": policy["etag"],
        "bindings": [{ "role": role, "members": members }],
    }});
    host.called(token, &format!("POST {resource}:setIamPolicy"), &body)
}

#[test]
fn a_role_lets_its_members_do_what_is_in_it_and_nothing_else() {
    let state = State::with_store();
    let host = state.serve().start();
    state.run("iam service-accounts create deployer");
    let owner = state.access_token();
    let deployer = state.access_token_of(ACCOUNT);
    let status = |head: &str, body: &str| host.method(Some(&deployer), head, body).status;
    let refused = host.method(Some(&deployer), &format!("GET {JOBS}"), "");
    assert_eq!(refused.status, 403);
    let error = &refused.json()["error"];
    assert_eq!(
        error["details"][0]["metadata"]["permission"],
        "cloudscheduler.jobs.list"
    );
    bind(&host, &owner, PROJECT, "roles/cloudscheduler.viewer");
    assert_eq!(status(&format!("GET {JOBS}"), ""), 200);
    let job = r#"{"name": "projects/local/locations/local/jobs/j", "schedule": "0 * * * *", "httpTarget": {"uri": "http://127.0.0.1:1/"}}"#;
    assert_eq!(status(&format!("POST {JOBS}"), job), 403);
    bind(&host, &owner, PROJECT, "roles/cloudscheduler.admin");
    assert_eq!(status(&format!("POST {JOBS}"), job), 200);
    // To act as an account takes a role on that.
    let acting = r#"{"schedule": "0 * * * *", "httpTarget": {"uri": "http://127.0.0.1:1/", "oidcToken": {"serviceAccountEmail": "deployer@host.internal"}}}"#;
    assert_eq!(status(&format!("POST {JOBS}"), acting), 403);
    let account = format!("{PROJECT}/serviceAccounts/{ACCOUNT}");
    bind(&host, &owner, &account, "roles/iam.serviceAccountUser");
    assert_eq!(status(&format!("POST {JOBS}"), acting), 200);
    assert_eq!(status(&format!("POST {PROJECT}:setIamPolicy"), "{}"), 403);
    // With the account goes what it could do.
    state.run(&format!("iam service-accounts delete {ACCOUNT} --quiet"));
    assert_eq!(status(&format!("GET {JOBS}"), ""), 401);
    let policy = host.called(&owner, &format!("POST {PROJECT}:getIamPolicy"), &json!({}));
    assert_eq!(policy.get("bindings"), None, "{policy}");
}

#[test]
fn an_invoker_of_the_project_calls_every_function_until_it_is_none() {
    let state = State::new();
    state.deploy("private", "hello", &[]);
    state.update("private", &["--no-allow-unauthenticated"]);
    let host = state.serve().start();
    state.run("iam service-accounts create deployer");
    let owner = state.access_token();
    let call = || {
        let url = format!("http://{}/private", host.addr());
        let token = state.run(&format!(
            "auth print-identity-token --impersonate-service-account {ACCOUNT} --audiences {url}"
        ));
        let head = format!(
            "POST /private\nAuthorization: Bearer {}",
            token.stdout.trim()
        );
        host.request(&head, "{}").status
    };
    assert_eq!(call(), 403);
    bind(&host, &owner, PROJECT, "roles/cloudfunctions.invoker");
    wait_until("the policy is taken up", || call() == 200);
    let nobody = json!({ "policy": { "bindings": [] } });
    host.called(&owner, &format!("POST {PROJECT}:setIamPolicy"), &nobody);
    wait_until("it is taken away", || call() == 403);
}

#[test]
fn of_two_who_change_a_policy_that_both_have_read_one_is_told_to_read_again() {
    let state = State::with_store();
    let host = state.serve().start();
    let owner = state.access_token();
    let read = host.called(&owner, &format!("POST {PROJECT}:getIamPolicy"), &json!({}));
    let change = |member: &str| {
        let bindings = json!([{ "role": "roles/viewer", "members": [member] }]);
        let body = json!({ "policy": { "etag": read["etag"], "bindings": bindings } });
        host.method(
            Some(&owner),
            &format!("POST {PROJECT}:setIamPolicy"),
            body.to_string(),
        )
    };
    assert_eq!(change("user:ada@example.com").status, 200);
    let second = change("user:bob@example.com");
    assert_eq!(second.status, 409);
    assert_eq!(second.json()["error"]["status"], "ABORTED");
}
