//! A job that makes sense.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{Method, Uri};

use super::retry::Retry;
use super::{Schedule, ScheduleError};
use crate::store::{CatchUp, JobSettings, Overlap};

const LONGEST_DESCRIPTION: usize = 500;
const LONGEST_URI: usize = 2083;
/// All names and values of headers together, in bytes.
const LARGEST_HEADERS: usize = 80 * 1024;
/// All that is kept of a job, in bytes.
const LARGEST_JOB: usize = 1024 * 1024;
const SHORTEST_DEADLINE: Duration = Duration::from_secs(15);
const LONGEST_DEADLINE: Duration = Duration::from_secs(30 * 60);
const MOST_RETRIES: u32 = 5;
/// How long a backoff may be: a day.
const LONGEST_BACKOFF: Duration = Duration::from_secs(24 * 60 * 60);
const MOST_DOUBLINGS: u32 = 16;
/// What a job calls with.
const METHODS: [&str; 7] = ["POST", "HEAD", "GET", "PUT", "DELETE", "PATCH", "OPTIONS"];
/// Fields that the host or the connection sets.
const RESERVED: [HeaderName; 5] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
const RESERVED_PREFIX: &str = "x-cloudscheduler";

/// A job: when it is due, what it calls, and what is done when that fails.
#[derive(Clone, Debug)]
pub struct Job {
    /// When it is due.
    pub schedule: Schedule,
    /// What it calls.
    pub target: Target,
    /// How long an attempt may take.
    pub deadline: Duration,
    /// When it is tried again.
    pub retry: Retry,
    /// What becomes of a due time that comes while a run is going.
    pub overlap: Overlap,
    /// What becomes of due times at which no host served.
    pub catch_up: CatchUp,
}

/// An HTTP request to be made.
#[derive(Clone)]
pub struct Target {
    /// Where.
    pub uri: Uri,
    /// How.
    pub method: Method,
    /// Fields of its head.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Whose token it carries, and for whom.
    pub identity: Option<TokenFor>,
}

/// A token to be sent along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFor {
    /// The service account.
    pub account: String,
    /// The audience.
    pub audience: String,
}

/// Why settings are no job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The schedule or its time zone.
    #[error("the schedule: {0}")]
    Schedule(#[from] ScheduleError),
    /// Too much of something.
    #[error("{what} has {found} {unit}; expected at most {most}")]
    Long {
        /// Of what.
        what: &'static str,
        /// How much it is.
        found: usize,
        /// Of what kind.
        unit: &'static str,
        /// How much it may be.
        most: usize,
    },
    /// A target that is none.
    #[error(
        "`{uri}` is not a target: {reason}; expected a URL such as http://127.0.0.1:8080/hello_world"
    )]
    Uri {
        /// What was given, without its query.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A method that is none of those.
    #[error(
        "`{0}` is not a method of a job; expected post, head, get, put, delete, patch or options"
    )]
    Method(String),
    /// A body where there is none.
    #[error("a request with {0} has no body; leave the body out, or use post, put or patch")]
    Body(Method),
    /// A body that cannot be read.
    #[error("the body is not base64")]
    BodyEncoding,
    /// A header that cannot be sent.
    #[error("the header `{name}` {reason}")]
    Header {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A number out of its range.
    #[error("{what} is {found}; expected {least} to {most}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What it is.
        found: String,
        /// The least.
        least: String,
        /// The most.
        most: String,
    },
    /// An audience for no token.
    #[error("a token's audience needs --oidc-service-account-email as well")]
    AudienceAlone,
}

impl Job {
    /// Reads what is kept of a job.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(settings: &JobSettings) -> Result<Self, JobError> {
        let characters = settings.description.chars().count();
        at_most(
            "the description",
            characters,
            "characters",
            LONGEST_DESCRIPTION,
        )?;
        let schedule = Schedule::parse(&settings.schedule, &settings.time_zone)?;
        let deadline = Duration::from_millis(settings.attempt_deadline);
        within(
            "the attempt deadline",
            deadline,
            SHORTEST_DEADLINE,
            LONGEST_DEADLINE,
        )?;
        let job = Self {
            schedule,
            target: Target::read(settings)?,
            deadline,
            retry: retry(settings)?,
            overlap: settings.overlap,
            catch_up: settings.catch_up,
        };
        let size = serde_json::to_string(settings).map_or(0, |text| text.len());
        at_most("the job", size, "bytes", LARGEST_JOB)?;
        Ok(job)
    }
}

