//! The client of one function: what is allowed goes out over pooled connections.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error, RequestOptions, WasiBody};

use super::body::InboundBody;
use super::connect::{Connector, LONGEST_CONNECT, Resolve, SystemResolver, TrustError};
use super::destination::Destination;
use super::failure::{self, OutboundError};
use super::policy::OutboundPolicy;

const IDLE_CONNECTIONS_PER_HOST: usize = 8;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a response's status line and headers. HTTP/1 notices after at most twice as many.
pub(crate) const RESPONSE_HEAD_LIMIT: u32 = 64 * 1024;
/// Fields of a response's head.
const RESPONSE_FIELDS: usize = 128;
/// What an HTTP/2 peer may send ahead of the reader, for one response and for all of a connection.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// An HTTP/2 connection with requests on it is probed this often, and given up when a probe goes unanswered so long.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends the requests of one function. Cheap to clone; clones share their connections.
///
/// A connection lives on the runtime that made it. When that is gone, so is the connection, and the next request makes
/// another.
#[derive(Clone)]
pub(crate) struct OutboundClient {
    policy: Arc<OutboundPolicy>,
    /// None where nobody may be called: most functions, and a client holds hundreds of certificates.
    client: Option<Client<Connector, WasiBody>>,
}

impl OutboundClient {
    /// # Errors
    /// If an authority's certificate in `policy` cannot be used.
    pub(crate) fn new(policy: OutboundPolicy) -> Result<Self, TrustError> {
        Self::with_resolver(policy, Arc::new(SystemResolver::new()))
    }

    /// As [`new`](Self::new), but names are resolved by `resolver`.
    pub(crate) fn with_resolver(
        policy: OutboundPolicy,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, TrustError> {
        let policy = Arc::new(policy);
        if policy.rules.is_empty() {
            let client = None;
            return Ok(Self { policy, client });
        }
        let connector = Connector::new(Arc::clone(&policy), resolver)?;
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .retry_canceled_requests(true)
            .http1_max_buf_size(RESPONSE_HEAD_LIMIT as usize)
            .http1_max_headers(RESPONSE_FIELDS)
            .http2_max_header_list_size(RESPONSE_HEAD_LIMIT)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .build(connector);
        let client = Some(client);
        Ok(Self { policy, client })
    }

    /// Whether a rule allows `request`, and where it would go.
    pub(crate) fn check<B>(&self, request: &Request<B>) -> Result<Destination, OutboundError> {
        Ok(self.policy.check(request.uri())?)
    }

    /// Sends `request` to `destination`, which is what [`check`](Self::check) said of it. `permit` is held until the
    /// response has ended.
    ///
    /// # Errors
    /// If the host behind the destination has no address that may be called, or there is no response in time.
    pub(crate) async fn send(
        &self,
        destination: &Destination,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Response<WasiBody>, OutboundError> {
        let timeouts = Timeouts::from(options.unwrap_or_default());
        let request = prepare(request, destination)?;
        let mut response = self.exchange(destination, request, &timeouts).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::HttpUpgradeFailed.into());
        }
        remove_hop_by_hop(response.headers_mut());
        // Among them is the connection itself.
        response.extensions_mut().clear();
        Ok(response
            .map(|body| InboundBody::new(body, timeouts.between_bytes, permit).boxed_unsync()))
    }

    async fn exchange(
        &self,
        destination: &Destination,
        mut request: Request<WasiBody>,
        timeouts: &Timeouts,
    ) -> Result<Response<Incoming>, OutboundError> {
        let client = self.client.as_ref().ok_or(Error::HttpRequestDenied)?;
        let mut connection = capture_connection(&mut request);
        let mut response = pin!(client.request(request));
        let connected = async {
            connection.wait_for_connection_metadata().await;
        };
        let response = tokio::select! {
            biased;
            response = &mut response => response,
            () = connected => timeout(timeouts.first_byte, response)
                .await
                .map_err(|_| Error::ConnectionReadTimeout)?,
            () = sleep(timeouts.connect) => return Err(Error::ConnectionTimeout.into()),
        };
        response.map_err(|error| failure::of_request(&error, destination))
    }
}

/// How long each part of a call may take.
struct Timeouts {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl Timeouts {
    const DEFAULT_CONNECT: Duration = Duration::from_secs(30);
    const DEFAULT_READ: Duration = Duration::from_secs(60);
    /// The most that a guest may ask for. The wall time of its execution is what bounds it in most cases.
    const LONGEST_READ: Duration = Duration::from_secs(3600);
}

impl From<RequestOptions> for Timeouts {
    fn from(options: RequestOptions) -> Self {
        let read =
            |asked: Option<Duration>| asked.unwrap_or(Self::DEFAULT_READ).min(Self::LONGEST_READ);
        Self {
            connect: options
                .connect_timeout
                .unwrap_or(Self::DEFAULT_CONNECT)
                .min(LONGEST_CONNECT),
            first_byte: read(options.first_byte_timeout),
            between_bytes: read(options.between_bytes_timeout),
        }
    }
}

/// Leaves of the request what is for its destination. The client adds `Host` or `:authority` from the URI.
fn prepare(
    mut request: Request<WasiBody>,
    destination: &Destination,
) -> Result<Request<WasiBody>, Error> {
    // A tunnel is of no use to a guest, which has no way to speak into it.
    if request.method() == Method::CONNECT {
        return Err(Error::HttpRequestMethodInvalid);
    }
    *request.uri_mut() = destination
        .uri(request.uri().path_and_query())
        .map_err(|_| Error::HttpRequestUriInvalid)?;
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    remove_hop_by_hop(headers);
    for name in &DEFAULT_FORBIDDEN_HEADERS {
        headers.remove(name);
    }
    Ok(request)
}

/// Removes what is for the next hop only (RFC 9110, section 7.6.1). `te: trailers` stays; gRPC demands it.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
    if headers.get(header::TE).is_some_and(|te| te != "trailers") {
        headers.remove(header::TE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_may_shorten_each_timeout_and_lengthen_it_to_a_bound() {
        let asking = |asked: Option<Duration>| {
            let timeouts = Timeouts::from(RequestOptions {
                connect_timeout: asked,
                first_byte_timeout: asked,
                between_bytes_timeout: asked,
            });
            [
                timeouts.connect,
                timeouts.first_byte,
                timeouts.between_bytes,
            ]
        };
        let seconds = |figures: [u64; 3]| figures.map(Duration::from_secs);
        assert_eq!(asking(None), seconds([30, 60, 60]));
        assert_eq!(asking(Some(Duration::ZERO)), seconds([0, 0, 0]));
        assert_eq!(
            asking(Some(Duration::from_secs(300))),
            seconds([60, 300, 300])
        );
        assert_eq!(asking(Some(Duration::MAX)), seconds([60, 3600, 3600]));
    }
}
