use serde_json::{Value, json};

use crate::api::test_support::Scratch;
use crate::api::{Code, Status};
use crate::store::{JobSettings, PolicyOf};

const JOBS: &str = "/v1/projects/local/locations/local/jobs";
const ROBOT: &str = "robot@host.internal";

fn job(uri: &str) -> Value {
    json!({
        "name": "projects/local/locations/local/jobs/j",
        "schedule": "0 * * * *",
        "httpTarget": { "uri": uri, "oidcToken": { "serviceAccountEmail": ROBOT } },
    })
}

/// A host with a job of the account `ROBOT`, and somebody who may change jobs.
fn host() -> Scratch {
    let scratch = Scratch::new();
    let created = scratch.store().create_service_account(ROBOT, "1", "");
    created.unwrap();
    let created = scratch.owner(&format!("POST {JOBS}"), job("https://a.example/"));
    created.unwrap();
    scratch.grant("roles/cloudscheduler.admin", &PolicyOf::Project);
    scratch
}

fn settings(scratch: &Scratch) -> JobSettings {
    let name = "j".parse().unwrap();
    scratch.store().job(&name).unwrap().settings
}

fn patch(scratch: &Scratch, job: Value) -> Result<Value, Status> {
    scratch.user(&format!("PATCH {JOBS}/j"), job)
}

#[test]
fn a_target_is_changed_by_those_who_may_act_as_its_account() {
    let scratch = host();
    let change = |field: &str, value: Value| {
        let mut target = job("https://a.example/")["httpTarget"].clone();
        target[field] = value;
        json!({ "httpTarget": target })
    };
    let audience = json!({ "serviceAccountEmail": ROBOT, "audience": "https://b.example/" });
    let changes = [
        change("uri", json!("https://b.example/")),
        change("oidcToken", audience),
        change("headers", json!({ "X-A": "b" })),
        change("body", json!("aGk=")),
        change("httpMethod", json!("GET")),
    ];
    for change in &changes {
        let refused = patch(&scratch, change.clone()).unwrap_err();
        assert_eq!(refused.code, Code::PermissionDenied, "{change}");
    }
    assert_eq!(settings(&scratch).uri, "https://a.example/");
    // What stays as it is takes no permission, and neither does a job that acts for nobody.
    let same = json!({ "description": "d", "httpTarget": job("https://a.example/")["httpTarget"] });
    patch(&scratch, same).unwrap();
    let account = PolicyOf::ServiceAccount(ROBOT.into());
    scratch.grant("roles/iam.serviceAccountUser", &account);
    for change in changes {
        patch(&scratch, change).unwrap();
    }
}

#[test]
fn a_target_without_a_token_is_changed_without_an_account() {
    let scratch = host();
    let target = json!({ "httpTarget": { "uri": "https://b.example/" } });
    patch(&scratch, target).unwrap();
    assert_eq!(settings(&scratch).oidc_subject, None);
}

#[test]
fn a_job_stays_with_the_account_that_it_was_given() {
    let scratch = host();
    assert_eq!(settings(&scratch).oidc_subject.as_deref(), Some("1"));
    scratch.store().delete_service_account(ROBOT).unwrap();
    let created = scratch.store().create_service_account(ROBOT, "2", "");
    created.unwrap();
    patch(&scratch, json!({ "description": "d" })).unwrap();
    assert_eq!(settings(&scratch).oidc_subject.as_deref(), Some("1"));
    let changed = scratch.owner(&format!("PATCH {JOBS}/j"), job("https://b.example/"));
    changed.unwrap();
    assert_eq!(settings(&scratch).oidc_subject.as_deref(), Some("2"));
}

#[test]
fn a_new_job_has_a_name_of_this_host() {
    let scratch = host();
    let create = |name: &str| {
        let mut new = job("https://a.example/");
        new["name"] = json!(name);
        scratch.owner(&format!("POST {JOBS}"), new)
    };
    let refused = create("projects/other/locations/x/jobs/k").unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    assert!(refused.message.contains("projects/local"), "{refused}");
    create("projects/local/locations/local/jobs/k").unwrap();
    create("l").unwrap();
}
