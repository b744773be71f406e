//! The policies of functions, by the paths of Cloud Functions v1 and v2 and of Cloud Run, where a function is a service.
//!
//! There is one policy behind all of them. Cloud Run's clients know the role of callers by another name.

use super::access::{INVOKER, RUN_INVOKER};
use super::methods::Method;
use super::{Api, Reply, Request, Status, policies};
use crate::store::{FunctionName, NameError, PolicyOf};

const GET: &str = "cloudfunctions.functions.getIamPolicy";
const SET: &str = "cloudfunctions.functions.setIamPolicy";

/// The methods of these policies.
pub(super) const METHODS: &[Method] = &[
    Method::reads(
        "google.cloud.functions.v1.CloudFunctionsService.GetIamPolicy",
        "GET",
        "/v1/projects/{project}/locations/{location}/functions/{function}:getIamPolicy",
        GET,
        get,
    ),
    Method::changes(
        "google.cloud.functions.v1.CloudFunctionsService.SetIamPolicy",
        "POST",
        "/v1/projects/{project}/locations/{location}/functions/{function}:setIamPolicy",
        SET,
        set,
    ),
    Method::for_all(
        "google.cloud.functions.v1.CloudFunctionsService.TestIamPermissions",
        "POST",
        "/v1/projects/{project}/locations/{location}/functions/{function}:testIamPermissions",
        test,
    ),
    Method::reads(
        "google.cloud.functions.v2.FunctionService.GetIamPolicy",
        "GET",
        "/v2/projects/{project}/locations/{location}/functions/{function}:getIamPolicy",
        GET,
        get,
    ),
    Method::changes(
        "google.cloud.functions.v2.FunctionService.SetIamPolicy",
        "POST",
        "/v2/projects/{project}/locations/{location}/functions/{function}:setIamPolicy",
        SET,
        set,
    ),
    Method::for_all(
        "google.cloud.functions.v2.FunctionService.TestIamPermissions",
        "POST",
        "/v2/projects/{project}/locations/{location}/functions/{function}:testIamPermissions",
        test,
    ),
    Method::reads(
        "google.cloud.run.v1.Services.GetIamPolicy",
        "GET",
        "/v1/projects/{project}/locations/{location}/services/{function}:getIamPolicy",
        GET,
        get_of_service,
    ),
    Method::changes(
        "google.cloud.run.v1.Services.SetIamPolicy",
        "POST",
        "/v1/projects/{project}/locations/{location}/services/{function}:setIamPolicy",
        SET,
        set_of_service,
    ),
    Method::for_all(
        "google.cloud.run.v1.Services.TestIamPermissions",
        "POST",
        "/v1/projects/{project}/locations/{location}/services/{function}:testIamPermissions",
        test,
    ),
];

fn get(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    policies::get(api, request, &function(api, request)?, INVOKER)
}

fn get_of_service(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    policies::get(api, request, &function(api, request)?, RUN_INVOKER)
}

fn set(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    policies::set(api, request, &function(api, request)?, INVOKER)
}

fn set_of_service(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    policies::set(api, request, &function(api, request)?, RUN_INVOKER)
}

fn test(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    // Anybody may ask this, and nobody waits for it: a function that is not there yet has no policy.
    policies::test(api, request, &PolicyOf::Function(name(request)?))
}

/// The function that the path names. One that is being created is waited for: gcloud sets its policy at once.
fn function(api: &Api, request: &Request<'_>) -> Result<PolicyOf, Status> {
    let name = name(request)?;
    api.await_creation(&name)?;
    Ok(PolicyOf::Function(name))
}

fn name(request: &Request<'_>) -> Result<FunctionName, Status> {
    let name = request.params.get("function").parse();
    name.map_err(|error: NameError| Status::invalid(error.to_string()))
}
