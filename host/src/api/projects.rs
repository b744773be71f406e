//! The project: Resource Manager v1.
//!
//! <https://cloud.google.com/resource-manager/reference/rest/v1/projects>. A host has one.

use serde_json::{Value, json};

use super::access::INVOKER;
use super::methods::Method;
use super::{Api, Reply, Request, Status, policies};
use crate::store::{PolicyOf, Project, sha256};

/// What it takes to see the project.
const GET: &str = "resourcemanager.projects.get";

/// The methods of the project.
pub(super) const METHODS: &[Method] = &[
    Method::reads(
        "google.cloud.resourcemanager.v1.Projects.GetProject",
        "GET",
        "/v1/projects/{project}",
        GET,
        |api, _| Ok(shown(api.project()).into()),
    ),
    Method::for_all(
        "google.cloud.resourcemanager.v1.Projects.ListProjects",
        "GET",
        "/v1/projects",
        list,
    ),
    Method::reads(
        "google.cloud.resourcemanager.v1.Projects.GetIamPolicy",
        "POST",
        "/v1/projects/{project}:getIamPolicy",
        "resourcemanager.projects.getIamPolicy",
        |api, request| policies::get(api, request, &PolicyOf::Project, INVOKER),
    ),
    Method::changes(
        "google.cloud.resourcemanager.v1.Projects.SetIamPolicy",
        "POST",
        "/v1/projects/{project}:setIamPolicy",
        "resourcemanager.projects.setIamPolicy",
        |api, request| policies::set(api, request, &PolicyOf::Project, INVOKER),
    ),
    Method::for_all(
        "google.cloud.resourcemanager.v1.Projects.TestIamPermissions",
        "POST",
        "/v1/projects/{project}:testIamPermissions",
        |api, request| policies::test(api, request, &PolicyOf::Project),
    ),
];

/// Lists the project, if the caller may see it.
fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let principal = &request.caller.principal;
    match api.permits(principal, GET, &PolicyOf::Project)? {
        true => Ok(json!({ "projects": [shown(api.project())] }).into()),
        false => Ok(json!({}).into()),
    }
}

fn shown(project: &Project) -> Value {
    json!({
        "projectId": project.id,
        "projectNumber": number(project),
        "name": project.id,
        "lifecycleState": "ACTIVE",
    })
}

/// Twelve digits that are the same for the same id. Clients put them into names of accounts that are Google's own.
pub(super) fn number(project: &Project) -> String {
    let digest = sha256(project.id.as_bytes());
    let digits = digest.bytes().take(15);
    // 15 hexadecimal digits have 60 bits.
    let number = digits.fold(0_u64, |number, digit| {
        number * 16 + u64::from(char::from(digit).to_digit(16).unwrap_or_default())
    });
    (100_000_000_000 + number % 900_000_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Code;
    use crate::api::test_support::Scratch;

    #[test]
    fn there_is_one_project_and_its_number_stays() {
        let scratch = Scratch::new();
        let project = scratch
            .owner("GET /v1/projects/local?alt=json", json!({}))
            .unwrap();
        assert_eq!(project["projectId"], "local");
        assert_eq!(project["lifecycleState"], "ACTIVE");
        let number = project["projectNumber"].as_str().unwrap();
        assert_eq!(number.len(), 12);
        assert_eq!(number, super::number(&Project::default()));
        let list = scratch.owner("GET /v1/projects", json!({})).unwrap();
        assert_eq!(list["projects"], json!([project]));
        let other = scratch.owner("GET /v1/projects/other", json!({}));
        assert_eq!(other.unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn who_may_not_see_the_project_gets_an_empty_list() {
        let scratch = Scratch::new();
        assert_eq!(scratch.user("GET /v1/projects", json!({})), Ok(json!({})));
        let denied = scratch
            .user("GET /v1/projects/other", json!({}))
            .unwrap_err();
        assert_eq!(denied.code, Code::PermissionDenied);
        scratch.grant("roles/viewer", &PolicyOf::Project);
        let list = scratch.user("GET /v1/projects", json!({})).unwrap();
        assert_eq!(list["projects"][0]["projectId"], "local");
    }
}
