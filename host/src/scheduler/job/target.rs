//! What a job calls.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Uri};

use super::target_uri::{target_uri, without_query};
use super::{JobError, Setting, at_most};
use crate::store::JobSettings;

/// All names and values of headers together, in bytes.
const LARGEST_HEADERS: usize = 80 * 1024;
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
    /// The service account's address.
    pub account: String,
    /// Its subject, if an account of the same address and another subject is not meant.
    pub subject: Option<String>,
    /// The audience.
    pub audience: String,
}

impl Target {
    pub(super) fn read(settings: &JobSettings) -> Result<Self, JobError> {
        let (uri, written) = target_uri(&settings.uri)?;
        let method = settings.http_method.to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return Err(JobError::Method(settings.http_method.clone()));
        }
        let method: Method = method
            .parse()
            .map_err(|_| JobError::Method(settings.http_method.clone()))?;
        let body = match &settings.body {
            None => Bytes::new(),
            Some(_) if !takes_body(&method) => {
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
        at_most(
            Setting::new("headers", "all headers together"),
            size,
            "bytes",
            LARGEST_HEADERS,
        )?;
        let identity = match (&settings.oidc_account, &settings.oidc_audience) {
            (None, Some(_)) => return Err(JobError::AudienceAlone),
            (None, None) => None,
            (Some(account), audience) => Some(TokenFor {
                account: account.clone(),
                subject: settings.oidc_subject.clone(),
                audience: audience
                    .clone()
                    .unwrap_or_else(|| without_query(&written).to_owned()),
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

/// Whether requests with `method` have a body, be it an empty one.
pub(in super::super) fn takes_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
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
