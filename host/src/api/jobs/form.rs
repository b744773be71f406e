//! A job in the form of Cloud Scheduler v1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::Status;
use crate::api::fields::{Fields, seconds};
use crate::scheduler::{disabled, has_same_origin, next_due};
use crate::store::{AttemptRecord, JobRecord, JobSettings, Project};

/// What is shown of a value that is secret; sent back, it means the value that there is.
pub(super) const HIDDEN: &str = "(hidden)";

/// `HttpMethod` by number.
const METHODS: [&str; 8] = [
    "HTTP_METHOD_UNSPECIFIED",
    "POST",
    "GET",
    "HEAD",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
];

/// The fields that a client may set.
pub(super) const FIELDS: [&str; 8] = [
    "name",
    "description",
    "schedule",
    "timeZone",
    "httpTarget",
    "retryConfig",
    "attemptDeadline",
    "overlap",
];
/// Those that only this host has, beside `overlap`.
pub(super) const OWN_FIELDS: [&str; 2] = ["catchUp", "secretHeaders"];

/// The settings of the job `document`. Header values that are hidden are those of `before`.
///
/// # Errors
/// If a field is of another type, it has a target that this host cannot call, or hidden values would go to another server.
pub(crate) fn settings(document: &Value, before: &JobSettings) -> Result<JobSettings, Status> {
    let job = Fields::of(document);
    for target in ["pubsubTarget", "appEngineHttpTarget"] {
        if job.get(target).is_some() {
            return Err(Status::invalid(format!(
                "the job has a {target}; this host calls URLs: give it an httpTarget"
            )));
        }
    }
    let default = JobSettings::default();
    let (target, retry) = (job.inner("httpTarget"), job.inner("retryConfig"));
    if target
        .get("oauthToken")
        .is_some_and(|token| *token != json!({}))
    {
        return Err(Status::invalid(
            "httpTarget.oauthToken is for Google's own APIs; use oidcToken, which any service can check",
        ));
    }
    let oidc = target.inner("oidcToken");
    let (headers, secret_headers) = headers(job, target, before)?;
    Ok(JobSettings {
        description: job.text("description")?.unwrap_or_default(),
        schedule: job.text("schedule")?.unwrap_or_default(),
        time_zone: or(job.text("timeZone")?, default.time_zone),
        uri: target.text("uri")?.unwrap_or_default(),
        http_method: target
            .name("httpMethod", &METHODS)?
            .map_or(default.http_method, str::to_owned),
        headers,
        secret_headers,
        body: target
            .bytes("body")?
            .filter(|body| !body.is_empty())
            .map(|body| STANDARD.encode(body)),
        oidc_account: given(oidc.text("serviceAccountEmail")?),
        oidc_audience: given(oidc.text("audience")?),
        oidc_subject: None,
        attempt_deadline: job
            .duration("attemptDeadline")?
            .unwrap_or(default.attempt_deadline),
        max_retry_attempts: retry.number("retryCount")?.unwrap_or_default(),
        max_retry_duration: retry.duration("maxRetryDuration")?.unwrap_or_default(),
        min_backoff: retry
            .duration("minBackoffDuration")?
            .unwrap_or(default.min_backoff),
        max_backoff: retry
            .duration("maxBackoffDuration")?
            .unwrap_or(default.max_backoff),
        max_doublings: retry
            .number("maxDoublings")?
            .unwrap_or(default.max_doublings),
        overlap: own(job, "overlap")?.unwrap_or(before.overlap),
        catch_up: own(job, "catchUp")?.unwrap_or(before.catch_up),
    })
}

type Headers = (
    std::collections::BTreeMap<String, String>,
    std::collections::BTreeSet<String>,
);

/// The header fields, and which of them are secret. A value that is not sent anew is as secret as it was, and goes to no other
/// server: whoever may change a job could read it there.
fn headers(job: Fields<'_>, target: Fields<'_>, before: &JobSettings) -> Result<Headers, Status> {
    let mut headers: std::collections::BTreeMap<String, String> = target.map("headers")?;
    let uri = target.text("uri")?.unwrap_or_default();
    let mut secret = match job.get("secretHeaders") {
        Some(_) => job.list("secretHeaders")?.into_iter().collect(),
        None => before.secret_headers.clone(),
    };
    secret.retain(|name| {
        headers
            .keys()
            .any(|header| header.eq_ignore_ascii_case(name))
    });
    for (name, value) in &mut headers {
        if value == HIDDEN
            && before.is_secret(name)
            && let Some((_, kept)) = before
                .headers
                .iter()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            if !has_same_origin(&before.uri, &uri) {
                return Err(Status::invalid(format!(
                    "the value of the header `{}` is secret, and the job is to call another server; send the value anew \
                     (--header-from-file), or remove the header",
                    name.escape_debug()
                )));
            }
            value.clone_from(kept);
            secret.insert(name.clone());
        }
    }
    Ok((headers, secret))
}