impl Target {
    fn read(settings: &JobSettings) -> Result<Self, JobError> {
        let uri = target_uri(&settings.uri)?;
        let method = settings.http_method.to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return Err(JobError::Method(settings.http_method.clone()));
        }
        let method: Method = method
            .parse()
            .map_err(|_| JobError::Method(settings.http_method.clone()))?;
        let body = match &settings.body {
            None => Bytes::new(),
            Some(_) if !matches!(method, Method::POST | Method::PUT | Method::PATCH) => {
                return Err(JobError::Body(method));
            }
            Some(body) => STANDARD
                .decode(body)
                .map_err(|_| JobError::BodyEncoding)?
                .into(),
        };
        let mut headers = HeaderMap::new();
        let mut size = 0;
        for (name, value) in &settings.headers {
            size += name.len() + value.len();
            let (name, value) = field(name, value)?;
            headers.insert(name, value);
        }
        at_most("all headers together", size, "bytes", LARGEST_HEADERS)?;
        let identity = match (&settings.oidc_account, &settings.oidc_audience) {
            (None, Some(_)) => return Err(JobError::AudienceAlone),
            (None, None) => None,
            (Some(account), audience) => Some(TokenFor {
                account: account.clone(),
                audience: audience
                    .clone()
                    .unwrap_or_else(|| without_query(&settings.uri).to_owned()),
            }),
        };
        Ok(Self {
            uri,
            method,
            headers,
            body,
            identity,
        })
    }
}

/// Without headers, body and query, which may be secret.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Target({} {})",
            self.method,
            without_query(&self.uri.to_string())
        )
    }
}

fn target_uri(text: &str) -> Result<Uri, JobError> {
    let wrong = |reason: String| JobError::Uri {
        uri: without_query(text).chars().take(200).collect(),
        reason,
    };
    at_most("the URI", text.len(), "characters", LONGEST_URI)?;
    let uri: Uri = text
        .parse()
        .map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
    let is_known =
        matches!(uri.scheme(), Some(scheme) if *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    if !is_known {
        return Err(wrong("its scheme is neither http nor https".into()));
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err(wrong(
            "a user name or password stands before the host; send credentials in a header".into(),
        ));
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(wrong("it has no host".into()));
    }
    Ok(uri)
}

fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), JobError> {
    let wrong = |reason| JobError::Header {
        name: name.chars().filter(|c| !c.is_control()).take(80).collect(),
        reason,
    };
    let parsed: HeaderName = name
        .parse()
        .map_err(|_| wrong("has a name that is none (RFC 9110, section 5.1)"))?;
    if RESERVED.contains(&parsed) || parsed.as_str().starts_with(RESERVED_PREFIX) {
        return Err(wrong("is set by the host; leave it out"));
    }
    let value = HeaderValue::from_str(value)
        .map_err(|_| wrong("has a value with characters that cannot be sent"))?;
    Ok((parsed, value))
}

fn retry(settings: &JobSettings) -> Result<Retry, JobError> {
    let number = |what, found: u32, most: u32| match found {
        found if found > most => Err(JobError::Range {
            what,
            found: found.to_string(),
            least: "0".into(),
            most: most.to_string(),
        }),
        found => Ok(found),
    };
    let min_backoff = Duration::from_millis(settings.min_backoff);
    let max_backoff = Duration::from_millis(settings.max_backoff);
    within(
        "the longest backoff",
        max_backoff,
        Duration::ZERO,
        LONGEST_BACKOFF,
    )?;
    within(
        "the shortest backoff",
        min_backoff,
        Duration::ZERO,
        max_backoff,
    )?;
    Ok(Retry {
        attempts: number(
            "the number of retries",
            settings.max_retry_attempts,
            MOST_RETRIES,
        )?,
        duration: Duration::from_millis(settings.max_retry_duration),
        min_backoff,
        max_backoff,
        doublings: number(
            "the number of doublings",
            settings.max_doublings,
            MOST_DOUBLINGS,
        )?,
    })
}

fn at_most(
    what: &'static str,
    found: usize,
    unit: &'static str,
    most: usize,
) -> Result<(), JobError> {
    if found > most {
        return Err(JobError::Long {
            what,
            found,
            unit,
            most,
        });
    }
    Ok(())
}

fn within(
    what: &'static str,
    found: Duration,
    least: Duration,
    most: Duration,
) -> Result<(), JobError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(JobError::Range {
        what,
        found: format!("{found:?}"),
        least: format!("{least:?}"),
        most: format!("{most:?}"),
    })
}

