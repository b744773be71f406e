//! Operations as clients see them, who ask until one is done.
//!
//! <https://google.aip.dev/151>. None can be cancelled.

use serde_json::{Value, json};

use crate::api::{Api, Params, Principal, Reply, Request, Status};
use crate::store::{
    ApiGeneration, OperationError, OperationOutcome, OperationRecord, OperationVerb, PolicyOf,
    Project, StoreError,
};

/// Makes sure that `principal` may see the operation in `params`: by having begun it, or by `permission` on its function or on
/// the project.
///
/// # Errors
/// If it may not, or the store fails.
pub(in crate::api) fn require_on_target(
    api: &Api,
    principal: &Principal,
    permission: &str,
    params: &Params,
) -> Result<(), Status> {
    let resource = match api.store().operation(params.get("operation")) {
        Ok(record) if record.operation.principal == principal.subject() => return Ok(()),
        Ok(record) => {
            let function = record.operation.target.parse();
            function.map_or(PolicyOf::Project, PolicyOf::Function)
        }
        Err(StoreError::Operation(OperationError::Missing(_))) => PolicyOf::Project,
        Err(error) => return Err(error.into()),
    };
    api.require(principal, permission, &resource)
}

/// `operations.get`.
pub(super) fn get(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let id = request.params.get("operation");
    match api.store().operation(id) {
        Ok(record) => Ok(shown(api.project(), &record).into()),
        Err(StoreError::Operation(OperationError::Missing(_))) => {
            Err(Status::not_found(&api.project().of("operations", &id)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `operations.list`: the newest first. A page may have fewer operations than it might: those of the other version are not in
/// it.
pub(super) fn list(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
) -> Result<Reply, Status> {
    let page = request.page()?;
    let (records, next) = page.of_numbers(
        |limit, before| api.store().operations(limit, before),
        |record| record.number,
    )?;
    let own = records
        .iter()
        .filter(|record| record.operation.generation == version);
    let operations: Vec<Value> = own.map(|record| shown(api.project(), record)).collect();
    let mut answer = json!({ "operations": operations });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

/// The operation in the form of the version that it was asked for with.
pub(super) fn shown(project: &Project, record: &OperationRecord) -> Value {
    let mut operation = match record.operation.generation {
        ApiGeneration::First => json!({
            "name": format!("operations/{}", record.id),
            "metadata": {
                "@type": "type.googleapis.com/google.cloud.functions.v1.OperationMetadataV1",
                "target": record.operation.target,
                "type": kind(record.operation.verb),
                "updateTime": latest(record),
            },
        }),
        ApiGeneration::Second => second(project, record),
    };
    operation["done"] = json!(record.end.is_some());
    match &record.end {
        Some((_, OperationOutcome::Response(text))) => {
            operation["response"] = serde_json::from_str(text).unwrap_or_default();
        }
        Some((_, OperationOutcome::Error { code, message })) => {
            operation["error"] = json!({ "code": code, "message": message });
        }
        None => {}
    }
    operation
}

fn second(project: &Project, record: &OperationRecord) -> Value {
    let mut metadata = json!({
        "@type": "type.googleapis.com/google.cloud.functions.v2.OperationMetadata",
        "target": record.operation.target,
        "verb": record.operation.verb.as_str(),
        "operationType": kind(record.operation.verb),
        "apiVersion": "v2",
        "createTime": record.created.to_string(),
    });
    if let Some((ended, _)) = &record.end {
        metadata["endTime"] = json!(ended.to_string());
    }
    json!({ "name": project.of("operations", &record.id), "metadata": metadata })
}

/// When something was last known of it.
fn latest(record: &OperationRecord) -> String {
    let ended = record.end.as_ref().map(|(ended, _)| ended);
    ended.unwrap_or(&record.created).to_string()
}

fn kind(verb: OperationVerb) -> &'static str {
    match verb {
        OperationVerb::Create => "CREATE_FUNCTION",
        OperationVerb::Update => "UPDATE_FUNCTION",
        OperationVerb::Delete => "DELETE_FUNCTION",
    }
}
