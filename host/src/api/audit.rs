//! Audit entries: who asked for which change, from where, and whether it was made.
//!
//! In the form of Cloud Audit Logs: <https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog>.
//! What was sent is not in them: it may be secret.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::methods::Method;
use super::principal::Caller;
use super::{Api, Params, Reply, Status};
use crate::api::access::resource_of;
use crate::logs::{Entry, Severity};
use crate::store::{PolicyOf, Project};

/// One audit entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AuditEntry {
    /// What it says in one line.
    pub(crate) summary: String,
    /// Whether the method failed.
    pub(crate) is_failure: bool,
    /// The `protoPayload`.
    pub(crate) payload: Map<String, Value>,
    /// The type of the monitored resource.
    resource_type: &'static str,
    /// The labels of the monitored resource.
    resource_labels: BTreeMap<String, String>,
}

impl AuditEntry {
    /// As an entry of the log.
    pub(crate) fn into_entry(self) -> Entry {
        let severity = match self.is_failure {
            true => Severity::Error,
            false => Severity::Notice,
        };
        let kind = self.resource_type.to_owned();
        Entry::audit(
            self.summary,
            severity,
            self.payload,
            kind,
            self.resource_labels,
        )
    }
}

/// Where audit entries go.
pub(crate) type AuditLog = Box<dyn Fn(AuditEntry) + Send + Sync>;

impl Api {
    /// The entry of a call of `method`.
    pub(super) fn audit_entry(
        &self,
        method: &Method,
        params: &Params,
        caller: &Caller,
        result: Result<&Reply, &Status>,
    ) -> AuditEntry {
        let resource = self.named_by(params, result.ok());
        let principal = caller.principal.to_string();
        let verb = method.name.rsplit('.').next().unwrap_or(method.name);
        let outcome = match result {
            Ok(_) => "done".to_owned(),
            Err(status) => format!("{}: {status}", status.code.name()),
        };
        let mut payload = json!({
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": service(method),
            "methodName": method.name,
            "resourceName": resource,
            "authenticationInfo": { "principalEmail": address(&principal), "principalSubject": caller.principal.subject() },
            "requestMetadata": {
                "callerIp": caller.address.map_or("private".to_owned(), |address| address.to_string()),
            },
        });
        if let Some(agent) = &caller.user_agent {
            payload["requestMetadata"]["callerSuppliedUserAgent"] = json!(agent);
        }
        if let Some(permission) = method.permission {
            let granted = !matches!(result, Err(status) if status.is_denied());
            payload["authorizationInfo"] = json!([{
                "permission": permission,
                "resource": self.resource_name(&resource_of(params)),
                "granted": granted,
            }]);
        }
        if let Err(status) = result {
            let code = status.code.number();
            payload["status"] = json!({ "code": code, "message": status.message });
        }
        let (resource_type, resource_labels) = monitored(self.project(), method, &resource);
        AuditEntry {
            summary: format!("{principal} {verb} {resource}: {outcome}"),
            resource_type,
            resource_labels,
            is_failure: result.is_err(),
            payload: match payload {
                Value::Object(payload) => payload,
                _ => Map::new(),
            },
        }
    }

    /// The full name of what the path names, or of what was created.
    fn named_by(&self, params: &Params, reply: Option<&Reply>) -> String {
        for (what, collection) in [("job", "jobs"), ("bucket", "buckets")] {
            if let Some(name) = params.find(what) {
                return self.project().of(collection, &name);
            }
        }
        let resource = resource_of(params);
        let created = match (&resource, reply) {
            (PolicyOf::Project, Some(Reply::Json(document))) => created(document),
            _ => None,
        };
        created.map_or_else(|| self.resource_name(&resource), str::to_owned)
    }
}

/// The full name of what was created, in the answer to that: the resource itself or the operation that creates it.
fn created(answer: &Value) -> Option<&str> {
    let target = answer["metadata"]["target"].as_str();
    let name = target.or(answer["name"].as_str());
    name.filter(|name| name.starts_with("projects/"))
}

/// The type and the labels of the monitored resource that a method is about, as in Cloud Audit Logs:
/// <https://cloud.google.com/logging/docs/api/v2/resource-list>.
fn monitored(
    project: &Project,
    method: &Method,
    resource: &str,
) -> (&'static str, BTreeMap<String, String>) {
    let id = resource.rsplit('/').next().unwrap_or_default();
    let permission = method.permission.unwrap_or_default();
    let mut parts = permission.split('.');
    let (kind, labels) = match (parts.next(), parts.next()) {
        (Some("cloudscheduler"), Some("jobs")) => {
            let labels = vec![("location", project.location.as_str()), ("job_id", id)];
            ("cloud_scheduler_job", labels)
        }
        // Its function would make this an entry of the function.
        (Some("cloudfunctions"), Some("functions")) => (
            "cloud_function",
            vec![("region", project.location.as_str())],
        ),
        (Some("iam"), Some("serviceAccounts")) => ("service_account", vec![("email_id", id)]),
        (Some("resourcemanager"), _) => ("project", vec![]),
        _ => ("audited_resource", vec![("method", method.name)]),
    };
    let mut all = BTreeMap::from([("project_id".to_owned(), project.id.clone())]);
    let labels = labels.into_iter();
    all.extend(labels.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if kind == "audited_resource" {
        all.insert("service".to_owned(), service(method));
    }
    (kind, all)
}

/// The service that a method is of, such as `cloudscheduler.googleapis.com`.
fn service(method: &Method) -> String {
    let name = method.permission.unwrap_or(method.name);
    match name.split('.').next() {
        Some("host") | None => "host".into(),
        Some("resourcemanager") => "cloudresourcemanager.googleapis.com".into(),
        Some(service) => format!("{service}.googleapis.com"),
    }
}

/// The address of a principal, without the word for its kind.
fn address(principal: &str) -> &str {
    principal
        .split_once(':')
        .map_or(principal, |(_, address)| address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::test_support::{Scratch, user};

    #[test]
    fn an_entry_says_which_issuer_vouches_for_somebody_outside() {
        let scratch = Scratch::new();
        let caller = Caller {
            principal: user(),
            ..Caller::owner()
        };
        let path = "/v1/projects/local/locations/local/jobs/j";
        let (method, params) = crate::api::methods::find("DELETE", path).unwrap();
        let reply = Reply::from(json!({}));
        let entry = scratch
            .api
            .audit_entry(method, &params, &caller, Ok(&reply));
        assert_eq!(
            entry.payload["authenticationInfo"],
            json!({
                "principalEmail": "ada@example.com",
                "principalSubject": "principal:https://id.example#ada",
            })
        );
    }
}