/// A URL up to its query.
pub(super) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> JobSettings {
        JobSettings {
            schedule: "0 * * * *".into(),
            uri: "http://127.0.0.1:8080/hello?key=secret".into(),
            ..JobSettings::default()
        }
    }

    #[track_caller]
    fn refusal(change: impl FnOnce(&mut JobSettings)) -> String {
        let mut settings = settings();
        change(&mut settings);
        match Job::read(&settings) {
            Ok(job) => panic!("{job:?} is a job"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn defaults_are_those_of_cloud_scheduler() {
        let job = Job::read(&settings()).unwrap();
        assert_eq!(job.target.method, Method::POST);
        assert_eq!(job.deadline, Duration::from_secs(180));
        assert_eq!(job.retry.attempts, 0);
        assert_eq!(job.retry.min_backoff, Duration::from_secs(5));
        assert_eq!(job.retry.max_backoff, Duration::from_secs(3600));
        assert_eq!(job.retry.doublings, 5);
    }

    #[test]
    fn the_audience_is_the_uri_without_its_query_unless_one_is_given() {
        let mut settings = settings();
        settings.oidc_account = Some("a@host.internal".into());
        let audience = |settings: &JobSettings| {
            Job::read(settings)
                .unwrap()
                .target
                .identity
                .unwrap()
                .audience
        };
        assert_eq!(audience(&settings), "http://127.0.0.1:8080/hello");
        settings.oidc_audience = Some("other".into());
        assert_eq!(audience(&settings), "other");
    }

    #[test]
    fn each_limit_is_where_it_is_said_to_be() {
        let at = |change: fn(&mut JobSettings)| {
            let mut settings = settings();
            change(&mut settings);
            Job::read(&settings).map(drop)
        };
        assert_eq!(at(|job| job.description = "ä".repeat(500)), Ok(()));
        assert!(at(|job| job.description = "ä".repeat(501)).is_err());
        let uri = |length: usize| format!("http://a/{}", "x".repeat(length - 9));
        let mut longest = settings();
        longest.uri = uri(2083);
        assert!(Job::read(&longest).is_ok());
        longest.uri = uri(2084);
        assert!(Job::read(&longest).is_err());
        assert_eq!(at(|job| job.attempt_deadline = 15_000), Ok(()));
        assert!(at(|job| job.attempt_deadline = 14_999).is_err());
        assert_eq!(at(|job| job.attempt_deadline = 1_800_000), Ok(()));
        assert!(at(|job| job.attempt_deadline = 1_800_001).is_err());
        assert_eq!(at(|job| job.max_retry_attempts = 5), Ok(()));
        assert!(at(|job| job.max_retry_attempts = 6).is_err());
        assert!(at(|job| job.max_doublings = 17).is_err());
        assert!(at(|job| job.min_backoff = 3_600_001).is_err());
        let header = |size: usize| [("x-a".to_owned(), "x".repeat(size - 3))].into();
        let mut large = settings();
        large.headers = header(80 * 1024);
        assert!(Job::read(&large).is_ok());
        large.headers = header(80 * 1024 + 1);
        assert!(Job::read(&large).is_err());
        assert!(at(|job| job.body = Some("A".repeat(1024 * 1024))).is_err());
        assert_eq!(at(|job| job.body = Some("A".repeat(1_000_000))), Ok(()));
    }

    #[test]
    fn a_target_is_a_url_of_http_without_credentials() {
        for uri in [
            "",
            "hello",
            "/hello",
            "ftp://a/",
            "http://",
            "http://:80/",
            "http://u:p@a/",
            "http://a b/",
        ] {
            let refusal = refusal(|job| job.uri = uri.into());
            assert!(refusal.contains("is not a target: "), "{uri}: {refusal}");
        }
        assert!(!refusal(|job| job.uri = "ftp://a/?secret".into()).contains("secret"));
        for uri in [
            "http://a",
            "https://a:8443/b?c",
            "HTTP://a/",
            "http://[::1]:80/",
            "http://[::1]/",
        ] {
            let mut settings = settings();
            settings.uri = uri.into();
            assert!(Job::read(&settings).is_ok(), "{uri}");
        }
    }

    #[test]
    fn bodies_go_with_methods_that_have_one() {
        for method in ["get", "HEAD", "delete", "options"] {
            let refusal = refusal(|job| {
                job.http_method = method.into();
                job.body = Some("YQ==".into());
            });
            assert!(refusal.contains("has no body"), "{refusal}");
        }
        assert!(refusal(|job| job.http_method = "CONNECT".into()).contains("not a method"));
        assert!(refusal(|job| job.body = Some("?".into())).contains("base64"));
    }

    #[test]
    fn headers_that_the_host_sets_are_refused() {
        for name in [
            "Host",
            "content-length",
            "X-CloudScheduler",
            "X-CloudScheduler-JobName",
            "a b",
            "",
        ] {
            let refusal = refusal(|job| job.headers = [(name.to_owned(), "1".to_owned())].into());
            assert!(refusal.starts_with("the header"), "{name}: {refusal}");
        }
        let refusal =
            refusal(|job| job.headers = [("x".to_owned(), "a\r\nb: c".to_owned())].into());
        assert!(refusal.contains("cannot be sent"), "{refusal}");
    }

    #[test]
    fn an_audience_needs_an_account() {
        assert!(
            refusal(|job| job.oidc_audience = Some("a".into()))
                .contains("--oidc-service-account-email")
        );
    }
}
