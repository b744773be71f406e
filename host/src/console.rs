//! The control-plane listener. It has a thread of its own and answers whatever the workers do.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections served at once: operators, probes and scrapers are few.
const CONNECTIONS: usize = 256;

/// A control plane that listens and does not answer yet.
pub(crate) struct Console(std::net::TcpListener);

/// Listens on `addr`.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<Console> {
    let listener = std::net::TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    Ok(Console(listener))
}

impl Console {
    /// The address that it listens on.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Answers until dropped.
pub(crate) async fn serve(console: Console) -> io::Result<()> {
    let listener = TcpListener::from_std(console.0)?;
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let place = std::sync::Arc::clone(&places).acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: connections that end will free some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            // A broken connection is the client's affair.
            let _ = connection.await;
            drop(place);
        });
    }
}

async fn answer<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let known = request.uri().path() == "/healthz";
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, text) = match (known, reads) {
        (true, true) => (StatusCode::OK, "ok\n"),
        (true, false) => (
            StatusCode::METHOD_NOT_ALLOWED,
            "Only GET and HEAD are served here.\n",
        ),
        (false, _) => (StatusCode::NOT_FOUND, "There is nothing here.\n"),
    };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
    }
    Ok(response)
}
