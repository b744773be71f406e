//! The request of an attempt.

use bytes::Bytes;
use http::Request;
use http::header::{self, HeaderName, HeaderValue};
use http_body_util::Full;

use super::job::takes_body;
use super::round::Start;
use super::{Target, trace};

const USER_AGENT: HeaderValue = HeaderValue::from_static("Google-Cloud-Scheduler");
/// What every request of a job has, as those of Cloud Scheduler do.
pub const SCHEDULER: HeaderName = HeaderName::from_static("x-cloudscheduler");
const JOB_NAME: HeaderName = HeaderName::from_static("x-cloudscheduler-jobname");
const SCHEDULE_TIME: HeaderName = HeaderName::from_static("x-cloudscheduler-scheduletime");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The request, with what a scheduler adds to what its owner gave.
pub(super) fn request(
    start: &Start,
    token: Option<&str>,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let Target {
        uri,
        method,
        headers,
        body,
        ..
    } = &start.job.target;
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .body(Full::new(body.clone()))?;
    let fields = request.headers_mut();
    fields.clone_from(headers);
    fields.entry(header::USER_AGENT).or_insert(USER_AGENT);
    if !body.is_empty() {
        fields.entry(header::CONTENT_TYPE).or_insert(OCTETS);
    } else if takes_body(method) {
        // Or some servers answer 411 (RFC 9110, section 8.6).
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    fields.insert(SCHEDULER, HeaderValue::from_static("true"));
    fields.insert(JOB_NAME, HeaderValue::from_str(start.name.as_str())?);
    let scheduled = start.run.scheduled.to_string();
    fields.insert(SCHEDULE_TIME, HeaderValue::try_from(scheduled)?);
    fields.insert(
        TRACEPARENT,
        HeaderValue::try_from(trace::header(start.trace))?,
    );
    if let Some(token) = token {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
        value.set_sensitive(true);
        fields.insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scheduler::Job;
    use crate::scheduler::attempt_limits::Permit;
    use crate::store::{JobSettings, RunKey};

    fn start(change: impl FnOnce(&mut JobSettings)) -> Start {
        let mut settings = JobSettings {
            schedule: "0 * * * *".into(),
            uri: "http://127.0.0.1:8080/hello?x=1".into(),
            ..JobSettings::default()
        };
        change(&mut settings);
        let job = Job::read(&settings).unwrap();
        let scheduled = "2026-11-24T03:00:00Z".parse().unwrap();
        Start {
            run: RunKey { job: 1, scheduled },
            number: 1,
            name: "my-hourly-job".parse().unwrap(),
            due: scheduled,
            trace: trace::begin(),
            permit: Permit::of(1, &job),
            job: Arc::new(job),
        }
    }

    #[test]
    fn a_request_says_whose_it_is_and_when_it_was_due() {
        let start = start(|job| job.body = Some("e30=".into()));
        let request = request(&start, Some("abc")).unwrap();
        let field = |name: &str| request.headers()[name].to_str().unwrap();
        assert_eq!(field("user-agent"), "Google-Cloud-Scheduler");
        assert_eq!(field("x-cloudscheduler"), "true");
        assert_eq!(field("x-cloudscheduler-jobname"), "my-hourly-job");
        assert_eq!(
            field("x-cloudscheduler-scheduletime"),
            "2026-11-24T03:00:00Z"
        );
        assert_eq!(field("content-type"), "application/octet-stream");
        assert_eq!(field("authorization"), "Bearer abc");
        let trace = field("traceparent");
        assert!(
            trace.len() == 55 && trace.starts_with("00-") && trace.ends_with("-01"),
            "{trace}"
        );
    }

    #[test]
    fn the_owner_chooses_the_content_type_and_the_token_goes_before_a_credential() {
        let fields = [
            ("content-type", "application/json"),
            ("authorization", "Basic x"),
            ("user-agent", "me"),
        ];
        let start = start(|job| {
            job.headers = fields
                .map(|(name, value)| (name.into(), value.into()))
                .into();
            job.body = Some("e30=".into());
        });
        let with = request(&start, Some("abc")).unwrap();
        assert_eq!(with.headers()["content-type"], "application/json");
        assert_eq!(with.headers()["authorization"], "Bearer abc");
        assert_eq!(with.headers()["user-agent"], "me");
        let without = request(&start, None).unwrap();
        assert_eq!(without.headers()["authorization"], "Basic x");
    }

    #[test]
    fn without_a_body_there_is_no_content_type() {
        let request = request(&start(|job| job.http_method = "get".into()), None).unwrap();
        assert!(!request.headers().contains_key("content-type"));
    }

    #[test]
    fn an_empty_body_is_announced_where_one_is_expected() {
        for (method, length) in [
            ("post", Some("0")),
            ("put", Some("0")),
            ("patch", Some("0")),
            ("get", None),
            ("head", None),
            ("delete", None),
            ("options", None),
        ] {
            let request = request(&start(|job| job.http_method = method.into()), None).unwrap();
            let found = request.headers().get("content-length");
            assert_eq!(
                found.map(|length| length.to_str().unwrap()),
                length,
                "{method}"
            );
        }
    }
}
