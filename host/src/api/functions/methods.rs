//! The methods of functions, their operations and their runtimes.

use super::{call, change, described, operations, read, runtimes, uploads};
use crate::api::methods::{Method, On};
use crate::store::ApiGeneration::{First, Second};

/// All of them, but those on policies.
pub(in crate::api) const METHODS: &[Method] = &[
    Method::changes(
        "google.cloud.functions.v2.FunctionService.CreateFunction",
        "POST",
        "/v2/projects/{project}/locations/{location}/functions",
        "cloudfunctions.functions.create",
        |api, request| change::create(api, request, Second),
    ),
    Method::reads(
        "google.cloud.functions.v2.FunctionService.GetFunction",
        "GET",
        "/v2/projects/{project}/locations/{location}/functions/{function}",
        "cloudfunctions.functions.get",
        |api, request| read::get(api, request, Second),
    ),
    Method::reads(
        "google.cloud.functions.v2.FunctionService.ListFunctions",
        "GET",
        "/v2/projects/{project}/locations/{location}/functions",
        "cloudfunctions.functions.list",
        |api, request| read::list(api, request, Second),
    ),
    Method::changes(
        "google.cloud.functions.v2.FunctionService.UpdateFunction",
        "PATCH",
        "/v2/projects/{project}/locations/{location}/functions/{function}",
        "cloudfunctions.functions.update",
        |api, request| change::update(api, request, Second),
    ),
    Method::changes(
        "google.cloud.functions.v2.FunctionService.DeleteFunction",
        "DELETE",
        "/v2/projects/{project}/locations/{location}/functions/{function}",
        "cloudfunctions.functions.delete",
        |api, request| change::delete(api, request, Second),
    ),
    Method::changes(
        "google.cloud.functions.v2.FunctionService.GenerateUploadUrl",
        "POST",
        "/v2/projects/{project}/locations/{location}/functions:generateUploadUrl",
        "cloudfunctions.functions.sourceCodeSet",
        |api, request| uploads::generate_url(api, request, Second),
    )
    .on(On::AnyFunction),
    Method::reads(
        "google.cloud.functions.v2.FunctionService.ListRuntimes",
        "GET",
        "/v2/projects/{project}/locations/{location}/runtimes",
        "cloudfunctions.runtimes.list",
        runtimes::list,
    )
    .on(On::AnyFunction),
    Method::reads(
        "google.longrunning.Operations.GetOperation",
        "GET",
        "/v2/projects/{project}/locations/{location}/operations/{operation}",
        "cloudfunctions.operations.get",
        operations::get,
    )
    .on(On::Operation),
    Method::reads(
        "google.longrunning.Operations.ListOperations",
        "GET",
        "/v2/projects/{project}/locations/{location}/operations",
        "cloudfunctions.operations.list",
        |api, request| operations::list(api, request, Second),
    ),
    Method::changes(
        "google.cloud.functions.v1.CloudFunctionsService.CreateFunction",
        "POST",
        "/v1/projects/{project}/locations/{location}/functions",
        "cloudfunctions.functions.create",
        |api, request| change::create(api, request, First),
    ),
    Method::reads(
        "google.cloud.functions.v1.CloudFunctionsService.GetFunction",
        "GET",
        "/v1/projects/{project}/locations/{location}/functions/{function}",
        "cloudfunctions.functions.get",
        |api, request| read::get(api, request, First),
    ),
    Method::reads(
        "google.cloud.functions.v1.CloudFunctionsService.ListFunctions",
        "GET",
        "/v1/projects/{project}/locations/{location}/functions",
        "cloudfunctions.functions.list",
        |api, request| read::list(api, request, First),
    ),
    Method::changes(
        "google.cloud.functions.v1.CloudFunctionsService.UpdateFunction",
        "PATCH",
        "/v1/projects/{project}/locations/{location}/functions/{function}",
        "cloudfunctions.functions.update",
        |api, request| change::update(api, request, First),
    ),
    Method::changes(
        "google.cloud.functions.v1.CloudFunctionsService.DeleteFunction",
        "DELETE",
        "/v1/projects/{project}/locations/{location}/functions/{function}",
        "cloudfunctions.functions.delete",
        |api, request| change::delete(api, request, First),
    ),
    Method::changes(
        "google.cloud.functions.v1.CloudFunctionsService.GenerateUploadUrl",
        "POST",
        "/v1/projects/{project}/locations/{location}/functions:generateUploadUrl",
        "cloudfunctions.functions.sourceCodeSet",
        |api, request| uploads::generate_url(api, request, First),
    )
    .on(On::AnyFunction),
    Method::changes(
        "google.cloud.functions.v1.CloudFunctionsService.CallFunction",
        "POST",
        "/v1/projects/{project}/locations/{location}/functions/{function}:call",
        "cloudfunctions.functions.call",
        call::call,
    ),
    Method::reads(
        "google.longrunning.Operations.GetOperation",
        "GET",
        "/v1/operations/{operation}",
        "cloudfunctions.operations.get",
        operations::get,
    )
    .on(On::Operation),
    Method::reads(
        "google.longrunning.Operations.ListOperations",
        "GET",
        "/v1/operations",
        "cloudfunctions.operations.list",
        |api, request| operations::list(api, request, First),
    ),
    Method::reads(
        "host.v1.Functions.Get",
        "GET",
        "/host/v1/projects/{project}/locations/{location}/functions/{function}",
        "cloudfunctions.functions.get",
        described::get,
    ),
    Method::reads(
        "host.v1.Functions.List",
        "GET",
        "/host/v1/projects/{project}/locations/{location}/functions",
        "cloudfunctions.functions.list",
        described::list,
    ),
    Method::changes(
        "host.v1.Functions.Deploy",
        "POST",
        "/host/v1/projects/{project}/locations/{location}/functions/{function}:deploy",
        "cloudfunctions.functions.update",
        change::deploy,
    ),
];
