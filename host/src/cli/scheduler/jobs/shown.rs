//! What is shown of a job, under gcloud's names.

use serde_json::{Value, json};

use crate::scheduler::{disabled, next_due};
use crate::store::{AttemptRecord, JobRecord};

/// What is shown of a value that is secret.
const HIDDEN: &str = "(hidden)";

/// The job, and how its `last` attempt went.
pub(super) fn value(record: &JobRecord, last: Option<&AttemptRecord>) -> Value {
    let settings = &record.settings;
    let mut target = json!({
        "uri": settings.uri,
        "httpMethod": settings.http_method,
    });
    if !settings.headers.is_empty() {
        let headers = settings.headers.iter().map(|(name, value)| {
            let is_secret = settings.is_secret(name);
            (name.clone(), json!(if is_secret { HIDDEN } else { value }))
        });
        target["headers"] = Value::Object(headers.collect());
    }
    if let Some(body) = &settings.body {
        target["body"] = json!(body);
    }
    if let Some(account) = &settings.oidc_account {
        target["oidcToken"] = json!({ "serviceAccountEmail": account });
        if let Some(audience) = &settings.oidc_audience {
            target["oidcToken"]["audience"] = json!(audience);
        }
    }
    let mut value = json!({
        "name": record.name,
        "state": state(record),
        "schedule": settings.schedule,
        "timeZone": settings.time_zone,
        "attemptDeadline": seconds(settings.attempt_deadline),
        "httpTarget": target,
        "retryConfig": {
            "retryCount": settings.max_retry_attempts,
            "maxRetryDuration": seconds(settings.max_retry_duration),
            "minBackoffDuration": seconds(settings.min_backoff),
            "maxBackoffDuration": seconds(settings.max_backoff),
            "maxDoublings": settings.max_doublings,
        },
        "overlap": settings.overlap,
        "catchUp": settings.catch_up,
        "createTime": record.created,
        "userUpdateTime": record.updated,
    });
    if !settings.description.is_empty() {
        value["description"] = json!(settings.description);
    }
    if let Some(damage) = &record.damage {
        value["damage"] = json!(damage);
    }
    let disabled = disabled(record);
    if let Some(next) = next_due(record) {
        value["scheduleTime"] = json!(next.to_string());
    }
    if let Some(last) = last {
        value["lastAttemptTime"] = json!(last.started.to_string());
        if let Some(end) = &last.end {
            value["status"] = json!({ "code": end.code });
            if let Some(reason) = &end.reason {
                value["status"]["message"] = json!(reason);
            }
        }
    }
    if let Some(error) = disabled {
        let message = format!("it cannot run: {error}");
        value["status"] = json!({ "code": "INVALID_ARGUMENT", "message": message });
    }
    value
}

/// `ENABLED`, `PAUSED`, `DISABLED` if it cannot run, or `DAMAGED` if its record cannot be read.
pub(super) fn state(record: &JobRecord) -> &'static str {
    match record.is_paused {
        _ if record.damage.is_some() => "DAMAGED",
        true => "PAUSED",
        false if disabled(record).is_some() => "DISABLED",
        false => "ENABLED",
    }
}

/// Milliseconds as `3600s`.
fn seconds(milliseconds: u64) -> String {
    match (milliseconds / 1_000, milliseconds % 1_000) {
        (seconds, 0) => format!("{seconds}s"),
        (seconds, rest) => format!("{seconds}.{rest:03}s"),
    }
}
