//! One try of a run: a request, and what came of it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::client::{CallError, TargetClient};
use super::ending::Ending;
use super::round::{ABORTED, OK, Start};
use super::{Target, TokenFor};
use crate::function::EXECUTION_ID_LENGTH;
use crate::store::AttemptEnd;

const USER_AGENT: HeaderValue = HeaderValue::from_static("Google-Cloud-Scheduler");
/// What every request of a job has, as those of Cloud Scheduler do.
pub const SCHEDULER: HeaderName = HeaderName::from_static("x-cloudscheduler");
const JOB_NAME: HeaderName = HeaderName::from_static("x-cloudscheduler-jobname");
const SCHEDULE_TIME: HeaderName = HeaderName::from_static("x-cloudscheduler-scheduletime");
const EXECUTION_ID: HeaderName = HeaderName::from_static("function-execution-id");
/// Trace Context, section 3.2.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// How an attempt is called that found nobody.
const UNAVAILABLE: &str = "UNAVAILABLE";
/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// Makes the tokens that jobs send along.
pub trait TokenSource: Send + Sync {
    /// A token for `audience` that says it comes from the service account `account`. May block for as long as signing
    /// takes.
    ///
    /// # Errors
    /// Why there is none, in words for the operator.
    fn token(&self, account: &str, audience: &str) -> Result<String, String>;
}

/// Makes tokens, as many at once as there are cores: more threads would sign no faster, and each keeps memory.
#[derive(Clone)]
pub(super) struct Minter {
    source: Arc<dyn TokenSource>,
    free: Arc<Semaphore>,
}

impl Minter {
    pub(super) fn new(source: Arc<dyn TokenSource>) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            source,
            free: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Signing keeps a thread busy, and this one answers others.
    async fn mint(&self, identity: TokenFor) -> Result<String, String> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let permit = permit.map_err(|error| error.to_string())?;
        let source = Arc::clone(&self.source);
        let minted = tokio::task::spawn_blocking(move || {
            // Held to the very end, also when nobody waits for the token any more.
            let _permit = permit;
            source.token(&identity.account, &identity.audience)
        });
        minted.await.map_err(|error| error.to_string())?
    }
}

/// What came of a try.
struct Outcome {
    code: &'static str,
    status: Option<StatusCode>,
    reason: Option<String>,
    execution: Option<String>,
}

/// Makes the request of `start`, and tells what came of it when it has ended, its deadline has passed, or the host can
/// wait no longer.
pub(super) async fn attempt(
    client: TargetClient,
    minter: Minter,
    start: &Start,
    mut ending: Ending,
) -> AttemptEnd {
    let outcome = tokio::select! {
        outcome = in_time(client, minter, start) => outcome,
        () = ending.over() => Outcome::failure(ABORTED, "the host ended during the attempt".into()),
    };
    let outcome = outcome.in_drain(ending.has_begun());
    let reason = outcome
        .reason
        .map(|reason| reason.chars().take(LONGEST_REASON).collect());
    AttemptEnd {
        time: Timestamp::now(),
        code: outcome.code.into(),
        status: outcome.status.map(|status| status.as_u16()),
        reason,
        execution: outcome.execution,
    }
}

async fn in_time(client: TargetClient, minter: Minter, start: &Start) -> Outcome {
    let deadline = start.job.deadline;
    match tokio::time::timeout(deadline, exchange(client, minter, start)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::failure(
            "DEADLINE_EXCEEDED",
            format!("no complete answer within {deadline:?}"),
        ),
    }
}

async fn exchange(client: TargetClient, minter: Minter, start: &Start) -> Outcome {
    let token = match &start.job.target.identity {
        None => None,
        Some(identity) => match minter.mint(identity.clone()).await {
            Ok(token) => Some(token),
            Err(reason) => return Outcome::failure("UNAUTHENTICATED", reason),
        },
    };
    let request = match request(start, token.as_deref()) {
        Ok(request) => request,
        Err(error) => return Outcome::failure("INVALID_ARGUMENT", error.to_string()),
    };
    let response = match client.call(request).await {
        Ok(response) => response,
        Err(error @ CallError::Refused) => {
            return Outcome::failure("PERMISSION_DENIED", error.to_string());
        }
        Err(error) => return Outcome::failure(UNAVAILABLE, error.to_string()),
    };
    let (head, body) = response.into_parts();
    let execution = head.headers.get(EXECUTION_ID).and_then(execution_id);
    let mut outcome = Outcome::of_status(head.status);
    if let Err(error) = read_to_end(body).await
        && outcome.code == OK
    {
        outcome.code = "INTERNAL";
        outcome.reason = Some(format!("the answer was cut short: {error}"));
    }
    Outcome {
        execution,
        ..outcome
    }
}

