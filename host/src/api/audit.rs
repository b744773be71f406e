//! Audit entries: who asked for which change, from where, and whether it was made.
//!
//! In the form of Cloud Audit Logs: <https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog>.
//! What was sent is not in them: it may be secret.

use serde_json::{Map, Value, json};

use super::methods::Method;
use super::principal::Caller;
use super::{Api, Params, Status};
use crate::api::access::resource_of;

/// One audit entry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AuditEntry {
    /// What it says in one line.
    pub(crate) summary: String,
    /// Whether the method failed.
    pub(crate) is_failure: bool,
    /// The `protoPayload`.
    pub(crate) payload: Map<String, Value>,
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
        result: Result<(), &Status>,
    ) -> AuditEntry {
        let resource = self.named_by(params);
        let principal = caller.principal.to_string();
        let verb = method.name.rsplit('.').next().unwrap_or(method.name);
        let outcome = match result {
            Ok(()) => "done".to_owned(),
            Err(status) => format!("{}: {status}", status.code.name()),
        };
        let mut payload = json!({
            "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "serviceName": service(method),
            "methodName": method.name,
            "resourceName": resource,
            "authenticationInfo": { "principalEmail": address(&principal), "principalSubject": principal },
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
        AuditEntry {
            summary: format!("{principal} {verb} {resource}: {outcome}"),
            is_failure: result.is_err(),
            payload: match payload {
                Value::Object(payload) => payload,
                _ => Map::new(),
            },
        }
    }

    /// The full name of what the path names.
    fn named_by(&self, params: &Params) -> String {
        match (params.find("job"), params.find("bucket")) {
            (Some(job), _) => self.project().of("jobs", &job),
            (None, Some(bucket)) => self.project().of("buckets", &bucket),
            (None, None) => self.resource_name(&resource_of(params)),
        }
    }
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
