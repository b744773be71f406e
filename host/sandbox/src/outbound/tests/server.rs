//! Servers on loopback that count the connections made to them.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A server; it stops with its runtime.
pub(super) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

type Answer = Response<Full<Bytes>>;

impl Server {
    /// Hands each connection to `serve`.
    pub(super) async fn raw<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self {
            address,
            connections,
        }
    }

    /// Reads one request head and then sends `bytes`, closing the connection if `close`.
    pub(super) async fn sending(bytes: impl Into<Bytes>, close: bool) -> Self {
        let bytes = bytes.into();
        Self::raw(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                let mut head = [0; 4096];
                assert_ne!(stream.read(&mut head).await.unwrap(), 0);
                stream.write_all(&bytes).await.unwrap();
                if !close {
                    std::future::pending::<()>().await;
                }
            }
        })
        .await
    }

    /// Answers requests over HTTP/1.1.
    pub(super) async fn http(answer: fn(Request<Incoming>) -> Answer) -> Self {
        Self::raw(move |stream| async move {
            let service = service_fn(async |request| Ok::<_, Infallible>(answer(request)));
            let http = hyper::server::conn::http1::Builder::new();
            // A client that goes away is no failure of the test.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        })
        .await
    }

    /// Answers requests over HTTP/2 in TLS, as `name`; the certificate comes along.
    pub(super) async fn https(
        name: &str,
        answer: fn(Request<Incoming>) -> Answer,
    ) -> (Self, CertificateDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = Self::raw(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service =
                    service_fn(move |request| async move { Ok::<_, Infallible>(answer(request)) });
                let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            }
        })
        .await;
        (server, certificate)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The server's URL by its address.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made to it.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