/// A setting that only this host has.
fn own<T: serde::de::DeserializeOwned>(job: Fields<'_>, field: &str) -> Result<Option<T>, Status> {
    let value = job.get(field).cloned().map(serde_json::from_value);
    value
        .transpose()
        .map_err(|error| Status::invalid(format!("the field `{field}`: {error}")))
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn or(text: Option<String>, default: String) -> String {
    given(text).unwrap_or(default)
}

/// The settings as a document from which [`settings`] reads them again, without the values that are secret.
pub(super) fn of_settings(settings: &JobSettings) -> Value {
    let mut hidden = settings.clone();
    for (name, value) in &mut hidden.headers {
        if settings.is_secret(name) {
            HIDDEN.clone_into(value);
        }
    }
    document(&hidden)
}

/// The settings as a document to be sent, with all values.
pub(crate) fn document(settings: &JobSettings) -> Value {
    let mut document = json!({
        "schedule": settings.schedule,
        "timeZone": settings.time_zone,
        "httpTarget": target(settings),
        "attemptDeadline": seconds(settings.attempt_deadline),
        "retryConfig": retry(settings),
        "overlap": settings.overlap,
        "catchUp": settings.catch_up,
        "secretHeaders": settings.secret_headers,
    });
    if !settings.description.is_empty() {
        document["description"] = json!(settings.description);
    }
    document
}

/// The job, and how its `last` attempt went.
pub(super) fn shown(project: &Project, record: &JobRecord, last: Option<&AttemptRecord>) -> Value {
    let settings = &record.settings;
    let mut job = of_settings(settings);
    if let Some(job) = job.as_object_mut()
        && settings.secret_headers.is_empty()
    {
        job.remove("secretHeaders");
    }
    job["name"] = json!(project.of("jobs", &record.name));
    job["state"] = json!(state(record));
    job["userUpdateTime"] = json!(record.updated);
    job["createTime"] = json!(record.created);
    if let Some(file) = &record.declared_in {
        job["declaredIn"] = json!(file);
    }
    if let Some(damage) = &record.damage {
        job["damage"] = json!(damage);
    }
    if let Some(next) = next_due(record) {
        job["scheduleTime"] = json!(next.to_string());
    }
    if let Some(last) = last {
        job["lastAttemptTime"] = json!(last.started.to_string());
        if let Some(end) = &last.end {
            job["status"] = json!({ "code": number_of(&end.code), "codeName": end.code });
            if let Some(reason) = &end.reason {
                job["status"]["message"] = json!(reason);
            }
        }
    }
    if let Some(error) = disabled(record) {
        let message = format!("it cannot run: {error}");
        job["status"] = json!({ "code": 3, "codeName": "INVALID_ARGUMENT", "message": message });
    }
    job
}

fn retry(settings: &JobSettings) -> Value {
    json!({
        "retryCount": settings.max_retry_attempts,
        "maxRetryDuration": seconds(settings.max_retry_duration),
        "minBackoffDuration": seconds(settings.min_backoff),
        "maxBackoffDuration": seconds(settings.max_backoff),
        "maxDoublings": settings.max_doublings,
    })
}

fn target(settings: &JobSettings) -> Value {
    let mut target = json!({ "uri": settings.uri, "httpMethod": settings.http_method });
    if !settings.headers.is_empty() {
        target["headers"] = json!(settings.headers);
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
    target
}

/// Google's word for the state. A record that cannot be read is `UPDATE_FAILED`.
fn state(record: &JobRecord) -> &'static str {
    match record.is_paused {
        _ if record.damage.is_some() => "UPDATE_FAILED",
        true => "PAUSED",
        false if disabled(record).is_some() => "DISABLED",
        false => "ENABLED",
    }
}

/// The number of a code in `google.rpc.Code`; that of UNKNOWN for a name that is none of them.
fn number_of(code: &str) -> u8 {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let number = NAMES.iter().position(|name| *name == code);
    number
        .and_then(|number| u8::try_from(number).ok())
        .unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{CatchUp, Overlap};

    const RECORDED: &str = r#"{"name": "projects/p/locations/local/jobs/my-hourly-job", "httpTarget": {"uri": "http://127.0.0.1:8080/hello_world", "httpMethod": 1, "headers": {"X-A": "b"}, "body": "eyJuYW1lIjogIlNjaGVkdWxlciJ9", "oidcToken": {"serviceAccountEmail": "myserviceaccount@host.internal", "audience": "http://127.0.0.1:8080/hello_world"}}, "retryConfig": {"retryCount": 2}, "schedule": "0 * * * *", "timeZone": "Australia/Sydney", "attemptDeadline": "30s"}"#;

    fn read(text: &str) -> Result<JobSettings, Status> {
        settings(
            &serde_json::from_str(text).unwrap(),
            &JobSettings::default(),
        )
    }

    #[test]
    fn a_job_of_googles_client_is_read() {
        let job = read(RECORDED).unwrap();
        assert_eq!(job.http_method, "POST");
        assert_eq!(job.headers["X-A"], "b");
        assert_eq!(job.body.as_deref(), Some("eyJuYW1lIjogIlNjaGVkdWxlciJ9"));
        assert_eq!(
            job.oidc_account.as_deref(),
            Some("myserviceaccount@host.internal")
        );
        assert_eq!((job.attempt_deadline, job.max_retry_attempts), (30_000, 2));
        assert_eq!(job.max_backoff, JobSettings::default().max_backoff);
    }

    #[test]
    fn a_secret_header_is_hidden_and_kept_when_the_mark_comes_back() {
        let mut before = read(RECORDED).unwrap();
        before.secret_headers.insert("X-A".into());
        let headers = &of_settings(&before)["httpTarget"]["headers"];
        assert_eq!(headers["X-A"], HIDDEN);
        assert_eq!(document(&before)["httpTarget"]["headers"]["X-A"], "b");
        let uri = "http://127.0.0.1:8080/other";
        let sent =
            json!({ "httpTarget": { "uri": uri, "headers": { "x-a": HIDDEN, "X-B": "c" } } });
        let after = settings(&sent, &before).unwrap();
        assert_eq!(after.headers["x-a"], "b");
        assert!(after.is_secret("X-A") && !after.is_secret("X-B"));
        let opened = json!({ "httpTarget": { "uri": uri, "headers": { "X-A": HIDDEN } }, "secretHeaders": [] });
        assert!(settings(&opened, &before).unwrap().is_secret("X-A"));
        let gone = settings(&json!({ "httpTarget": { "headers": {} } }), &before).unwrap();
        assert!(gone.secret_headers.is_empty());
    }

    #[test]
    fn a_hidden_value_goes_to_no_other_server() {
        let mut before = read(RECORDED).unwrap();
        before.secret_headers.insert("X-A".into());
        let to = |uri: &str, value: &str| {
            let sent = json!({ "httpTarget": { "uri": uri, "headers": { "X-A": value } } });
            settings(&sent, &before)
        };
        for uri in [
            "http://127.0.0.1:8081/",
            "https://127.0.0.1:8080/",
            "http://[::1]:8080/",
            "",
        ] {
            let refused = to(uri, HIDDEN).unwrap_err();
            assert!(refused.message.contains("`X-A`"), "{refused}");
            assert!(to(uri, "new").is_ok());
        }
    }

    #[test]
    fn what_google_alone_can_call_is_refused() {
        for job in [
            r#"{"pubsubTarget": {"topicName": "t"}}"#,
            r#"{"appEngineHttpTarget": {}}"#,
            r#"{"httpTarget": {"oauthToken": {"serviceAccountEmail": "a@host.internal"}}}"#,
            r#"{"httpTarget": {"httpMethod": "TRACE"}}"#,
        ] {
            assert!(read(job).is_err(), "{job}");
        }
    }

    #[test]
    fn the_rules_of_this_host_stay_when_a_client_does_not_know_them() {
        let before = JobSettings {
            overlap: Overlap::Queue,
            catch_up: CatchUp::All,
            ..JobSettings::default()
        };
        let after = settings(&json!({ "schedule": "* * * * *" }), &before).unwrap();
        assert_eq!(
            (after.overlap, after.catch_up),
            (Overlap::Queue, CatchUp::All)
        );
        let set = settings(&json!({ "overlap": "allow", "catchUp": "none" }), &before).unwrap();
        assert_eq!((set.overlap, set.catch_up), (Overlap::Allow, CatchUp::None));
        assert!(settings(&json!({ "overlap": "maybe" }), &before).is_err());
    }

    #[test]
    fn codes_have_googles_numbers() {
        assert_eq!(
            (
                number_of("OK"),
                number_of("UNAUTHENTICATED"),
                number_of("x")
            ),
            (0, 16, 2)
        );
    }
}
