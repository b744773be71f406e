//! The control-plane listener. It has a thread of its own and answers whatever the workers do.
//!
//! It listens on loopback unless told otherwise. A page in a browser on the same machine can reach it too, under a name
//! that its author has made lead here (DNS rebinding); so a request has to name the listener by an address, by
//! `localhost` or by a name that the operator has given.

mod answer;
mod names;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderValue, Request, header};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

pub(crate) use names::Names;

use crate::lingering::{self, KeptOpen};

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections served at once: operators, probes and scrapers are few.
const CONNECTIONS: usize = 256;

/// What the control plane tells of.
pub(crate) trait Subject: Send + Sync + 'static {
    /// What is not as it should be, a line each.
    fn problems(&self) -> Vec<String>;

    /// The discovery document of the host's own issuer, if it has one.
    fn discovery(&self) -> Option<String>;

    /// The public keys of the host's own issuer, if it has one.
    fn keys(&self) -> Option<String>;

    /// What is counted, in the OpenMetrics text format.
    fn metrics(&self) -> String;
}

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

/// One that somebody else opened, and that does not block.
impl From<std::net::TcpListener> for Console {
    fn from(listener: std::net::TcpListener) -> Self {
        Self(listener)
    }
}

impl Console {
    /// The address that it listens on.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Answers until dropped.
pub(crate) async fn serve(console: Console, names: Names, subject: impl Subject) -> io::Result<()> {
    let listener = TcpListener::from_std(console.0)?;
    let places = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    let answering = Arc::new((names, subject));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely: connections that end will free some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let answering = Arc::clone(&answering);
        tokio::spawn(async move {
            // No body is read here, so the connection ends with a request that has one.
            let has_upload = AtomicBool::new(false);
            let service = service_fn(|request: Request<Incoming>| {
                let (names, subject) = &*answering;
                let mut response = answer::answer(&request, names, subject);
                if !request.body().is_end_stream() {
                    has_upload.store(true, Ordering::Relaxed);
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                std::future::ready(Ok::<_, Infallible>(response))
            });
            let mut connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(KeptOpen::new(stream)), service);
            // A broken connection is the client's affair.
            let _ = (&mut connection).await;
            let mut stream = connection.into_parts().io.into_inner().into_inner();
            if has_upload.load(Ordering::Relaxed) {
                lingering::close(&mut stream).await;
            }
            drop(place);
        });
    }
}
