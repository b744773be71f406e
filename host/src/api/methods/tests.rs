use std::fmt::Write as _;
use std::path::Path;

use super::*;
use crate::api::Caller;
use crate::api::role::{ROLES, Role};
use crate::api::test_support::{Scratch, user};
use crate::store::PolicyOf;

#[test]
fn no_two_methods_are_one() {
    let mut seen = std::collections::HashSet::new();
    for method in all() {
        assert!(
            seen.insert((method.verb, method.path)),
            "{} {}",
            method.verb,
            method.path
        );
    }
}

#[test]
fn every_permission_is_the_owners_and_every_change_takes_one() {
    let owner = Role::named("roles/owner").unwrap();
    for method in all() {
        assert!(
            method.permission.is_some() || !method.is_change,
            "{}",
            method.name
        );
        assert!(
            method
                .permission
                .is_none_or(|permission| owner.grants(permission))
        );
    }
}

#[test]
fn a_method_that_is_not_there_is_named() {
    let error = find("GET", "/v2/projects/p/sinks").map(drop).unwrap_err();
    assert_eq!(error.code, Code::Unimplemented);
    assert!(
        error.message.contains("GET /v2/projects/p/sinks"),
        "{error}"
    );
}

/// Who may call each method by a role on the project: all whom the host knows, or those with one of the roles. By a role on one
/// function alone, upload URLs, runtimes and operations are got too, which `functions::tests::rights` shows.
const ALLOWED: &str = "\
POST /host/v1/accessTokens: owner
POST /v2/projects/{project}/locations/{location}/functions: owner editor cloudfunctions.developer cloudfunctions.admin
GET /v2/projects/{project}/locations/{location}/functions/{function}: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
GET /v2/projects/{project}/locations/{location}/functions: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
PATCH /v2/projects/{project}/locations/{location}/functions/{function}: owner editor cloudfunctions.developer cloudfunctions.admin
DELETE /v2/projects/{project}/locations/{location}/functions/{function}: owner editor cloudfunctions.developer cloudfunctions.admin
POST /v2/projects/{project}/locations/{location}/functions:generateUploadUrl: owner editor cloudfunctions.developer cloudfunctions.admin
GET /v2/projects/{project}/locations/{location}/runtimes: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
GET /v2/projects/{project}/locations/{location}/operations/{operation}: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
GET /v2/projects/{project}/locations/{location}/operations: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
POST /v1/projects/{project}/locations/{location}/functions: owner editor cloudfunctions.developer cloudfunctions.admin
GET /v1/projects/{project}/locations/{location}/functions/{function}: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
GET /v1/projects/{project}/locations/{location}/functions: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
PATCH /v1/projects/{project}/locations/{location}/functions/{function}: owner editor cloudfunctions.developer cloudfunctions.admin
DELETE /v1/projects/{project}/locations/{location}/functions/{function}: owner editor cloudfunctions.developer cloudfunctions.admin
POST /v1/projects/{project}/locations/{location}/functions:generateUploadUrl: owner editor cloudfunctions.developer cloudfunctions.admin
POST /v1/projects/{project}/locations/{location}/functions/{function}:call: owner editor cloudfunctions.developer cloudfunctions.admin
GET /v1/operations/{operation}: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
GET /v1/operations: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
GET /host/v1/projects/{project}/locations/{location}/functions/{function}: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
GET /host/v1/projects/{project}/locations/{location}/functions: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
POST /host/v1/projects/{project}/locations/{location}/functions/{function}:deploy: owner editor cloudfunctions.developer cloudfunctions.admin
GET /host/v1/host: all
GET /host/v1/instances: owner editor viewer
POST /v1/projects/{project}/locations/{location}/jobs: owner editor cloudscheduler.admin
GET /v1/projects/{project}/locations/{location}/jobs/{job}: owner editor viewer cloudscheduler.admin cloudscheduler.viewer
GET /v1/projects/{project}/locations/{location}/jobs: owner editor viewer cloudscheduler.admin cloudscheduler.viewer
PATCH /v1/projects/{project}/locations/{location}/jobs/{job}: owner editor cloudscheduler.admin
DELETE /v1/projects/{project}/locations/{location}/jobs/{job}: owner editor cloudscheduler.admin
POST /v1/projects/{project}/locations/{location}/jobs/{job}:pause: owner editor cloudscheduler.admin
POST /v1/projects/{project}/locations/{location}/jobs/{job}:resume: owner editor cloudscheduler.admin
POST /v1/projects/{project}/locations/{location}/jobs/{job}:run: owner editor cloudscheduler.admin cloudscheduler.jobRunner
POST /v2/entries:list: owner editor viewer logging.viewer
POST /v2/entries:write: owner editor logging.logWriter
POST /v2/entries:tail: owner editor viewer logging.viewer
GET /v2/projects/{project}/logs: owner editor viewer logging.viewer
POST /host/v1/logs:read: owner editor viewer logging.viewer
POST /host/v1/logs:tail: owner editor viewer logging.viewer
GET /host/v1/projects/{project}/locations/{location}/jobs/{job}/runs: owner editor viewer cloudscheduler.admin cloudscheduler.viewer
GET /host/v1/projects/{project}/locations/{location}/jobs/{job}/runs/{run}: owner editor viewer cloudscheduler.admin cloudscheduler.viewer
GET /host/v1/buckets/{bucket=**}/entries: owner editor viewer
GET /host/v1/buckets/{bucket=**}/entry: owner editor
PUT /host/v1/buckets/{bucket=**}/entry: owner editor
POST /host/v1/buckets/{bucket=**}/entries:delete: owner editor
GET /host/v1/keys: owner editor viewer
POST /host/v1/keys:rotate: owner
POST /host/v1/revocations: owner
GET /host/v1/revocations: owner editor viewer
POST /host/v1/tokens:explain: owner editor viewer
GET /host/v1/state:backup: owner
GET /v1/projects/{project}/locations/{location}/functions/{function}:getIamPolicy: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
POST /v1/projects/{project}/locations/{location}/functions/{function}:setIamPolicy: owner cloudfunctions.admin
POST /v1/projects/{project}/locations/{location}/functions/{function}:testIamPermissions: all
GET /v2/projects/{project}/locations/{location}/functions/{function}:getIamPolicy: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
POST /v2/projects/{project}/locations/{location}/functions/{function}:setIamPolicy: owner cloudfunctions.admin
POST /v2/projects/{project}/locations/{location}/functions/{function}:testIamPermissions: all
GET /v1/projects/{project}/locations/{location}/services/{function}:getIamPolicy: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer
POST /v1/projects/{project}/locations/{location}/services/{function}:setIamPolicy: owner cloudfunctions.admin
POST /v1/projects/{project}/locations/{location}/services/{function}:testIamPermissions: all
POST /v1/projects/{project}/serviceAccounts: owner editor iam.serviceAccountAdmin
GET /v1/projects/{project}/serviceAccounts/{account}: owner editor viewer iam.serviceAccountAdmin iam.serviceAccountUser iam.serviceAccountTokenCreator
GET /v1/projects/{project}/serviceAccounts: owner editor viewer iam.serviceAccountAdmin iam.serviceAccountUser iam.serviceAccountTokenCreator
PATCH /v1/projects/{project}/serviceAccounts/{account}: owner editor iam.serviceAccountAdmin
PUT /v1/projects/{project}/serviceAccounts/{account}: owner editor iam.serviceAccountAdmin
DELETE /v1/projects/{project}/serviceAccounts/{account}: owner editor iam.serviceAccountAdmin
POST /v1/projects/{project}/serviceAccounts/{account}:disable: owner editor iam.serviceAccountAdmin
POST /v1/projects/{project}/serviceAccounts/{account}:enable: owner editor iam.serviceAccountAdmin
POST /v1/projects/{project}/serviceAccounts/{account}:getIamPolicy: owner editor viewer iam.serviceAccountAdmin
POST /v1/projects/{project}/serviceAccounts/{account}:setIamPolicy: owner iam.serviceAccountAdmin
POST /v1/projects/{project}/serviceAccounts/{account}:testIamPermissions: all
POST /v1/projects/{project}/serviceAccounts/{account}/keys: owner
POST /v1/projects/{project}/serviceAccounts/{account}:generateIdToken: owner iam.serviceAccountTokenCreator
POST /v1/projects/{project}/serviceAccounts/{account}:generateAccessToken: owner iam.serviceAccountTokenCreator
POST /v1/projects/{project}/serviceAccounts/{account}:signBlob: owner
POST /v1/projects/{project}/serviceAccounts/{account}:signJwt: owner
GET /v1/projects/{project}: owner editor viewer cloudfunctions.developer cloudfunctions.admin cloudfunctions.viewer iam.serviceAccountAdmin
GET /v1/projects: all
POST /v1/projects/{project}:getIamPolicy: owner editor viewer
POST /v1/projects/{project}:setIamPolicy: owner
POST /v1/projects/{project}:testIamPermissions: all
GET /v1/projects/{project}/locations: all
GET /v2/projects/{project}/locations: all
GET /v1/projects/{project}/locations/{location}: all
GET /v2/projects/{project}/locations/{location}: all
GET /v1/apps/{project}: all
GET /v1/projects/{project}/services/{service}: all
GET /v1/projects/{project}/services: all
POST /v1/projects/{project}/services/{service}:enable: all
POST /v1/projects/{project}/services:batchEnable: all
GET /v1/projects/{project}/locations/{location}/defaultServiceAccount: all
";