/// The request, with what a scheduler adds to what its owner gave.
fn request(start: &Start, token: Option<&str>) -> Result<Request<Full<Bytes>>, http::Error> {
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
    }
    fields.insert(SCHEDULER, HeaderValue::from_static("true"));
    fields.insert(JOB_NAME, HeaderValue::from_str(start.name.as_str())?);
    let scheduled = start.run.scheduled.to_string();
    fields.insert(SCHEDULE_TIME, HeaderValue::try_from(scheduled)?);
    fields.insert(TRACEPARENT, HeaderValue::try_from(traceparent())?);
    if let Some(token) = token {
        let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
        value.set_sensitive(true);
        fields.insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

/// A trace of its own, sampled.
fn traceparent() -> String {
    let (trace, span): (u128, u64) = (rand::random(), rand::random());
    // All zeros would be no trace.
    format!("00-{:032x}-{:016x}-01", trace | 1, span | 1)
}

/// Nobody wants what it says, but a caller that hangs up is a failure of the one called.
async fn read_to_end(mut body: Incoming) -> Result<(), hyper::Error> {
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(())
}

fn execution_id(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_id = text.len() == EXECUTION_ID_LENGTH && text.bytes().all(is_part);
    is_id.then(|| text.to_owned())
}

impl Outcome {
    fn failure(code: &'static str, reason: String) -> Self {
        Self {
            code,
            status: None,
            reason: Some(reason),
            execution: None,
        }
    }

    /// The same, if no drain has begun. In one, functions of this host turn requests away because of it: that is no
    /// failure of theirs, and the attempt is made again.
    fn in_drain(self, has_begun: bool) -> Self {
        let is_turned_away = match self.status {
            Some(status) if status.is_success() => self.code != OK,
            Some(status) => status == StatusCode::SERVICE_UNAVAILABLE,
            None => self.code == UNAVAILABLE,
        };
        if !has_begun || !is_turned_away {
            return self;
        }
        let reason = self.reason.unwrap_or_default();
        Self {
            code: ABORTED,
            reason: Some(format!("the host was ending: {reason}")),
            ..self
        }
    }

    /// What an answer means, by the names that gRPC has for it. Redirects are not followed.
    fn of_status(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            200..=299 => OK,
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            500..=599 => "INTERNAL",
            _ => "UNKNOWN",
        };
        let reason = match status.as_u16() {
            200..=299 => None,
            code @ 300..=399 => Some(format!(
                "Original HTTP response code number = {code}; redirects are not followed"
            )),
            code => Some(format!("Original HTTP response code number = {code}")),
        };
        Self {
            code,
            status: Some(status),
            reason,
            execution: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::Job;
    use crate::store::{JobSettings, RunKey};

    fn start(change: impl FnOnce(&mut JobSettings)) -> Start {
        let mut settings = JobSettings {
            schedule: "0 * * * *".into(),
            uri: "http://127.0.0.1:8080/hello?x=1".into(),
            ..JobSettings::default()
        };
        change(&mut settings);
        let scheduled = "2026-11-24T03:00:00Z".parse().unwrap();
        Start {
            run: RunKey { job: 1, scheduled },
            number: 1,
            name: "my-hourly-job".parse().unwrap(),
            job: Arc::new(Job::read(&settings).unwrap()),
            due: scheduled,
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
    fn answers_have_the_names_of_grpc() {
        for (status, code) in [
            (200, "OK"),
            (204, "OK"),
            (302, "UNKNOWN"),
            (401, "UNAUTHENTICATED"),
            (403, "PERMISSION_DENIED"),
            (404, "NOT_FOUND"),
            (500, "INTERNAL"),
            (503, "INTERNAL"),
        ] {
            let outcome = Outcome::of_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(outcome.code, code, "{status}");
            assert_eq!(outcome.reason.is_none(), code == "OK");
        }
    }

    #[test]
    fn whoever_is_turned_away_by_a_drain_has_not_failed() {
        let answered = |status| Outcome::of_status(StatusCode::from_u16(status).unwrap());
        let failed = |code| Outcome::failure(code, "it was so".into());
        let cut_short = Outcome {
            code: "INTERNAL",
            ..answered(200)
        };
        for (outcome, code) in [
            (answered(503), ABORTED),
            (failed(UNAVAILABLE), ABORTED),
            (cut_short, ABORTED),
            (answered(200), OK),
            (answered(500), "INTERNAL"),
            (failed("DEADLINE_EXCEEDED"), "DEADLINE_EXCEEDED"),
        ] {
            let before = outcome.code;
            assert_eq!(outcome.in_drain(true).code, code, "{before}");
        }
        assert_eq!(answered(503).in_drain(false).code, "INTERNAL");
    }

    #[test]
    fn only_what_looks_like_an_execution_id_is_taken_for_one() {
        let id = |text: &'static str| execution_id(&HeaderValue::from_static(text));
        assert_eq!(id("rndmid64qasr").as_deref(), Some("rndmid64qasr"));
        for text in [
            "",
            "RNDMID64QASR",
            "rndmid64qas",
            "rndmid64qasr1",
            "rndmid64qa r",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
