//! What a job calls.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Scheme;
use http::{Method, Uri};

use super::{JobError, at_most};
use crate::store::JobSettings;

const LONGEST_URI: usize = 2083;
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
    /// The service account.
    pub account: String,
    /// The audience.
    pub audience: String,
}

impl Target {
    pub(super) fn read(settings: &JobSettings) -> Result<Self, JobError> {
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

/// A URL up to its query.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}
