//! A collector, and one request to it.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::http_client::{self, HttpClient};
use host_sandbox::outbound::{authorities, tls_failure};

/// The time limit of a request, including its connection.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest `Retry-After` that is followed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// The longest response body that is read, in bytes.
const MAX_RESPONSE: usize = 64 * 1024;
/// How much of a file of headers is read, in bytes.
const MAX_HEADERS: u64 = 64 * 1024;

/// A program that receives OTLP over HTTP.
#[derive(Clone)]
pub struct Collector {
    logs: Uri,
    traces: Uri,
    headers: HeaderMap,
    client: HttpClient,
}

/// Why the settings of a collector are unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// The address is invalid.
    #[error("`{0}` is no address of a collector; expected such as http://127.0.0.1:4318")]
    Endpoint(String),
    /// A file cannot be used.
    #[error("{}: {_1}", _0.display())]
    File(PathBuf, String),
    /// A certificate cannot be used as a certificate authority.
    #[error(transparent)]
    Trust(#[from] rustls::Error),
}

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Logs,
    Traces,
}

/// Why a request failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// Temporarily: it can be repeated, after this time if the collector stated one.
    Temporary(String, Option<Duration>),
    /// Permanently: repeating it does not help.
    Permanent(String),
}

impl Collector {
    /// The collector at `endpoint`, which serves `/v1/logs` and `/v1/traces` below that address. The file `headers`
    /// contains headers for each request, as lines of `name: value`. The certificate authorities in the PEM file
    /// `authorities` are trusted in addition to the public ones.
    ///
    /// # Errors
    /// If the address is invalid, or a file cannot be read or parsed.
    pub fn new(
        endpoint: &str,
        headers: Option<&Path>,
        authorities: Option<&Path>,
    ) -> Result<Self, CollectorError> {
        let others = authorities.map(certificates).transpose()?;
        let tls = authorities::client_config(&others.unwrap_or_default())?;
        Ok(Self {
            logs: below(endpoint, "v1/logs")?,
            traces: below(endpoint, "v1/traces")?,
            headers: headers.map(read_headers).transpose()?.unwrap_or_default(),
            client: http_client::keeping_connections(tls),
        })
    }

    /// Sends `body`. Returns how many records the collector rejected, if any, and its reason.
    pub(super) async fn send(
        &self,
        signal: Signal,
        body: Bytes,
    ) -> Result<Option<(u64, String)>, SendError> {
        match tokio::time::timeout(TIMEOUT, self.exchange(signal, body)).await {
            Ok(sent) => sent,
            Err(_) => Err(SendError::Temporary(
                format!("no answer within {TIMEOUT:?}"),
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
        let (head, body) = response.map_err(|error| temporary(&error))?.into_parts();
        if !head.status.is_success() {
            return Err(refused(head.status, &head.headers));
        }
        // The collector accepted the request, even if the rest of its response is unusable.
        let body = Limited::new(body, MAX_RESPONSE).collect().await;
        let rejection = body
            .ok()
            .and_then(|body| rejection(signal, body.to_bytes()));
        Ok(rejection.and_then(|(rejected, why)| {
            let rejected = u64::try_from(rejected).unwrap_or(0);
            (rejected > 0).then_some((rejected, why))
        }))
    }
}

/// The number of rejected records in a response, and the collector's reason.
fn rejection(signal: Signal, response: Bytes) -> Option<(i64, String)> {
    match signal {
        Signal::Logs => {
            let response = ExportLogsServiceResponse::decode(response).ok()?;
            let partial = response.partial_success?;
            Some((partial.rejected_log_records, partial.error_message))
        }
        Signal::Traces => {
            let response = ExportTraceServiceResponse::decode(response).ok()?;
            let partial = response.partial_success?;
            Some((partial.rejected_spans, partial.error_message))
        }
    }
}

/// The failure for a status: OTLP/HTTP defines which ones are temporary.
fn refused(status: StatusCode, headers: &HeaderMap) -> SendError {
    let text = format!("answered with status {status}");
    let temporary = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    if !temporary.contains(&status) {
        return SendError::Permanent(text);
    }
    let after = headers.get(header::RETRY_AFTER);
    let wait = after.and_then(|after| wait(after.to_str().ok()?, SystemTime::now()));
    SendError::Temporary(text, wait.map(|wait| wait.min(MAX_RETRY_AFTER)))
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

fn temporary(error: &(dyn std::error::Error + 'static)) -> SendError {
    let told = tls_failure::told(error);
    let last = || tls_failure::causes(error).last().map(ToString::to_string);
    SendError::Temporary(told.or_else(last).unwrap_or_default(), None)
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

/// Headers may contain a secret, so errors state only the number of a line.
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
                "line {} is not a header; expected `name: value`",
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
    file.take(MAX_HEADERS).read_to_string(&mut text)?;
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
    use crate::logs::test_support::Scratch;

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
    fn temporary_failures_are_those_of_the_protocol() {
        let refused =
            |status, headers: &HeaderMap| refused(StatusCode::from_u16(status).unwrap(), headers);
        let none = HeaderMap::new();
        for status in [429, 502, 503, 504] {
            let error = refused(status, &none);
            assert!(matches!(error, SendError::Temporary(_, None)), "{status}");
        }
        for status in [301, 400, 401, 404, 413, 500] {
            assert!(matches!(refused(status, &none), SendError::Permanent(_)));
        }
        for (after, expected) in [
            ("0", Some(Duration::ZERO)),
            ("7", Some(Duration::from_secs(7))),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(Duration::ZERO)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(MAX_RETRY_AFTER)),
            ("999999", Some(MAX_RETRY_AFTER)),
            ("soon", None),
        ] {
            let after = HeaderValue::from_static(after);
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, after)]);
            let SendError::Temporary(_, wait) = refused(429, &headers) else {
                panic!("it is temporary");
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