#[test]
fn every_method_is_for_the_roles_that_the_table_names() {
    let caller = Caller {
        principal: user(),
        ..Caller::owner()
    };
    let granted = ROLES.iter().map(|role| {
        let scratch = Scratch::new();
        scratch.grant(role.name, &PolicyOf::Project);
        (role.name.trim_start_matches("roles/"), scratch)
    });
    let granted: Vec<_> = granted.collect();
    let mut found = String::new();
    for method in all() {
        let (_, params) = super::find(method.verb, &example(method.path)).unwrap();
        let is_permitted = |scratch: &Scratch| {
            let permitted = scratch.api.permitted(&caller, method, &params);
            assert!(permitted.as_ref().err().is_none_or(Status::is_denied));
            permitted.is_ok()
        };
        let roles = granted.iter().filter(|(_, scratch)| is_permitted(scratch));
        let roles: Vec<_> = roles.map(|(role, _)| *role).collect();
        let roles = match method.permission {
            None => "all".to_owned(),
            Some(_) => roles.join(" "),
        };
        found += &format!("{} {}: {roles}\n", method.verb, method.path);
    }
    assert_eq!(found, ALLOWED, "\n{found}");
}

/// A path that is like `pattern`.
fn example(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match part.split_once('}') {
        Some(("{project" | "{location", verb)) => format!("local{verb}"),
        Some((_, verb)) => format!("x{verb}"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The line of docs/api.md that stands above the table of methods.
const TABLE: &str = "Each method, the name that audit entries have for it, and its permission:\n\n";

#[test]
fn the_table_of_the_docs_has_every_method() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let made = with_table(&page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    } else {
        assert!(page == made, "docs/api.md is out of date");
    }
}

/// `page` with the table of methods as they are.
fn with_table(page: &str) -> String {
    let (before, rest) = page.split_once(TABLE).unwrap();
    let after = rest.find("\n\n").map_or("", |end| &rest[end + 1..]);
    let mut made = format!("{before}{TABLE}| method | name | permission |\n|---|---|---|\n");
    for method in all() {
        let Method { verb, path, .. } = method;
        let on = match method.on {
            On::Path => "",
            On::AnyFunction => " on any function",
            On::Operation => " on its function",
        };
        let permission = method.permission.map_or("none".to_owned(), |permission| {
            format!("`{permission}`{on}")
        });
        writeln!(made, "| `{verb} {path}` | {} | {permission} |", method.name).unwrap();
    }
    made + after
}
