//! Where records are sent to, and one request to there.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::message::Exported;
use host_sandbox::outbound::authorities;
use host_sandbox::outbound::tls_failure;

/// How long a request may take, with its connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest that a collector has a sender wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The longest file of headers, in bytes.
const LONGEST_HEADERS: u64 = 64 * 1024;

/// A collector: a program that takes OTLP over HTTP.
#[derive(Clone)]
pub struct Collector {
    logs: Uri,
    traces: Uri,
    headers: HeaderMap,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why nothing can be sent to a collector.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// Its address.
    #[error("`{0}` is no address of a collector; expected such as http://127.0.0.1:4318")]
    Endpoint(String),
    /// A file cannot be used.
    #[error("{}: {_1}", _0.display())]
    File(PathBuf, String),
    /// A certificate cannot be an authority.
    #[error(transparent)]
    Trust(#[from] rustls::Error),
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Logs,
    Traces,
}

/// Why a request came to nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// It may help to try again, after this time if the collector named one.
    Passing(String, Option<Duration>),
    /// It does not.
    Lasting(String),
}

impl Collector {
    /// The collector at `endpoint`, below which it takes `/v1/logs` and `/v1/traces`. Each request carries the headers of
    /// a file, one `name: value` a line; `authorities` (PEM) are trusted beside the public ones.
    ///
    /// # Errors
    /// If the address is none, or a file cannot be read as what it should be.
    pub fn new(
        endpoint: &str,
        headers: Option<&Path>,
        authorities: Option<&Path>,
    ) -> Result<Self, CollectorError> {
        let others = authorities.map(certificates).transpose()?;
        let tls = authorities::client_config(&others.unwrap_or_default())?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self {
            logs: below(endpoint, "v1/logs")?,
            traces: below(endpoint, "v1/traces")?,
            headers: headers.map(read_headers).transpose()?.unwrap_or_default(),
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Sends `body`, and tells how many of its records the collector did not take, and why.
    pub(super) async fn send(
        &self,
        signal: Signal,
        body: Bytes,
    ) -> Result<Option<(u64, String)>, SendError> {
        match tokio::time::timeout(PATIENCE, self.exchange(signal, body)).await {
            Ok(sent) => sent,
            Err(_) => Err(SendError::Passing(
                format!("no answer within {PATIENCE:?}"),
                None,
            )),
        }
    }

    async fn exchange(
        &self,
        signal: Signal,
        body: Bytes,
    ) -> Result<Option<(u64, String)>, SendError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = match signal {
            Signal::Logs => self.logs.clone(),
            Signal::Traces => self.traces.clone(),
        };
        *request.headers_mut() = self.headers.clone();
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(header::CONTENT_TYPE, protobuf);
        let response = self.client.request(request).await;
        let (head, body) = response.map_err(|error| passing(&error))?.into_parts();
        if !head.status.is_success() {
            return Err(refused(head.status, &head.headers));
        }
        // It was taken, whatever comes of the rest of the answer.
        let body = Limited::new(body, LONGEST_ANSWER).collect().await;
        let answer = body.ok().map(|body| body.to_bytes());
        let answer = answer.and_then(|answer| Exported::decode(answer).ok());
        let partial = answer.and_then(|answer| answer.partial_success);
        Ok(partial.and_then(|partial| {
            let rejected = u64::try_from(partial.rejected).unwrap_or(0);
            (rejected > 0).then_some((rejected, partial.error_message))
        }))
    }
}

/// What OTLP/HTTP says of failures: these statuses pass, others do not.
fn refused(status: StatusCode, headers: &HeaderMap) -> SendError {
    let text = format!("answered with status {status}");
    let passes = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    if !passes.contains(&status) {
        return SendError::Lasting(text);
    }
    let after = headers.get(header::RETRY_AFTER);
    let wait = after.and_then(|after| wait(after.to_str().ok()?, SystemTime::now()));
    SendError::Passing(text, wait.map(|wait| wait.min(LONGEST_WAIT)))
}

/// How long `Retry-After` says to wait: seconds, or until a date (RFC 9110, section 10.2.3).
fn wait(after: &str, now: SystemTime) -> Option<Duration> {
    let after = after.trim();
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(after).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn passing(error: &(dyn std::error::Error + 'static)) -> SendError {
    let told = tls_failure::told(error);
    let last = || tls_failure::causes(error).last().map(ToString::to_string);
    SendError::Passing(told.or_else(last).unwrap_or_default(), None)
}

fn below(endpoint: &str, path: &str) -> Result<Uri, CollectorError> {
    let no_address = || CollectorError::Endpoint(endpoint.to_owned());
    let uri: Uri = endpoint.parse().map_err(|_| no_address())?;
    let is_http = uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS);
    let authority = uri.authority().ok_or_else(no_address)?;
    if !is_http || uri.query().is_some() || authority.as_str().contains('@') {
        return Err(no_address());
    }
    format!("{}/{path}", endpoint.trim_end_matches('/'))
        .parse()
        .map_err(|_| no_address())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CollectorError> {
    let unusable = |reason: String| CollectorError::File(path.to_owned(), reason);
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    match certificates.is_empty() {
        true => Err(unusable(
            "no certificate found; expected certificates in PEM".into(),
        )),
        false => Ok(certificates),
    }
}

/// Headers may hold a key, so nothing of the file stands in an error but the number of a line.
fn read_headers(path: &Path) -> Result<HeaderMap, CollectorError> {
    let unusable = |reason: String| CollectorError::File(path.to_owned(), reason);
    let text = read(path).map_err(|error| unusable(error.to_string()))?;
    let mut headers = HeaderMap::new();
    let lines = text.lines().enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let header = line.split_once(':').and_then(|(name, value)| {
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse::<HeaderName>().ok()?, value))
        });
        let (name, value) = header.ok_or_else(|| {
            unusable(format!(
                "line {} is no header; expected `name: value`",
                index + 1
            ))
        })?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST_HEADERS).read_to_string(&mut text)?;
    Ok(text)
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.logs.authority().map_or("", |host| host.as_str()))
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector")
            .field("logs", &self.logs)
            .field("traces", &self.traces)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::scratch::Scratch;

    #[test]
    fn paths_are_those_of_the_signals_below_the_endpoint() {
        for (endpoint, logs) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/logs"),
            ("https://a.example/otlp/", "https://a.example/otlp/v1/logs"),
        ] {
            let collector = Collector::new(endpoint, None, None).unwrap();
            assert_eq!(collector.logs, logs);
        }
        for endpoint in [
            "",
            "127.0.0.1:4318",
            "ftp://a.example",
            "http://a.example?x",
            "http://u:p@a.example",
        ] {
            let error = Collector::new(endpoint, None, None).unwrap_err();
            assert!(error.to_string().contains("expected"), "{error}");
        }
    }

    #[test]
    fn what_passes_is_what_the_protocol_says() {
        let refused =
            |status, headers: &HeaderMap| refused(StatusCode::from_u16(status).unwrap(), headers);
        let none = HeaderMap::new();
        for status in [429, 502, 503, 504] {
            let error = refused(status, &none);
            assert!(matches!(error, SendError::Passing(_, None)), "{status}");
        }
        for status in [301, 400, 401, 404, 413, 500] {
            assert!(matches!(refused(status, &none), SendError::Lasting(_)));
        }
        for (after, expected) in [
            ("0", Some(Duration::ZERO)),
            ("7", Some(Duration::from_secs(7))),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(Duration::ZERO)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(LONGEST_WAIT)),
            ("999999", Some(LONGEST_WAIT)),
            ("soon", None),
        ] {
            let after = HeaderValue::from_static(after);
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, after)]);
            let SendError::Passing(_, wait) = refused(429, &headers) else {
                panic!("it passes");
            };
            assert_eq!(wait, expected);
        }
    }

    #[test]
    fn a_file_of_headers_is_read_and_never_quoted() {
        let scratch = Scratch::new();
        std::fs::create_dir(&*scratch).unwrap();
        let path = scratch.join("headers");
        std::fs::write(&path, "authorization: Bearer s3cret\n\nx-team : a\n").unwrap();
        let collector = Collector::new("http://a.example", Some(&path), None).unwrap();
        assert_eq!(collector.headers["authorization"], "Bearer s3cret");
        assert_eq!(collector.headers["x-team"], "a");
        assert!(!format!("{collector:?}").contains("s3cret"));
        std::fs::write(&path, "x-team: a\ns3cret\n").unwrap();
        let error = Collector::new("http://a.example", Some(&path), None).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(!error.to_string().contains("s3cret"));
    }

    #[test]
    fn a_file_without_a_certificate_is_no_authority() {
        let scratch = Scratch::new();
        std::fs::create_dir(&*scratch).unwrap();
        let path = scratch.join("ca.pem");
        std::fs::write(&path, "no PEM").unwrap();
        assert!(Collector::new("https://a.example", None, Some(&path)).is_err());
    }
}
