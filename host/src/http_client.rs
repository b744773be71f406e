//! The client of all requests that the host itself makes: HTTP/1.1, over TLS if the address starts with `https`.
//!
//! Callers decide whom to trust and, if they have to, how a connection is made. Redirects are never followed.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

/// The largest head of a response, in bytes, if each request has its own connection.
const LARGEST_HEAD: usize = 64 * 1024;

/// Makes requests over the connections of a `C`.
pub(crate) type HttpClient<C = HttpConnector> = Client<HttpsConnector<C>, Full<Bytes>>;

/// A client for a server that the operator named: it connects to any address, and keeps connections for later requests.
pub(crate) fn keeping_connections(tls: ClientConfig) -> HttpClient {
    let connector = https(tls, tcp(GaiResolver::new()));
    Client::builder(TokioExecutor::new()).build(connector)
}

/// A client that makes a connection for each request, and accepts at most `most_fields` in the head of a response.
pub(crate) fn connecting_anew<C>(
    tls: ClientConfig,
    connector: C,
    most_fields: usize,
) -> HttpClient<C>
where
    HttpsConnector<C>: Connect + Clone,
{
    Client::builder(TokioExecutor::new())
        // A kept connection may be closed under a request, which then may or may not have arrived.
        .pool_max_idle_per_host(0)
        .retry_canceled_requests(false)
        .http1_max_buf_size(LARGEST_HEAD)
        .http1_max_headers(most_fields)
        .build(https(tls, connector))
}

/// Connects to what `resolver` finds, for TLS as well.
pub(crate) fn tcp<R>(resolver: R) -> HttpConnector<R> {
    let mut connector = HttpConnector::new_with_resolver(resolver);
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

fn https<C>(tls: ClientConfig, connector: C) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector)
}
